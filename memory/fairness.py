"""Whose question is next: tenants that wait take turns, so that many questions of one delay another's by one or two.

Within a tenant the first to come is the first to go. Each tenant's own queue is bounded. Knows nothing of questions or threads.
"""

from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import ceil
from time import perf_counter

import anyio

from memory.errors import TooManyQuestions

__all__ = ["FairQueue"]

_FIRST_PACE_S = 0.1  # of a question, until one was timed
_NEWEST_SHARE = 0.2  # of the last question in the pace


class FairQueue:
    """Places for `slots` at a time, given round-robin to the tenants that wait; of each at most `most_waiting` may wait.

    To be used from one event loop.
    """

    def __init__(self, *, slots: int, most_waiting: int) -> None:
        self._slots = slots
        self._free = slots
        self._most_waiting = most_waiting
        self._waiting: OrderedDict[str, deque[anyio.Event]] = OrderedDict()  # the tenant that is next comes first
        self._pace_s = _FIRST_PACE_S

    @property
    def waiting(self) -> int:
        """How many wait, of all tenants."""
        return sum(map(len, self._waiting.values()))

    @asynccontextmanager
    async def turn(self, tenant: str) -> AsyncIterator[None]:
        """Wait for a place and hold it as long as the block runs. Raises TooManyQuestions if the tenant's queue is full."""
        await self._arrive(tenant)
        began_s = perf_counter()
        try:
            yield
        finally:
            self._pace_s += _NEWEST_SHARE * (perf_counter() - began_s - self._pace_s)
            self._pass_on()

    async def _arrive(self, tenant: str) -> None:
        if self._free:  # then no task waits
            self._free -= 1
            return
        ahead = len(self._waiting.get(tenant, ()))
        if ahead >= self._most_waiting:
            raise TooManyQuestions(waiting=ahead, limit=self._most_waiting, retry_after_s=self._seconds_for(ahead))
        called = anyio.Event()
        self._waiting.setdefault(tenant, deque()).append(called)
        arrived = False
        try:
            await called.wait()
            arrived = True
        finally:
            if not arrived:
                self._give_up(tenant, called)

    def _give_up(self, tenant: str, called: anyio.Event) -> None:
        """Leave the queue; a place that was given in the same moment goes to the next."""
        if called.is_set():
            self._pass_on()
            return
        self._waiting[tenant].remove(called)
        if not self._waiting[tenant]:
            del self._waiting[tenant]

    def _pass_on(self) -> None:
        """Hand a place to the tenant that is next, which then comes after all others."""
        if not self._waiting:
            self._free += 1
            return
        tenant, queue = self._waiting.popitem(last=False)
        queue.popleft().set()
        if queue:
            self._waiting[tenant] = queue

    def _seconds_for(self, ahead: int) -> int:
        """Estimate when half of a tenant's queue is done, at the pace of late and shared with those that wait as well."""
        return max(1, ceil(ahead / 2 * len(self._waiting) * self._pace_s / self._slots))
