"""Features that depend on the other candidates: a heuristic score, and the scores of neighbouring turns.

A question and its answer are neighbouring turns, which does not show in the passage itself. Candidates are compared twice: by a
heuristic strength before the first look at them, and by the log-odds of that look before the second. Pure functions over the
features of `memory.recall.features`.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from memory.recall.features import Candidate, Features, Scores

__all__ = ["PARTS", "with_neighbours", "with_odds"]

_NO_ODDS = -9.0  # log-odds of a turn that is no candidate
_BESIDE = {"previous": -1, "next": 1, "before_previous": -2, "after_next": 2}

PARTS: Mapping[str, tuple[str, ...]] = {
    "meaning": ("dense", "turn_dense"),
    "words": (
        "words", "turn_words", "coverage",
        "related", "related_best", "related_two", "related_first", "related_last", "turn_related",
    ),
    "speaker": ("speaker", "mentions", "one_named", "first_person", "second_person"),
    "time": ("time", "tells_time"),
    "kind of question": ("asks_", "number", "proper_name"),
    "form": ("question", "filler", "length", "turn_length", "opens_turn"),
    "neighbours": tuple(_BESIDE),
    "second look": ("odds", *(f"{name}_odds" for name in _BESIDE)),
}  # fmt: skip


def with_neighbours(candidates: Sequence[Candidate], own: Features, *, without: str | None = None) -> Features:
    """Return the features of the first look, neighbours' included; those of the part `without` are 0. KeyError if unknown."""
    own = _switched_off(own, without)
    return own | _switched_off(_by_strength(candidates, own), without)


def with_odds(
    candidates: Sequence[Candidate], features: Features, odds: Scores, *, without: str | None = None
) -> Features:
    """Return the features of the second look: those of the first, and how candidates compare by the log-odds that it gave them."""
    return features | _switched_off(_by_odds(candidates, odds), without)


def _switched_off(features: Features, part: str | None) -> Features:
    if part is None:
        return features
    return {name: values * 0 if name.startswith(PARTS[part]) else values for name, values in features.items()}


def _by_strength(candidates: Sequence[Candidate], own: Features) -> Features:
    strength = own["dense"] + own["turn_words"] + own["related"] + own["coverage"] / 2
    turns = _Turns(candidates, strength)
    floor = float(strength.min())
    return {
        "strength": strength,
        "turn_strength": turns.beside(0, floor),
    } | {name: turns.beside(step, floor) for name, step in _BESIDE.items()}


def _by_odds(candidates: Sequence[Candidate], odds: Scores) -> Features:
    """How a passage compares with the best one, with its turn's, its session's and all others', and with its neighbours."""
    turns = _Turns(candidates, odds)
    of_session, in_all = turns.mass()
    best = float(odds.max())
    return {
        "odds": odds,
        "odds_behind": best - odds,
        "odds_of_turn": turns.beside(0, _NO_ODDS) - odds,
        "odds_of_session": of_session,
        "odds_in_all": np.full(len(odds), in_all),
        "odds_best": np.full(len(odds), best),
        "odds_rank": np.argsort(np.argsort(-odds, kind="stable"), kind="stable").astype(np.float64),
    } | {f"{name}_odds": turns.beside(step, _NO_ODDS) for name, step in _BESIDE.items()}


class _Turns:
    """The turns of candidates by their place, session and position, each as good as its best passage."""

    def __init__(self, candidates: Sequence[Candidate], values: Scores) -> None:
        self._places = [(candidate.turn.session_pk, candidate.turn.position) for candidate in candidates]
        self._best: dict[tuple[int, int], float] = {}
        for place, value in zip(self._places, values.tolist(), strict=True):
            self._best[place] = max(self._best.get(place, -np.inf), value)

    def beside(self, step: int, absent: float) -> Scores:
        """Return the value of the turn `step` turns on, for each candidate; `absent` where it is no candidate."""
        best = self._best
        return np.array([best.get((session, position + step), absent) for session, position in self._places])

    def mass(self) -> tuple[Scores, float]:
        """Add up the turns' probabilities, their values being log-odds: of the other turns of the session, and of all."""
        probability = {place: 1 / (1 + math.exp(-value)) for place, value in self._best.items()}
        of_session: dict[int, float] = defaultdict(float)
        for (session, _), value in probability.items():
            of_session[session] += value
        others = np.array([of_session[place[0]] - probability[place] for place in self._places])
        return others, sum(probability.values())
