"""Threads for questions: few, and tenants take turns; a scope that is not in memory is read in other threads first.

So neither many questions of one tenant nor a large scope on its way into memory holds up anybody else's question.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

import anyio
import anyio.to_thread

from memory.errors import IndexDamaged
from memory.fairness import FairQueue
from memory.index.lance import PassageIndex
from memory.model import Bounds, Recollection, Scope, Survey, Threads
from memory.recall.pipeline import Loaded, Recall, ScopeOnDisk

__all__ = ["Questions", "threads_of"]

_AT_ONCE = 2  # while one encodes or reads SQL, another may use Python
_LOADS_AT_ONCE = 4

T = TypeVar("T")


class Questions:
    """The threads in which `recall` is asked. Of each tenant at most `most_waiting` questions may wait."""

    def __init__(self, recall: Recall, index: PassageIndex, *, most_waiting: int) -> None:
        self._recall = recall
        self._index = index
        self._next = FairQueue(slots=_AT_ONCE, most_waiting=most_waiting)
        self._threads = anyio.CapacityLimiter(_AT_ONCE)
        self._loads = anyio.CapacityLimiter(_LOADS_AT_ONCE)

    async def recall(self, scope: Scope, question: str, asked_at: datetime, bounds: Bounds) -> Recollection:
        """Ask, and once more with the scope if it was not in memory; the arguments are those of `Recall.recall`.

        Raises:
            TooManyQuestions: too many questions of the tenant wait.
            StoreUnavailable: the database or the index cannot be read.
        """
        loaded: Loaded | None = None
        while True:
            try:
                return await self.in_turn(scope, self._recall.recall, scope, question, asked_at, bounds, loaded)
            except ScopeOnDisk as on_disk:
                loaded = await anyio.to_thread.run_sync(self._load, on_disk.survey, limiter=self._loads)

    async def in_turn(self, scope: Scope, ask: Callable[..., T], *args: object) -> T:
        """Ask in a thread, once it is the turn of the scope's tenant. Raises TooManyQuestions."""
        async with self._next.turn(scope.tenant):
            return await anyio.to_thread.run_sync(ask, *args, limiter=self._threads)

    def load(self) -> dict[str, Threads]:
        """Return what the threads are busy with just now, by kind."""
        return {
            "questions": replace(threads_of(self._threads), waiting=self._next.waiting),
            "loads": threads_of(self._loads),
        }

    def _load(self, survey: Survey) -> Loaded | None:
        """Read a scope into memory; nothing if the index turned out damaged, which the question then does without."""
        try:
            return survey, self._index.scope(survey.scope)
        except IndexDamaged:
            return None


def threads_of(limiter: anyio.CapacityLimiter) -> Threads:
    """Return what the threads of a limiter are busy with just now."""
    seen = limiter.statistics()
    return Threads(most=int(seen.total_tokens), working=seen.borrowed_tokens, waiting=seen.tasks_waiting)
