"""How a passage stands among the other candidates: its strength, and beside how strong turns it was said.

A question and its answer are neighbouring turns, which does not show in the passage itself. Pure functions over the signals of
`memory.signals`.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from memory.signals import Candidate, Scores, Signals

__all__ = ["PARTS", "standing", "with_standing"]

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
    "neighbours": ("previous", "next", "before_previous", "after_next"),
}  # fmt: skip


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

    return {
        "strength": strength,
        "turn_strength": beside(0),
        "previous": beside(-1),
        "next": beside(1),
        "before_previous": beside(-2),
        "after_next": beside(2),
    }
