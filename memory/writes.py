"""Writes: those that somebody waits for go before the indexer's work, and those of a bulk wait until the index is not too far
behind.

Each crosses to a thread of the store once. Knows nothing of what is written.
"""

from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread

from memory.errors import IndexBehind
from memory.index.indexer import Indexer
from memory.model import ScopeId

__all__ = ["Writes", "and_then"]

T = TypeVar("T")


class Writes:
    """Writes in the threads of the store, which wake the indexer once they are done."""

    def __init__(self, indexer: Indexer, threads: anyio.CapacityLimiter, *, index_timeout_s: float) -> None:
        self._indexer = indexer
        self._threads = threads
        self._index_timeout_s = index_timeout_s

    async def live(self, write: Callable[..., T], *args: object) -> T:
        """Write for a caller that waits, before the index goes on. Raises IndexBehind, and as `write` does."""
        with self._indexer.precedence.live():
            try:
                written = await anyio.to_thread.run_sync(write, *args, limiter=self._threads)
            except IndexBehind as behind:
                raise self._estimated(behind) from None
        self._indexer.wake()
        return written

    async def once_there_is_room(self, write: Callable[[], T]) -> T:
        """Write as soon as the index is not too far behind. Raises IndexBehind if it does not go on, and as `write` does."""
        while True:
            try:
                written = await anyio.to_thread.run_sync(write, limiter=self._threads)
            except IndexBehind as behind:
                self._indexer.wake()
                scope = ScopeId(behind.scope_id)
                if not await self._indexer.until_room(scope, behind.limit, timeout_s=self._index_timeout_s):
                    raise self._estimated(behind) from None
            else:
                self._indexer.wake()
                return written

    def _estimated(self, behind: IndexBehind) -> IndexBehind:
        """Return when there is room: once a tenth of what may wait has sunk below the limit, so that more than one turn fits."""
        above = behind.waiting - behind.limit + behind.limit // 10 + 1
        return IndexBehind(
            scope_id=behind.scope_id,
            waiting=behind.waiting,
            limit=behind.limit,
            retry_after_s=self._indexer.seconds_for(above),
        )


def and_then(work: Callable[..., T], then: Callable[[T], None] | None) -> Callable[..., T]:
    """Return `work`, followed by `then` in the thread that does it."""
    if then is None:
        return work

    def both(*args: object) -> T:
        done = work(*args)
        then(done)
        return done

    return both
