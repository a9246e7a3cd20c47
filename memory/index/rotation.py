"""Whose waiting turns are indexed next: the scopes take turns, so that no user waits behind another's import.

Each batch is shared by the scopes that wait, from after the one that was served last (round robin); within a scope the oldest
turn comes first. A batch is small, so that a turn that arrives now is in the next one or the one after it. Knows nothing of
vectors or of the index.
"""

from collections.abc import Sequence
from itertools import accumulate

from memory.model import ScopeId, Turn
from memory.storage.store import TurnStore

__all__ = ["BATCH_TURNS", "Rotation"]

# Enough to sort by length: of what is encoded 7% (sample history) or 9% (LoCoMo) is padding; with 128 turns 12% and 15%.
BATCH_TURNS = 256
_BATCH_CHARS = 40_000  # about two seconds of encoding on two cores
_BATCH_SCOPES = 16  # each costs a look at the index for echoes
_BEFORE_ALL = ScopeId(-1)


class Rotation:
    """The order in which the scopes of `store` are served; used by one thread."""

    def __init__(self, store: TurnStore) -> None:
        self._store = store
        self._served = _BEFORE_ALL

    def next_batch(self, most_turns: int = BATCH_TURNS) -> dict[ScopeId, list[Turn]]:
        """Read the next waiting turns, at most so many, each scope's oldest first; empty if none waits.

        A scope that needs less than its share leaves the rest to those after it. A batch that several scopes share is half as
        large, since one of them may be a live user. A single turn that is longer than a batch is a batch of its own.
        """
        scopes = self._next_scopes()
        batch: dict[ScopeId, list[Turn]] = {}
        turns_left, chars_left = most_turns if len(scopes) == 1 else most_turns // 2, _BATCH_CHARS
        for number, scope in enumerate(scopes):
            sharing = len(scopes) - number
            waiting = self._store.oldest_waiting(scope, max(turns_left // sharing, 1))
            if batch and waiting and len(waiting[0].text) > chars_left:
                break  # it is the first of the next batch
            fitting = _fitting(waiting, max(chars_left // sharing, 1))
            self._served = scope
            if fitting:
                batch[scope] = fitting
            turns_left -= len(fitting)
            chars_left -= sum(len(turn.text) for turn in fitting)
            if turns_left <= 0 or chars_left <= 0:
                break
        return batch

    def _next_scopes(self) -> list[ScopeId]:
        after = self._store.waiting_scopes(after=self._served, limit=_BATCH_SCOPES)
        if len(after) == _BATCH_SCOPES:
            return after
        again = self._store.waiting_scopes(after=_BEFORE_ALL, limit=_BATCH_SCOPES - len(after))
        return list(dict.fromkeys([*after, *again]))


def _fitting(turns: Sequence[Turn], chars: int) -> list[Turn]:
    """Return the first turns whose texts together have at most `chars` characters; the first one in any case."""
    ends = accumulate(len(turn.text) for turn in turns)
    return [turn for number, (turn, end) in enumerate(zip(turns, ends, strict=True)) if not number or end <= chars]
