"""From the candidates of a question to ranked evidence: features, their weighing, and whether the answer is among them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from memory.model import Evidence, Recollection
from memory.recall.answerability import answerable
from memory.recall.features import Candidate, Features, Found, passage_features
from memory.recall.neighbour_features import with_neighbours
from memory.recall.reranker import RecallModels, Reranked, reranked
from memory.recall.supersession import newest_first

__all__ = ["described", "rank", "ranked_evidence"]

_JUDGED = 160
_JUDGED_SESSIONS = 64
_SPEAKER_SHARE = 0.25


def rank(found: Found, models: RecallModels) -> Recollection:
    """Rank what was found, best first; equal scores in the order of time."""
    if not found.candidates:
        return Recollection(evidence=(), answerable=0.0)
    found, features = described(found)
    scores = reranked(models.reranker, features)
    return Recollection(
        evidence=ranked_evidence(found.candidates, scores),
        answerable=answerable(found, features, scores, models.answerability),
        breadth=found.question.breadth,
        features=features,
    )


def described(found: Found) -> tuple[Found, Features]:
    """Return the candidates (at least one) that are judged, and their features: the same in service, evaluation and training.

    Those that have a chance, and the best of every leading session: all had to be compared, but not all need judging.
    """
    features = with_neighbours(found, passage_features(found))
    if len(found.candidates) <= _JUDGED:
        return found, features
    promise = features["fusion"] + features["turn_coverage"] / 2 + _SPEAKER_SHARE * features["speaker"]
    order = np.argsort(-promise, kind="stable").tolist()
    best_of_session: dict[int, int] = {}
    for row in order:
        best_of_session.setdefault(found.candidates[row].turn.session_pk, row)
    kept = sorted({*order[:_JUDGED], *list(best_of_session.values())[:_JUDGED_SESSIONS]})
    values = np.array(list(features.values()))[:, kept]
    judged = replace(found, candidates=[found.candidates[row] for row in kept])
    return judged, dict(zip(features, values, strict=True))


def ranked_evidence(
    candidates: Sequence[Candidate], scores: Reranked, *, supersession: bool = True
) -> tuple[Evidence, ...]:
    """Make evidence of candidates, best first, the newest of statements that replace one another before the older.

    Without `supersession`, which is for measuring what it is worth, by score alone.
    """
    evidence = [
        Evidence(turn=candidate.turn, passage=candidate.encoded.passage, score=score, row=row)
        for row, (candidate, score) in enumerate(zip(candidates, scores.probability.tolist(), strict=True))
    ]
    evidence.sort(key=lambda e: (-e.score, e.turn.said_at, e.turn.pk, e.passage.start))
    return tuple(newest_first(evidence) if supersession else evidence)
