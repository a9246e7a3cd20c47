"""What anyone can do without us, over the same turns, at the same budget: the figures to beat.

dense turns: cosine of the question with each turn's vector. bm25 turns: stemmed BM25 over turns. dense sessions: one vector a
session, of its user turns joined, cut at the model's window (the recipe behind the published 96.6% recall_any@5 of a verbatim
store). newest first: no search at all. Turns are packed whole, in their order, where they fit.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from compaction import Context, distill
from compaction.distill import DistillOptions
from language import Passage
from language.words import content_terms
from memory.encoding.encoder import Encoder
from memory.index.bm25 import bm25_share, frequencies, rarity_of
from memory.model import Evidence, Turn

__all__ = ["BASELINES", "Baseline", "pack_whole_turns", "rank_sessions_of"]

Baseline = Callable[[str, Sequence[Turn], Encoder], list[Turn]]

_WHOLE_TURNS = DistillOptions(redundancy=1.0, redundancy_broad=1.0, cost_exponent=0.0, least_share=0.0, readable=False)


def dense_turns(question: str, turns: Sequence[Turn], encoder: Encoder) -> list[Turn]:
    """Rank turns by the cosine of their vectors with the question's."""
    asked = encoder.encode_texts([question])[0]
    vectors = [
        passages[0].turn_vector if passages else np.zeros_like(asked) for passages in encoder.encode_turns(turns)
    ]
    return _ranked(turns, np.stack(vectors) @ asked)


def bm25_turns(question: str, turns: Sequence[Turn], encoder: Encoder) -> list[Turn]:  # noqa: ARG001 - one shape for all
    """Rank turns by BM25 (k1 1.2, b 0.75, Snowball stems, no stop words)."""
    terms = tuple(dict.fromkeys(content_terms(question)))
    texts = [content_terms(turn.text) for turn in turns]
    frequency = frequencies(terms, texts)
    return _ranked(turns, bm25_share(frequency, [*map(len, texts)], rarity_of(frequency)))


def dense_sessions(question: str, turns: Sequence[Turn], encoder: Encoder) -> list[Turn]:
    """Rank sessions by the cosine of their users' words with the question; a session's turns stay in order."""
    asked = encoder.encode_texts([question])[0]
    sessions: dict[str, list[Turn]] = {}
    for turn in turns:
        sessions.setdefault(turn.session_id, []).append(turn)
    vectors = [_session_vector(_users_words(said), encoder) for said in sessions.values()]
    order = np.argsort(-(np.stack(vectors) @ asked), kind="stable")
    ranked = [list(sessions.values())[place] for place in order]
    return [turn for said in ranked for turn in said]


def newest_first(question: str, turns: Sequence[Turn], encoder: Encoder) -> list[Turn]:  # noqa: ARG001 - one shape for all
    """Rank turns by age, the newest first."""
    return sorted(turns, key=lambda turn: (turn.said_at, turn.position), reverse=True)


BASELINES: Mapping[str, Baseline] = {
    "dense turns": dense_turns,
    "bm25 turns": bm25_turns,
    "dense sessions": dense_sessions,
    "newest first": newest_first,
}


def rank_sessions_of(turns: Sequence[Turn]) -> list[str]:
    """Rank sessions by their best turn, given turns best first."""
    return list(dict.fromkeys(turn.session_id for turn in turns))


def pack_whole_turns(ranked: Sequence[Turn], budget: int) -> Context:
    """Write the first of `ranked` that fit, whole; if none does, the first that can be cut to fit."""
    evidence = [
        Evidence(turn=turn, passage=Passage(start=0, end=len(turn.text)), score=1 / place)
        for place, turn in enumerate(ranked, 1)
    ]
    return distill(evidence, budget=budget, options=_WHOLE_TURNS)


def _users_words(said: Sequence[Turn]) -> str:
    users = [turn.text for turn in said if turn.role == "user"] or [turn.text for turn in said]
    return "\n".join(users)


@lru_cache(maxsize=30_000)
def _session_vector(text: str, encoder: Encoder) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    vector: np.ndarray[tuple[int], np.dtype[np.float32]] = encoder.encode_texts([text])[0]
    return vector


def _ranked(turns: Sequence[Turn], scores: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> list[Turn]:
    return [turns[place] for place in np.argsort(-scores, kind="stable")]
