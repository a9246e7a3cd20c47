"""What speaks for a passage: named signals, each between about 0 and 1, added up with weights.

Pure functions over the candidates of one question; no search, no storage. A weight of 0 switches a signal off, which is how
`tirtha eval` measures what each is worth. Weights were fitted on conversations of LoCoMo (docs/lab.md).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from memory.time_expressions import TimeExpression, find_times
from memory.turns import EncodedPassage, Evidence, Turn, TurnPk
from memory.words import content_terms, words

__all__ = ["Candidate", "Question", "Weights", "read_question", "score"]

Scores = NDArray[np.float64]

_BM25_K1 = 1.2
_BM25_B = 0.75
_ENOUGH_WORDS = 2
_FIRST_PERSON = frozenset("i me my mine myself we our us".split())
_SECOND_PERSON = frozenset("you your yours".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """The weight of each signal in a passage's score.

    dense: cosine of the question and the passage. turn: cosine of the question and the whole turn.
    words, turn_words: BM25 of passage and turn, as a share of what a perfect match would get.
    coverage: share of the question's words (by rarity) that the passage holds.
    neighbour, answer: the score of the turn before (a question whose answer this may be) and of the turn after.
    speaker: the question names this speaker, or says "I" of a user or "you" of an assistant.
    time: the turn was said, or speaks of, when the question asks about.
    question, filler: taken off passages that ask instead of telling, or tell nothing.
    """

    dense: float = 0.75
    turn: float = 0.175
    words: float = 0.45
    turn_words: float = 0.475
    coverage: float = 0.4
    neighbour: float = 0.25
    answer: float = 0.025
    speaker: float = 0.4
    time: float = 0.2
    question: float = -0.1
    filler: float = -0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A passage that some search proposed, with the turn it belongs to."""

    turn: Turn
    encoded: EncodedPassage

    @property
    def text(self) -> str:
        """The passage's verbatim text."""
        return self.turn.text[self.encoded.passage.start : self.encoded.passage.end]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question, read: its vector, its words, the people and the times it names."""

    vector: NDArray[np.float32]
    terms: tuple[str, ...]
    words: frozenset[str]
    times: tuple[TimeExpression, ...]


def read_question(text: str, vector: NDArray[np.float32], asked_at: datetime) -> Question:
    """Read a question that was asked at `asked_at`; its times are resolved against that moment."""
    return Question(
        vector=vector,
        terms=tuple(dict.fromkeys(content_terms(text))),
        words=frozenset(word.removesuffix("'s") for word in words(text)),
        times=tuple(find_times(text, asked_at)),
    )


def score(candidates: Sequence[Candidate], question: Question, weights: Weights) -> list[Evidence]:
    """Score every candidate; gives evidence, best first, equal scores in the order of time.

    Pooled statistics (rarity of a word, length of a passage) are those of the candidates themselves.
    """
    if not candidates:
        return []
    signals = _signals(candidates, question)
    own = sum((getattr(weights, name) * values for name, values in signals.items()), np.zeros(len(candidates)))
    signals |= _neighbour_signals(candidates, own)
    total: Scores = sum(
        (getattr(weights, name) * values for name, values in signals.items()), np.zeros(len(candidates))
    )
    found = [
        Evidence(
            turn=candidate.turn,
            passage=candidate.encoded.passage,
            score=float(total[row]),
            signals={name: float(getattr(weights, name) * values[row]) for name, values in signals.items()},
        )
        for row, candidate in enumerate(candidates)
    ]
    return sorted(found, key=lambda e: (-e.score, e.turn.said_at, e.turn.pk, e.passage.start))


def without(weights: Weights, name: str) -> Weights:
    """Give the same weights with one signal switched off. Raises KeyError for an unknown name."""
    values = {field.name: getattr(weights, field.name) for field in fields(weights)}
    if name not in values:
        raise KeyError(name)
    return Weights(**values | {name: 0.0})


def _signals(candidates: Sequence[Candidate], question: Question) -> dict[str, Scores]:
    turns = {candidate.turn.pk: candidate.turn for candidate in candidates}
    passage_terms = [Counter(content_terms(candidate.text)) for candidate in candidates]
    turn_terms = {pk: Counter(content_terms(turn.text)) for pk, turn in turns.items()}
    named = _named_speakers(turns.values(), question)
    terms = [term for term in question.terms if term not in _name_terms(named)]
    rarity = _rarity(terms, passage_terms)
    turn_words = _bm25(terms, list(turn_terms.values()), rarity)
    by_turn = dict(zip(turn_terms, turn_words, strict=True))
    pks = [candidate.turn.pk for candidate in candidates]
    return {
        "dense": np.stack([c.encoded.vector for c in candidates]).astype(np.float64) @ question.vector,
        "turn": np.stack([c.encoded.turn_vector for c in candidates]).astype(np.float64) @ question.vector,
        "words": _bm25(terms, passage_terms, rarity),
        "turn_words": np.array([by_turn[pk] for pk in pks]),
        "coverage": _coverage(terms, passage_terms, rarity),
        "speaker": _by_turn(candidates, {pk: _speaks(turn, named, question) for pk, turn in turns.items()}),
        "time": _by_turn(candidates, {pk: _timely(turn, question) for pk, turn in turns.items()}),
        "question": np.array([float(c.text.rstrip().endswith(("?", "\uff1f"))) for c in candidates]),
        "filler": np.array([float(sum(counts.values()) < _ENOUGH_WORDS) for counts in passage_terms]),
    }


def _neighbour_signals(candidates: Sequence[Candidate], own: Scores) -> dict[str, Scores]:
    best: dict[tuple[str, int], float] = {}
    for candidate, value in zip(candidates, own, strict=True):
        place = (candidate.turn.session_id, candidate.turn.position)
        best[place] = max(best.get(place, -np.inf), float(value))
    floor = float(own.min())

    def beside(step: int) -> Scores:
        places = [(c.turn.session_id, c.turn.position + step) for c in candidates]
        return np.array([best.get(place, floor) for place in places])

    return {"neighbour": beside(-1), "answer": beside(1)}


def _by_turn(candidates: Sequence[Candidate], values: Mapping[TurnPk, float]) -> Scores:
    return np.array([values[candidate.turn.pk] for candidate in candidates])


def _rarity(terms: Sequence[str], passages: Sequence[Counter[str]]) -> dict[str, float]:
    held = {term: sum(term in counts for counts in passages) for term in terms}
    return {term: float(np.log1p(len(passages) / max(count, 1))) for term, count in held.items()}


def _bm25(terms: Sequence[str], texts: Sequence[Counter[str]], rarity: Mapping[str, float]) -> Scores:
    """BM25 (Robertson & Zaragoza 2009) as a share of the limit that endless repetition of every term would reach."""
    lengths = np.array([max(sum(counts.values()), 1) for counts in texts], dtype=np.float64)
    norms = _BM25_K1 * (1 - _BM25_B + _BM25_B * lengths / lengths.mean())
    total = np.zeros(len(texts))
    for term in terms:
        frequency = np.array([counts[term] for counts in texts], dtype=np.float64)
        total += rarity[term] * frequency / (frequency + norms)
    return total / max(sum(rarity.values()), 1e-9)


def _coverage(terms: Sequence[str], texts: Sequence[Counter[str]], rarity: Mapping[str, float]) -> Scores:
    total = max(sum(rarity.values()), 1e-9)
    return np.array([sum(rarity[term] for term in terms if term in counts) / total for counts in texts])


def _named_speakers(turns: Iterable[Turn], question: Question) -> frozenset[str]:
    names = {turn.speaker for turn in turns if turn.speaker}
    return frozenset(name for name in names if set(words(name)) & question.words)


def _name_terms(names: frozenset[str]) -> frozenset[str]:
    return frozenset(term for name in names for term in content_terms(name))


def _speaks(turn: Turn, named: frozenset[str], question: Question) -> float:
    if named:
        return float(len(named) == 1 and turn.speaker in named)
    if question.words & _SECOND_PERSON and turn.role == "assistant":
        return 1.0
    return float(bool(question.words & _FIRST_PERSON) and turn.role == "user" and not question.words & _SECOND_PERSON)


def _timely(turn: Turn, question: Question) -> float:
    """Say whether the turn was said within, or speaks of, one of the question's times."""
    if not question.times:
        return 0.0
    spoken = [(turn.said_at.date(), turn.said_at.date())]
    spoken += [(time.first, time.last) for time in find_times(turn.text, turn.said_at)]
    overlaps = any(first <= time.last and time.first <= last for first, last in spoken for time in question.times)
    return float(overlaps)
