"""Wiping the database's own files of what was forgotten, and again later where a reader stands in the way."""

import asyncio
import logging

import anyio
import anyio.to_thread

from memory.errors import StoreUnavailable
from memory.storage.store import TurnStore

__all__ = ["Wiping"]

log = logging.getLogger(__name__)

_PAUSES_S = (2, 4, 8, 16, 30, 60, 120, 180, 180)  # ten minutes together


class Wiping:
    """What a wipe of the store's files puts off; each try works in a thread of `threads`."""

    def __init__(self, store: TurnStore, threads: anyio.CapacityLimiter) -> None:
        self._store = store
        self._threads = threads
        self._later: asyncio.Task[None] | None = None

    def put_off(self) -> None:
        """Try again after a growing pause, for ten minutes at most."""
        if not self._later:
            self._later = asyncio.create_task(self._wipe_later())

    async def close(self) -> None:
        """Do now what was put off, if nothing stands in the way any more."""
        if self._later:
            self._later.cancel()
            await asyncio.wait([self._later])
            await self._try()

    async def _wipe_later(self) -> None:
        for pause_s in _PAUSES_S:
            await asyncio.sleep(pause_s)
            if await self._try():
                break
        self._later = None

    async def _try(self) -> bool:
        try:
            return await anyio.to_thread.run_sync(self._store.wipe, limiter=self._threads)
        except StoreUnavailable as fault:
            log.warning("the database keeps copies of what was forgotten: %s", fault)
            return False
