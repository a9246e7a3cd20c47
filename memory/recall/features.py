"""What a passage itself says for being evidence: named features, grouped into parts.

Pure functions over the candidates of one question; no search, no storage. `memory.recall.neighbour_features` adds how a passage
compares with the other candidates, and `memory.recall.rescorer` turns the features of a passage into a probability. A part can be
switched off, which is how `tirtha eval recall-ablation` measures what each is worth.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from language import Analysed, analyse, said_in
from language.words import words
from memory.index.bm25 import bm25_share, coverage_of, frequencies, rarity_of
from memory.model import EncodedPassage, Turn, TurnPk, Vector
from memory.recall.question import KINDS, Question
from memory.recall.related_terms import relatedness

__all__ = ["Candidate", "Features", "Scores", "passage_features"]

Scores = NDArray[np.float64]
Features = dict[str, Scores]

_RELATED = 0.65  # from here on, a word counts as meant when its rarity is computed
_ENOUGH_WORDS = 2
_FIRST_PERSON = frozenset("i me my mine myself we our us i'm i've i'd i'll we're we've".split())
_SECOND_PERSON = frozenset("you your yours you're you've".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A passage that some search proposed, with the turn it belongs to."""

    turn: Turn
    encoded: EncodedPassage

    @property
    def text(self) -> str:
        """The passage's verbatim text."""
        return self.turn.text[self.encoded.passage.start : self.encoded.passage.end]

    @property
    def analysed(self) -> Analysed:
        """What the passage says; a table's row with its header."""
        return analyse(said_in(self.turn.text, self.encoded.passage), self.turn.said_at.date())


def passage_features(candidates: Sequence[Candidate], question: Question, vector: NDArray[np.float32]) -> Features:
    """Return each feature's value for each candidate, `(len(candidates),)`; `vector` is the question's.

    Rarity and mean lengths are those of the candidates themselves.
    """
    said = [candidate.analysed for candidate in candidates]
    distinct = {candidate.turn.pk: candidate.turn for candidate in candidates}
    turns = {
        pk: turn.analysed for pk, turn in distinct.items()
    }  # once: what a long turn says is not kept between two looks
    terms = [one.terms for one in said]
    return {
        **_meaning(candidates, vector),
        **_words(candidates, question, terms, turns),
        **_relatedness(candidates, question, terms),
        **_speakers(candidates, question, said),
        **_times(candidates, question, said, turns),
        **_kind(candidates, question, said),
        **_form(candidates, terms, said, turns),
    }


def _meaning(candidates: Sequence[Candidate], vector: NDArray[np.float32]) -> Features:
    """Cosines of the question with the passage, and with its whole turn."""
    return {
        "dense": _products([candidate.encoded.vector for candidate in candidates], vector),
        "turn_dense": _products([candidate.encoded.turn_vector for candidate in candidates], vector),
    }


def _words(
    candidates: Sequence[Candidate],
    question: Question,
    terms: Sequence[Sequence[str]],
    turns: Mapping[TurnPk, Analysed],
) -> Features:
    """BM25 of passage and turn as a share of a perfect match; the share of the question's words, by rarity, that it holds."""
    told = [turn.terms for turn in turns.values()]
    frequency = frequencies(question.terms, terms)
    rarity = rarity_of(frequency)
    of_turns = bm25_share(frequencies(question.terms, told), [*map(len, told)], rarity)
    return {
        "words": bm25_share(frequency, [*map(len, terms)], rarity),
        "turn_words": _by_turn(candidates, dict(zip(turns, of_turns, strict=True))),
        "coverage": coverage_of(frequency, rarity),
    }


def _relatedness(candidates: Sequence[Candidate], question: Question, terms: Sequence[Sequence[str]]) -> Features:
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


def _speakers(candidates: Sequence[Candidate], question: Question, said: Sequence[Analysed]) -> Features:
    """Whether the speaker is the one the question names (or "I", or "you"), and whom the passage speaks of."""
    names = {word for name in question.named for word in words(name)}
    return {
        "speaker": np.array([_speaks(candidate.turn, question) for candidate in candidates]),
        "mentions": _flags(not names.isdisjoint(one.vocabulary) for one in said),
        "one_named": np.full(len(candidates), float(len(question.named) == 1)),
        "first_person": _flags(not _FIRST_PERSON.isdisjoint(one.vocabulary) for one in said),
        "second_person": _flags(not _SECOND_PERSON.isdisjoint(one.vocabulary) for one in said),
    }


def _times(
    candidates: Sequence[Candidate], question: Question, said: Sequence[Analysed], turns: Mapping[TurnPk, Analysed]
) -> Features:
    """Whether the turn was said within, or speaks of, one of the question's times; whether the passage tells any time."""
    timely = {pk: _timely(turn, question) for pk, turn in turns.items()}
    return {
        "time": _by_turn(candidates, timely),
        "tells_time": _flags(one.may_tell_time for one in said),
    }


def _kind(candidates: Sequence[Candidate], question: Question, said: Sequence[Analysed]) -> Features:
    """What the question asks for, and whether the passage has numbers or names to offer."""
    count = len(candidates)
    asks = {f"asks_{kind}": np.full(count, float(kind == question.kind)) for kind in KINDS}
    names = {candidate.turn.name for candidate in candidates}
    speakers = {word for name in names for word in words(name)}
    return asks | {
        "asks_several": np.full(count, float(question.several)),
        "asks_terms": np.full(count, float(len(question.terms))),
        "number": _flags(one.has_number for one in said),
        "proper_name": _flags(bool(_proper_names(one) - speakers) for one in said),
    }


def _form(
    candidates: Sequence[Candidate],
    terms: Sequence[Sequence[str]],
    said: Sequence[Analysed],
    turns: Mapping[TurnPk, Analysed],
) -> Features:
    """Whether the passage asks instead of telling, or tells nothing; its length and place."""
    lengths = {pk: float(len(turn.text)) for pk, turn in turns.items()}
    return {
        "question": _flags(one.asks for one in said),
        "filler": _flags(len(found) < _ENOUGH_WORDS for found in terms),
        "length": np.log1p([float(len(candidate.text)) for candidate in candidates]),
        "turn_length": np.log1p(_by_turn(candidates, lengths)),
        "opens_turn": _flags(candidate.encoded.passage.start == 0 for candidate in candidates),
    }


def _proper_names(said: Analysed) -> set[str]:
    """Return the first words, lower-cased, of the names inside sentences; not of what is written in capitals only.

    What follows a colon does not count: the models were fitted so.
    """
    inside = (name for name in said.names if name.inside and said.text[name.start - 2] != ":")
    return {words(name.text)[0] for name in inside if name.text[1:2].islower()}


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


def _timely(turn: Analysed, question: Question) -> float:
    if not question.times or turn.said_on is None:
        return 0.0
    spoken = [(turn.said_on, turn.said_on)]
    spoken += [(time.first, time.last) for time in turn.times]
    overlaps = any(first <= time.last and time.first <= last for first, last in spoken for time in question.times)
    return float(overlaps)
