"""From the candidates of a question to ranked evidence: signals, their re-scoring, and whether the answer is among them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memory.answerability import answerable
from memory.questions import Question
from memory.rescorer import Rescored, Rescorer
from memory.signals import Candidate, Signals, own_signals
from memory.standing import with_standing
from memory.supersession import newest_first
from memory.turns import Evidence, Recollection

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
    signals = with_standing(found.candidates, own_signals(found.candidates, found.question, found.vector))
    candidates, signals = _strongest(found.candidates, signals)
    rescored = rescorer(candidates, signals)
    return Recollection(
        evidence=ranked_evidence(candidates, rescored),
        answerable=answerable(found.question, candidates, signals, rescored),
        compares=found.question.compares,
        signals=signals,
    )


def _strongest(candidates: Sequence[Candidate], signals: Signals) -> tuple[Sequence[Candidate], Signals]:
    """Keep those that have a chance, and the best of every leading session: all had to be compared, but not all need judging."""
    if len(candidates) <= _JUDGED:
        return candidates, signals
    promise = signals["strength"] + _SPEAKER_SHARE * signals["speaker"]
    order = np.argsort(-promise, kind="stable").tolist()
    best_of_session: dict[int, int] = {}
    for row in order:
        best_of_session.setdefault(candidates[row].turn.session_pk, row)
    kept = sorted({*order[:_JUDGED], *list(best_of_session.values())[:_JUDGED_SESSIONS]})
    values = np.array(list(signals.values()))[:, kept]
    return [candidates[row] for row in kept], dict(zip(signals, values, strict=True))


def ranked_evidence(candidates: Sequence[Candidate], rescored: Rescored) -> tuple[Evidence, ...]:
    """Make evidence of candidates, best first, the newest of statements that replace one another before the older."""
    evidence = [
        Evidence(turn=candidate.turn, passage=candidate.encoded.passage, score=score, row=row)
        for row, (candidate, score) in enumerate(zip(candidates, rescored.probability.tolist(), strict=True))
    ]
    evidence.sort(key=lambda e: (-e.score, e.turn.said_at, e.turn.pk, e.passage.start))
    return tuple(newest_first(evidence))
