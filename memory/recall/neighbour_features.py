"""Features of the turns beside a passage: how well its own turn matches at best, and those before and after.

A question and its answer are neighbouring turns, and people spread a thought over several messages, which does not show in the
passage itself. Pure functions over the features of `memory.recall.features`.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from memory.recall.features import Candidate, Features, Scores

__all__ = ["PARTS", "with_neighbours"]

_BESIDE = {"previous": -1, "next": 1, "before_previous": -2, "after_next": 2}

PARTS: Mapping[str, tuple[str, ...]] = {
    "meaning": ("dense", "dense_pieces", "turn_dense"),
    "words": ("bm25", "bm25_unread", "coverage", "turn_coverage", "inflected", "related", "related_two"),
    "speaker": ("speaker", "mentions", "of_themselves"),
    "time": ("time", "tells_time"),
    "kind of question": ("number", "proper_name"),
    "form": ("question", "filler", "length"),
    "neighbours": ("turn_fusion", *_BESIDE),
}


def with_neighbours(candidates: Sequence[Candidate], own: Features) -> Features:
    """Return the features of candidates with those of the turns beside: by `fusion`, above the weakest candidate's."""
    above = own["fusion"] - own["fusion"].min()
    best: dict[tuple[int, int], float] = {}
    places = [(candidate.turn.session_pk, candidate.turn.position) for candidate in candidates]
    for place, value in zip(places, above.tolist(), strict=True):
        best[place] = max(best.get(place, 0.0), value)

    def beside(step: int) -> Scores:
        return np.array([best.get((session, position + step), 0.0) for session, position in places])

    return own | {"turn_fusion": beside(0)} | {name: beside(step) for name, step in _BESIDE.items()}
