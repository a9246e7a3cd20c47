"""Features of the turns beside a passage: how well its own turn matches at best, and those before and after.

A question and its answer are neighbouring turns, and people spread a thought over several messages, which does not show in the
passage itself. Pure functions over the features of `memory.recall.features`.
"""

from collections.abc import Mapping

import numpy as np

from memory.recall.features import Features, Found, Scores

__all__ = ["PARTS", "with_neighbours"]

_BESIDE = {"previous": -1, "next": 1, "before_previous": -2, "after_next": 2}

PARTS: Mapping[str, tuple[str, ...]] = {
    "meaning": ("dense", "dense_pieces", "turn_dense"),
    "words": ("bm25", "bm25_unread", "coverage", "turn_coverage", "inflected", "related", "related_two"),
    "speaker": ("speaker", "mentions", "of_themselves"),
    "time": ("time", "tells_time"),
    "kind of question": ("number", "proper_name"),
    "form": ("question", "filler", "length"),
    "neighbours": ("turn_fusion", "answers", *_BESIDE),
}


def with_neighbours(found: Found, own: Features) -> Features:
    """Return the features of candidates with those of the turns beside: by `fusion`, above the weakest candidate's.

    A turn beside lifts a candidate to its own match at most. So the turn that matches best is never behind the one next to it for
    these, however much they weigh: it has the most of every feature here.
    """
    above = own["fusion"] - own["fusion"].min()
    best: dict[tuple[int, int], float] = {}
    asking: dict[tuple[int, int], float] = {}
    places = [(candidate.turn.session_pk, candidate.turn.position) for candidate in found.candidates]
    for place, value, asks in zip(places, above.tolist(), own["question"].tolist(), strict=True):
        best[place] = max(best.get(place, 0.0), value)
        if asks:
            asking[place] = max(asking.get(place, 0.0), value)
    turn_fusion = np.array([best[place] for place in places])

    def lifted(matches: Mapping[tuple[int, int], float], step: int) -> Scores:
        """Return the better match of the turn and the one `step` turns on, as far as the encoder reads the language."""
        beside = np.array([matches.get((session, position + step), 0.0) for session, position in places])
        better: Scores = np.maximum(beside - turn_fusion, 0)
        return turn_fusion + found.familiarity * better

    around = {name: lifted(best, step) for name, step in _BESIDE.items()}
    return own | {"turn_fusion": turn_fusion, "answers": lifted(asking, -1)} | around
