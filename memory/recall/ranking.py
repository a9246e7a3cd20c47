"""From the candidates of a question to ranked evidence: features, their re-scoring, and whether the answer is among them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memory.model import Evidence, Recollection
from memory.recall.answerability import answerable
from memory.recall.features import Candidate, Features, passage_features
from memory.recall.neighbour_features import with_neighbours
from memory.recall.question import Question
from memory.recall.rescorer import Rescored, Rescorer
from memory.recall.supersession import newest_first

__all__ = ["Found", "rank", "ranked_evidence"]

_JUDGED = 160
_JUDGED_SESSIONS = 64
_SPEAKER_SHARE = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the searches proposed for a question; `vector` is the question's, `(d,) float32`."""

    question: Question
    vector: NDArray[np.float32]
    candidates: Sequence[Candidate]


def rank(found: Found, rescorer: Rescorer) -> Recollection:
    """Rank what was found, best first; equal scores in the order of time."""
    if not found.candidates:
        return Recollection(evidence=(), answerable=0.0)
    features = with_neighbours(found.candidates, passage_features(found.candidates, found.question, found.vector))
    candidates, features = _strongest(found.candidates, features)
    rescored = rescorer(candidates, features)
    return Recollection(
        evidence=ranked_evidence(candidates, rescored),
        answerable=answerable(found.question, candidates, features, rescored),
        compares=found.question.compares,
        features=features,
    )


def _strongest(candidates: Sequence[Candidate], features: Features) -> tuple[Sequence[Candidate], Features]:
    """Keep those that have a chance, and the best of every leading session: all had to be compared, but not all need judging."""
    if len(candidates) <= _JUDGED:
        return candidates, features
    promise = features["strength"] + _SPEAKER_SHARE * features["speaker"]
    order = np.argsort(-promise, kind="stable").tolist()
    best_of_session: dict[int, int] = {}
    for row in order:
        best_of_session.setdefault(candidates[row].turn.session_pk, row)
    kept = sorted({*order[:_JUDGED], *list(best_of_session.values())[:_JUDGED_SESSIONS]})
    values = np.array(list(features.values()))[:, kept]
    return [candidates[row] for row in kept], dict(zip(features, values, strict=True))


def ranked_evidence(
    candidates: Sequence[Candidate], rescored: Rescored, *, supersession: bool = True
) -> tuple[Evidence, ...]:
    """Make evidence of candidates, best first, the newest of statements that replace one another before the older.

    Without `supersession`, which is for measuring what it is worth, by score alone.
    """
    evidence = [
        Evidence(turn=candidate.turn, passage=candidate.encoded.passage, score=score, row=row)
        for row, (candidate, score) in enumerate(zip(candidates, rescored.probability.tolist(), strict=True))
    ]
    evidence.sort(key=lambda e: (-e.score, e.turn.said_at, e.turn.pk, e.passage.start))
    return tuple(newest_first(evidence) if supersession else evidence)
