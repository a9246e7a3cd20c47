"""How a passage stands among the other candidates: beside which turns, in which session, and how far from the best.

A question and its answer are neighbouring turns, and a session on the subject is likelier to hold the answer than a lone
match; neither shows in the passage itself. Pure functions over the signals of `memory.signals`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from memory.signals import Candidate, Scores, Signals

__all__ = ["PARTS", "standing", "with_standing"]

PARTS: Mapping[str, tuple[str, ...]] = {
    "meaning": ("dense", "turn_dense"),
    "words": ("words", "turn_words", "coverage"),
    "related words": (
        "related", "related_best", "related_two", "related_first", "related_last", "turn_related",
    ),
    "speaker": ("speaker", "mentions", "one_named", "first_person", "second_person"),
    "time": ("time", "tells_time"),
    "kind of question": ("asks_", "number", "proper_name"),
    "form": ("question", "filler", "length", "turn_length", "opens_turn"),
    "neighbours": ("previous", "next", "before_previous", "after_next"),
    "session": ("session",),
    "rank": ("rank", "dense_rank", "gap", "dense_gap", "turn_words_gap", "related_gap", "deviation"),
}  # fmt: skip

_RANK_HALVES = 10
_TOP_OF_SESSION = 3
_TINY = 1e-6


def with_standing(candidates: Sequence[Candidate], own: Signals, *, without: str | None = None) -> Signals:
    """Give all signals of the candidates; those of the part `without` are 0. Raises KeyError for an unknown part."""
    off = PARTS[without] if without else ()

    def kept(signals: Signals) -> Signals:
        return {name: values * 0 if name.startswith(off) else values for name, values in signals.items()}

    known = kept(own) if off else own
    found = standing(candidates, known)
    return known | (kept(found) if off else found)


def standing(candidates: Sequence[Candidate], own: Signals) -> Signals:
    """Give the signals that compare each candidate with the others, `(len(candidates),)` each."""
    strength = own["dense"] + own["turn_words"] + own["related"] + own["coverage"] / 2
    places = [(candidate.turn.session_pk, candidate.turn.position) for candidate in candidates]
    best: dict[tuple[int, int], float] = {}
    for place, value in zip(places, strength.tolist(), strict=True):
        best[place] = max(best.get(place, -np.inf), value)
    floor = float(strength.min())

    def beside(step: int) -> Scores:
        return np.array([best.get((session, position + step), floor) for session, position in places])

    sessions = _session_strengths(best)
    return {
        "strength": strength,
        "turn_strength": beside(0),
        "previous": beside(-1),
        "next": beside(1),
        "before_previous": beside(-2),
        "after_next": beside(2),
        "session": np.array([sessions[session] for session, _ in places]),
        "rank": _rank(strength),
        "dense_rank": _rank(own["dense"]),
        "gap": strength - strength.max(),
        "dense_gap": own["dense"] - own["dense"].max(),
        "turn_words_gap": own["turn_words"] - own["turn_words"].max(),
        "related_gap": own["related"] - own["related"].max(),
        "deviation": (strength - strength.mean()) / (strength.std() + _TINY),
    }


def _session_strengths(best: Mapping[tuple[int, int], float]) -> dict[int, float]:
    """Pool a session's turns: the mean of its three strongest."""
    of_session: dict[int, list[float]] = defaultdict(list)
    for (session, _), value in best.items():
        of_session[session].append(value)
    return {session: float(np.mean(sorted(values)[-_TOP_OF_SESSION:])) for session, values in of_session.items()}


def _rank(values: Scores) -> Scores:
    """Give 1 for the best, a half for the eleventh, and so on towards 0."""
    place = np.empty(len(values))
    place[np.argsort(-values, kind="stable")] = np.arange(len(values))
    return 1 / (1 + place / _RANK_HALVES)
