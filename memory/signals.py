"""What a passage itself says for being evidence: named signals, grouped into parts.

Pure functions over the candidates of one question; no search, no storage. `memory.standing` adds how a passage stands among
the others, and `memory.rescorer` turns the signals of a passage into a probability. A part can be switched off, which is how
`tirtha eval locomo --ablation` measures what each is worth.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from memory.lexical import bm25_share, coverage_of, frequencies, rarity_of
from memory.questions import KINDS, Question
from memory.related_terms import relatedness
from memory.time_expressions import find_times, may_tell_time
from memory.turns import EncodedPassage, Turn, TurnPk, Vector
from memory.words import asks, content_terms, words

__all__ = ["Candidate", "Scores", "Signals", "own_signals"]

Scores = NDArray[np.float64]
Signals = dict[str, Scores]

_RELATED = 0.65  # from here on, a word counts as meant when its rarity is reckoned
_ENOUGH_WORDS = 2
_FIRST_PERSON = frozenset("i me my mine myself we our us i'm i've i'd i'll we're we've".split())
_SECOND_PERSON = frozenset("you your yours you're you've".split())
_NUMBER = re.compile(r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|once|twice)\b")
_PROPER_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A passage that some search proposed, with the turn it belongs to."""

    turn: Turn
    encoded: EncodedPassage

    @property
    def text(self) -> str:
        """The passage's verbatim text."""
        return self.turn.text[self.encoded.passage.start : self.encoded.passage.end]


@dataclass(frozen=True, slots=True)
class _Traits:
    """What a passage shows on its face, whatever the question."""

    terms: tuple[str, ...]
    words: frozenset[str]
    first_person: bool
    second_person: bool
    asks: bool
    number: bool
    names: frozenset[str]
    tells_time: bool


@lru_cache(maxsize=100_000)
def _tells_number(word: str) -> bool:
    return bool(_NUMBER.search(word))


@lru_cache(maxsize=16_384)  # the passages that one question finds are often those that the next one finds
def _traits(text: str) -> _Traits:
    said = frozenset(words(text))
    return _Traits(
        terms=content_terms(text),
        words=said,
        first_person=bool(said & _FIRST_PERSON),
        second_person=bool(said & _SECOND_PERSON),
        asks=asks(text),
        number=any(map(_tells_number, said)),
        names=frozenset(name.lower() for name in _PROPER_NAME.findall(text)),
        tells_time=may_tell_time(said),
    )


def own_signals(candidates: Sequence[Candidate], question: Question, vector: NDArray[np.float32]) -> Signals:
    """Give each signal's value for each candidate, `(len(candidates),)`; `vector` is the question's.

    Rarity and mean lengths are those of the candidates themselves.
    """
    traits = [_traits(candidate.text) for candidate in candidates]
    terms = [one.terms for one in traits]
    return {
        **_meaning(candidates, vector),
        **_words(candidates, question, terms),
        **_relatedness(candidates, question, terms),
        **_speakers(candidates, question, traits),
        **_times(candidates, question, traits),
        **_kind(candidates, question, traits),
        **_form(candidates, terms, traits),
    }


def _meaning(candidates: Sequence[Candidate], vector: NDArray[np.float32]) -> Signals:
    """Cosines of the question with the passage, and with its whole turn."""
    return {
        "dense": _products([candidate.encoded.vector for candidate in candidates], vector),
        "turn_dense": _products([candidate.encoded.turn_vector for candidate in candidates], vector),
    }


def _words(candidates: Sequence[Candidate], question: Question, terms: Sequence[Sequence[str]]) -> Signals:
    """BM25 of passage and turn as a share of a perfect match; the share of the question's words, by rarity, that it holds."""
    turns = {c.turn.pk: content_terms(c.turn.text) for c in candidates}
    frequency = frequencies(question.terms, terms)
    rarity = rarity_of(frequency)
    of_turns = bm25_share(frequencies(question.terms, list(turns.values())), [*map(len, turns.values())], rarity)
    return {
        "words": bm25_share(frequency, [*map(len, terms)], rarity),
        "turn_words": _by_turn(candidates, dict(zip(turns, of_turns, strict=True))),
        "coverage": coverage_of(frequency, rarity),
    }


def _relatedness(candidates: Sequence[Candidate], question: Question, terms: Sequence[Sequence[str]]) -> Signals:
    """How near the passage's words come to the question's, in meaning: by rarity, at best, of the best two, first, last."""
    near = relatedness(question.terms, terms) if question.terms else np.zeros((len(candidates), 1))
    rarity = np.log1p(len(candidates) / np.maximum((near > _RELATED).sum(axis=0), 1))
    related = near @ (rarity / rarity.sum())
    best = np.sort(near, axis=1)[:, ::-1]
    of_turn: dict[TurnPk, float] = {}
    for candidate, value in zip(candidates, related, strict=True):
        of_turn[candidate.turn.pk] = max(of_turn.get(candidate.turn.pk, 0.0), float(value))
    return {
        "related": related,
        "related_best": best[:, 0],
        "related_two": best[:, :2].mean(axis=1),
        "related_first": near[:, 0],
        "related_last": near[:, -1],
        "turn_related": _by_turn(candidates, of_turn),
    }


def _speakers(candidates: Sequence[Candidate], question: Question, traits: Sequence[_Traits]) -> Signals:
    """Whether the speaker is the one the question names (or "I", or "you"), and whom the passage speaks of."""
    names = {word for name in question.named for word in words(name)}
    return {
        "speaker": np.array([_speaks(candidate.turn, question) for candidate in candidates]),
        "mentions": _flags(bool(one.words & names) for one in traits),
        "one_named": np.full(len(candidates), float(len(question.named) == 1)),
        "first_person": _flags(one.first_person for one in traits),
        "second_person": _flags(one.second_person for one in traits),
    }


def _times(candidates: Sequence[Candidate], question: Question, traits: Sequence[_Traits]) -> Signals:
    """Whether the turn was said within, or speaks of, one of the question's times; whether the passage tells any time."""
    turns = {candidate.turn.pk: candidate.turn for candidate in candidates}
    timely = {pk: _timely(turn, question) for pk, turn in turns.items()}
    return {
        "time": _by_turn(candidates, timely),
        "tells_time": _flags(one.tells_time for one in traits),
    }


def _kind(candidates: Sequence[Candidate], question: Question, traits: Sequence[_Traits]) -> Signals:
    """What the question asks for, and whether the passage has numbers or names to offer."""
    count = len(candidates)
    asks = {f"asks_{kind}": np.full(count, float(kind == question.kind)) for kind in KINDS}
    names = {candidate.turn.name for candidate in candidates}
    speakers = {word for name in names for word in words(name)}
    return asks | {
        "asks_several": np.full(count, float(question.several)),
        "asks_terms": np.full(count, float(len(question.terms))),
        "number": _flags(one.number for one in traits),
        "proper_name": _flags(bool(one.names - speakers) for one in traits),
    }


def _form(candidates: Sequence[Candidate], terms: Sequence[Sequence[str]], traits: Sequence[_Traits]) -> Signals:
    """Whether the passage asks instead of telling, or tells nothing; its length and place."""
    return {
        "question": _flags(one.asks for one in traits),
        "filler": _flags(len(found) < _ENOUGH_WORDS for found in terms),
        "length": np.log1p([float(len(candidate.text)) for candidate in candidates]),
        "turn_length": np.log1p([float(len(candidate.turn.text)) for candidate in candidates]),
        "opens_turn": _flags(candidate.encoded.passage.start == 0 for candidate in candidates),
    }


def _products(vectors: Sequence[Vector], vector: NDArray[np.float32]) -> Scores:
    rows = np.concatenate(vectors).reshape(len(vectors), -1).astype(np.float32)
    return (rows @ vector).astype(np.float64)


def _flags(values: Iterable[bool]) -> Scores:
    return np.fromiter(values, np.float64)


def _by_turn(candidates: Sequence[Candidate], values: Mapping[TurnPk, float]) -> Scores:
    return np.array([values[candidate.turn.pk] for candidate in candidates])


def _speaks(turn: Turn, question: Question) -> float:
    if question.named:
        return float(len(question.named) == 1 and turn.speaker in question.named)
    if question.words & _SECOND_PERSON and turn.role == "assistant":
        return 1.0
    asks_of_self = question.words & _FIRST_PERSON and not question.words & _SECOND_PERSON
    return float(bool(asks_of_self) and turn.role == "user")


def _timely(turn: Turn, question: Question) -> float:
    if not question.times:
        return 0.0
    spoken = [(turn.said_at.date(), turn.said_at.date())]
    spoken += [(time.first, time.last) for time in find_times(turn.text, turn.said_at)]
    overlaps = any(first <= time.last and time.first <= last for first, last in spoken for time in question.times)
    return float(overlaps)
