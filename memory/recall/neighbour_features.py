"""Features of the turn before a passage's: how well it matches, where it matches better than the passage's own.

A question and its answer are neighbouring turns, and people spread a thought over several messages, which does not show in the
passage itself. Pure functions over the features of `memory.recall.features`.
"""

from collections.abc import Mapping

import numpy as np

from memory.recall.features import Features, Found, Scores

__all__ = ["PARTS", "with_neighbours"]

# What is weighed beside `fusion`. Other features are there for answerability, and for people to look at.
PARTS: Mapping[str, tuple[str, ...]] = {
    "meaning": ("dense_pieces", "turn_dense"),
    "words": ("inflected",),
    "speaker": ("speaker", "mentions", "of_themselves"),
    "time": ("time",),
    "kind of question": ("tells_time", "number", "proper_name"),
    "form": ("question", "filler", "length"),
    "neighbours": ("answers", "previous"),
}


def with_neighbours(found: Found, own: Features) -> Features:
    """Return the features of candidates with those of the turn before: by `fusion`, above the weakest candidate's.

    `previous` is the best match of the own turn, or of the turn before if that is better; `answers` is the same where the turn
    before asks. So the turn that matches best has the most of both, and is never behind the one next to it for these.
    """
    above = own["fusion"] - own["fusion"].min()
    best: dict[tuple[int, int], float] = {}
    asking: dict[tuple[int, int], float] = {}
    places = [(candidate.turn.session_pk, candidate.turn.position) for candidate in found.candidates]
    for place, value, asks in zip(places, above.tolist(), own["question"].tolist(), strict=True):
        best[place] = max(best.get(place, 0.0), value)
        if asks:
            asking[place] = max(asking.get(place, 0.0), value)
    own_turn = np.array([best[place] for place in places])

    def lifted(matches: Mapping[tuple[int, int], float]) -> Scores:
        """Return the better match of the turn and the one before, as far as the encoder reads the language."""
        before = np.array([matches.get((session, position - 1), 0.0) for session, position in places])
        better: Scores = np.maximum(before - own_turn, 0)
        return own_turn + found.familiarity * better

    return own | {"answers": lifted(asking), "previous": lifted(best)}
