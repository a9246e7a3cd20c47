"""What a passage itself says for being evidence: named features, grouped into parts.

Pure functions over the candidates of one question; no search, no storage. `memory.recall.neighbour_features` adds how the turns
beside a passage match, and `memory.recall.reranker` weighs them all. Every feature is 0 where it has nothing to say: without named
speakers `speaker` is 0 for all, in a language of which the encoder knows no words `dense` is 0.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from language import Analysed, analyse, said_in
from language.words import words
from memory.index.bm25 import TermStatistics, bm25_of, coverage_of, frequencies, rarity_of
from memory.model import EncodedPassage, Turn, TurnPk, Vector
from memory.recall.question import Question
from memory.recall.related_terms import inflected, relatedness

__all__ = ["LEXICAL_SHARE", "Candidate", "Features", "Found", "Scores", "passage_features"]

Scores = NDArray[np.float64]
Features = dict[str, Scores]

LEXICAL_SHARE = (
    0.7  # of BM25, as a share of the best passage's, beside the cosine; what the encoder cannot read, words must carry
)
_RELATED = 0.65  # from here on, a word counts as meant when its rarity is computed
_ENOUGH_WORDS = 2
_FIRST_PERSON = frozenset("i me my mine myself we our us i'm i've i'd i'll we're we've".split())
_SECOND_PERSON = frozenset("you your yours you're you've".split())
_ASKS_NUMBER = ("how_many", "how_long")
_ASKS_NAME = ("who", "where")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the searches proposed for a question.

    vector: the question's, `(d,) float32`. statistics: of its terms, in the scope. familiarity: how well the encoder reads the
    language of the question, 0 to 1.
    """

    question: Question
    vector: NDArray[np.float32]
    candidates: Sequence[Candidate]
    statistics: TermStatistics
    familiarity: float = 1.0


def passage_features(found: Found) -> Features:
    """Return each feature's value for each candidate, `(len(candidates),)`."""
    candidates, question = found.candidates, found.question
    said = [candidate.analysed for candidate in candidates]
    distinct = {candidate.turn.pk: candidate.turn for candidate in candidates}
    turns = {
        pk: turn.analysed for pk, turn in distinct.items()
    }  # once: what a long turn says is not kept between two looks
    terms = [one.terms for one in said]
    meaning, wording = _meaning(found), _words(found, terms, turns)
    fusion = meaning["dense"] + _by_words(found) * wording["bm25"] / max(float(wording["bm25"].max()), 1e-9)
    return {
        **meaning,
        **wording,
        "fusion": fusion,
        **_relatedness(candidates, question, terms),
        **_speakers(candidates, question, said),
        **_times(candidates, question, turns),
        **_kind(candidates, question, said, _between_worst_and_best(fusion)),
        **_form(found, terms, said),
    }


def _by_words(found: Found) -> float:
    return LEXICAL_SHARE + 1 - found.familiarity


def _meaning(found: Found) -> Features:
    """Cosines of the question with the passage, and with its whole turn, as far as the encoder knows the words that are asked.

    `dense_pieces` is for languages of which it knows some words: what it makes of the others' pieces helps a little.
    """
    dense = _products([candidate.encoded.vector for candidate in found.candidates], found.vector)
    of_turns = _products([candidate.encoded.turn_vector for candidate in found.candidates], found.vector)
    return {
        "dense": dense * found.familiarity,
        "dense_pieces": dense * found.familiarity * (1 - found.familiarity),
        "turn_dense": of_turns * found.familiarity,
    }


def _words(found: Found, terms: Sequence[Sequence[str]], turns: Mapping[TurnPk, Analysed]) -> Features:
    """BM25 in the scope, in nats; the share of the question's words, by rarity, of the turn, and of the passage in other forms."""
    asked, statistics = found.question.terms, found.statistics
    frequency = frequencies(asked, terms)
    bm25 = bm25_of(frequency, [*map(len, terms)], statistics)
    terms_of_turns = [turn.terms for turn in turns.values()]
    of_turns = coverage_of(frequencies(asked, terms_of_turns), statistics.rarity)
    return {
        "bm25": bm25,
        "turn_coverage": _by_turn(found.candidates, dict(zip(turns, of_turns, strict=True))),
        "inflected": inflected(asked, terms) @ (statistics.rarity / max(float(statistics.rarity.sum()), 1e-9)),
    }


def _relatedness(candidates: Sequence[Candidate], question: Question, terms: Sequence[Sequence[str]]) -> Features:
    """How near the passage's words come to the question's, in meaning, by rarity."""
    near = relatedness(question.terms, terms) if question.terms else np.zeros((len(candidates), 1))
    rarity = rarity_of(len(candidates), (near > _RELATED).sum(axis=0))
    return {"related": near @ (rarity / rarity.sum())}


def _speakers(candidates: Sequence[Candidate], question: Question, said: Sequence[Analysed]) -> Features:
    """Whether the speaker is the one the question names (or "I", or "you"), and whom the passage speaks of."""
    names = {word for name in question.named for word in words(name)}
    speaks = np.array([_speaks(candidate.turn, question) for candidate in candidates])
    first_person = _flags(not _FIRST_PERSON.isdisjoint(one.vocabulary) for one in said)
    return {
        "speaker": speaks,
        "mentions": _flags(not names.isdisjoint(one.vocabulary) for one in said),
        "of_themselves": speaks * first_person,
    }


def _times(candidates: Sequence[Candidate], question: Question, turns: Mapping[TurnPk, Analysed]) -> Features:
    """Whether the turn was said within, or speaks of, one of the question's times."""
    timely = {pk: _timely(turn, question) for pk, turn in turns.items()}
    return {"time": _by_turn(candidates, timely)}


def _kind(candidates: Sequence[Candidate], question: Question, said: Sequence[Analysed], matches: Scores) -> Features:
    """What the passage has of the kind that is asked for: a time, a number, a name; as far as it `matches`, 0 to 1.

    A name in a sentence on something else is no answer to "where".
    """
    names = {candidate.turn.name for candidate in candidates}
    speakers = {word for name in names for word in words(name)}
    asks_name = question.kind in _ASKS_NAME
    return {
        "tells_time": matches * _flags(one.may_hold_time for one in said) * (question.kind == "when"),
        "number": matches * _flags(one.has_number for one in said) * (question.kind in _ASKS_NUMBER),
        "proper_name": matches * _flags(asks_name and bool(_proper_names(one) - speakers) for one in said),
    }


def _between_worst_and_best(scores: Scores) -> Scores:
    """Return the scores as places between the worst, 0, and the best, 1; all 1 where they are equal."""
    least, span = scores.min(), np.ptp(scores)
    places: Scores = (scores - least) / span if span else np.ones_like(scores)
    return places


def _form(found: Found, terms: Sequence[Sequence[str]], said: Sequence[Analysed]) -> Features:
    """Whether the passage asks instead of stating, or states nothing; its length: measures that not every script has."""
    return {
        "question": _flags(one.asks for one in said),
        "filler": _flags(len(own) < _ENOUGH_WORDS for own in terms) * found.familiarity,
        "length": np.log1p([float(len(candidate.text)) for candidate in found.candidates]) * found.familiarity,
    }


def _proper_names(said: Analysed) -> set[str]:
    """Return the first words, lower-cased, of the names inside sentences: no months or days, no words in capitals only."""
    return {words(name.text)[0] for name in said.names if name.inside and not name.common and name.text[1:2].islower()}


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
