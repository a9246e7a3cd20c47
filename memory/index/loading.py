"""One scope on its way into memory: what is added to it or removed from it meanwhile, and who else waits for it.

Rows are read without a lock, so that a large scope delays no other question. What the index changed since the reading began is made
good when the rows are there. Knows nothing of files.
"""

from collections.abc import Sequence
from concurrent.futures import Future

from memory.index.scope_cache import CachedScope
from memory.model import EncodedPassage

__all__ = ["Loading"]


class Loading:
    """A scope that one question reads. `done` is what the others wait for; the rest is called when the index changes."""

    def __init__(self) -> None:
        self.done: Future[CachedScope] = Future()
        self._added: list[tuple[Sequence[EncodedPassage], Sequence[Sequence[str]]]]
        self._removed: bool
        self.begin()

    def begin(self) -> None:
        """Forget what was noted: the rows are about to be read."""
        self._added = []
        self._removed = False

    def add(self, passages: Sequence[EncodedPassage], terms: Sequence[Sequence[str]]) -> None:
        """Note passages that the index has just added to the scope, all at once, and the terms of each."""
        self._added.append((passages, terms))

    def remove(self) -> None:
        """Note that something has just been removed from the scope."""
        self._removed = True

    def catch_up(self, held: CachedScope) -> bool:
        """Append what was added since, unless `held` was read after that; False if only reading anew would do."""
        if self._removed:
            return False
        for passages, terms in self._added:
            if held.holds(
                passages[0].turn_pk
            ):  # they came before the rows were read: all of them, for they came at once
                continue
            if not held.precedes(passages):
                return False
            held.append(passages, terms)
        return True
