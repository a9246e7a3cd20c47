"""What anyone can do without us, over the same turns, at the same budget: the figures to beat.

Three plain searches, each over whole turns and over sentences. BM25: Lucene's, k1 1.2, b 0.75, stems, no stop words; pairs of
characters in scripts without spaces; a speaker's name counts as said, since BM25 finds less without. Dense: the cosine of the
question's vector with those that the memory itself keeps. Both added up: cosine + 0.7 BM25, BM25 divided by its greatest in the
scope. BM25 alone returns only what shares a term with the question.

Two more rank turns for LongMemEval: dense sessions, one vector a session, of its user turns joined, cut at the model's window (the
recipe behind the published 96.6% recall_any@5 of a verbatim store); and newest first, no search at all.

A history is read and encoded once, whatever is asked of it. What is found is packed greedily in its order where it fits, by the
code that writes our contexts, so that lines, dates and tokens count alike.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from compaction import Context, distill
from compaction.distill import DistillOptions
from language import Passage
from language.words import content_terms
from memory.encoding.encoder import Encoder
from memory.index.bm25 import Postings, bm25_of, frequencies
from memory.model import Evidence, Turn

__all__ = ["RANKINGS", "SEARCHES", "History", "pack", "pack_whole_turns", "rank_sessions_of"]

Scores = NDArray[np.float64]

_BM25_WEIGHT = 0.7
_RANKED = 1_000  # more than any budget here has room for
_IN_ORDER = DistillOptions(redundancy=0.0, redundancy_broad=0.0, cost_exponent=0.0, least_share=0.0, readable=False)


@dataclass(frozen=True, kw_only=True)
class Units:
    """What a plain search ranks: stretches of turns, each with its vector, `(n, d) float32`."""

    places: Sequence[tuple[Turn, Passage]]
    vectors: NDArray[np.float32]

    @cached_property
    def _terms(self) -> list[tuple[str, ...]]:
        return [
            content_terms(f"{turn.speaker or ''} {turn.text[passage.start : passage.end]}")
            for turn, passage in self.places
        ]

    @cached_property
    def _postings(self) -> Postings:
        return Postings(pa.chunked_array([[" ".join(terms) for terms in self._terms]], type=pa.string()))

    def bm25(self, question: str) -> Scores:
        """Return the BM25 of each unit, `(n,)`, in nats."""
        asked = tuple(dict.fromkeys(content_terms(question)))
        lengths = [*map(len, self._terms)]
        return bm25_of(frequencies(asked, self._terms), lengths, self._postings.statistics(asked))

    def cosine(self, asked: NDArray[np.float32]) -> Scores:
        """Return the cosine of each unit with a question's vector, `(n,)`."""
        return (self.vectors @ asked).astype(np.float64)

    def best(self, scores: Scores, *, above: float = -np.inf) -> list[Evidence]:
        """Return the best units that score more than `above`, best first, equals in the order they were said."""
        order = [int(place) for place in np.argsort(-scores, kind="stable")[:_RANKED] if scores[place] > above]
        return [
            Evidence(turn=self.places[place][0], passage=self.places[place][1], score=1 / rank)
            for rank, place in enumerate(order, 1)
        ]


class History:
    """The turns of a scope, read and encoded once, for every plain search over them."""

    def __init__(self, turns: Sequence[Turn], encoder: Encoder) -> None:
        self.turns = [turn for turn in turns if turn.text.strip()]
        self._encoder = encoder

    @cached_property
    def units(self) -> Mapping[str, Units]:
        """Whole turns, and sentences."""
        encoded = self._encoder.encode_turns(self.turns)
        none = np.zeros((0, self._encoder.dimension), np.float32)
        pairs = [(turn, one) for turn, found in zip(self.turns, encoded, strict=True) for one in found]
        return {
            "turns": Units(
                places=[(turn, Passage(start=0, end=len(turn.text))) for turn in self.turns],
                vectors=np.stack([found[0].turn_vector for found in encoded]) if encoded else none,
            ),
            "sentences": Units(
                places=[(turn, one.passage) for turn, one in pairs],
                vectors=np.stack([one.vector for _, one in pairs]) if pairs else none,
            ),
        }

    def search(self, question: str) -> dict[str, list[Evidence]]:
        """Ask every plain search, by its name (`SEARCHES`); evidence is best first."""
        asked = self._encoder.encode_question(question)
        found: dict[str, list[Evidence]] = {}
        for name, units in self.units.items():
            bm25, cosine = units.bm25(question), units.cosine(asked)
            greatest = float(bm25.max(initial=0.0)) or 1.0
            found[f"BM25, {name}"] = units.best(bm25, above=0.0)
            found[f"dense, {name}"] = units.best(cosine)
            found[f"cosine + {_BM25_WEIGHT} BM25, {name}"] = units.best(cosine + _BM25_WEIGHT * bm25 / greatest)
        return found

    def dense_turns(self, question: str) -> list[Turn]:
        """Rank all turns by the cosine of their vectors with the question's."""
        return self._ranked(self.units["turns"].cosine(self._encoder.encode_question(question)))

    def bm25_turns(self, question: str) -> list[Turn]:
        """Rank all turns by BM25."""
        return self._ranked(self.units["turns"].bm25(question))

    def dense_sessions(self, question: str) -> list[Turn]:
        """Rank sessions by the cosine of their users' words with the question; a session's turns stay in order."""
        if not self.turns:
            return []
        sessions, vectors = self._sessions
        order = np.argsort(-(vectors @ self._encoder.encode_question(question)), kind="stable")
        return [turn for place in order for turn in sessions[place]]

    def newest_first(self, question: str) -> list[Turn]:  # noqa: ARG002 - one shape for all
        """Rank all turns by age, the newest first."""
        return sorted(self.turns, key=lambda turn: (turn.said_at, turn.position), reverse=True)

    @cached_property
    def _sessions(self) -> tuple[list[list[Turn]], NDArray[np.float32]]:
        sessions: dict[str, list[Turn]] = {}
        for turn in self.turns:
            sessions.setdefault(turn.session_id, []).append(turn)
        vectors = self._encoder.encode_texts([_users_words(said) for said in sessions.values()])
        return list(sessions.values()), vectors

    def _ranked(self, scores: Scores) -> list[Turn]:
        return [self.turns[place] for place in np.argsort(-scores, kind="stable")]


SEARCHES = tuple(
    f"{search}, {units}"
    for units in ("turns", "sentences")
    for search in ("BM25", "dense", f"cosine + {_BM25_WEIGHT} BM25")
)
RANKINGS: Mapping[str, Callable[[History, str], list[Turn]]] = {
    "dense turns": History.dense_turns,
    "bm25 turns": History.bm25_turns,
    "dense sessions": History.dense_sessions,
    "newest first": History.newest_first,
}


def rank_sessions_of(turns: Sequence[Turn]) -> list[str]:
    """Rank sessions by their best turn, given turns best first."""
    return list(dict.fromkeys(turn.session_id for turn in turns))


def pack(found: Sequence[Evidence], budget: int) -> Context:
    """Write the first of `found` that fit; if none does, the first that can be cut to fit."""
    return distill(found, budget=budget, options=_IN_ORDER)


def pack_whole_turns(ranked: Sequence[Turn], budget: int) -> Context:
    """Write the first of `ranked` that fit, whole; if none does, the first that can be cut to fit."""
    evidence = [
        Evidence(turn=turn, passage=Passage(start=0, end=len(turn.text)), score=1 / place)
        for place, turn in enumerate(ranked, 1)
    ]
    return pack(evidence, budget)


def _users_words(said: Sequence[Turn]) -> str:
    users = [turn.text for turn in said if turn.role == "user"] or [turn.text for turn in said]
    return "\n".join(users)
