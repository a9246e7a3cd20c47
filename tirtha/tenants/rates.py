"""Rates: what a tenant, and each of its users, may do in a minute, counted in sliding windows in the memory of this process.

A window is weighted as in Cloudflare's counter: the minute before counts for as much of it as still lies within the last sixty
seconds. So nothing is kept of single requests, whatever their number. Knows no requests, turns or tokens: a kind is a word.
"""

from math import ceil

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from tirtha.tenants.errors import AboveRate, Of, RateLimited

__all__ = ["Rates"]

_MINUTE_S = 60


class Rates:
    """Counters by kind, tenant and user. `window_s` is a minute, but for tests that cannot wait for one."""

    def __init__(self, *, window_s: int = _MINUTE_S) -> None:
        self._window_s = window_s
        self._storage = MemoryStorage()
        self._limiter = SlidingWindowCounterRateLimiter(self._storage)

    async def take(self, kind: str, limit: int | None, tenant: str, user: str | None = None, *, cost: int = 1) -> None:
        """Count what a request takes against a limit.

        Args:
            kind: what is limited, such as requests or tokens.
            limit: how many a minute; None for no limit.
            tenant: whose limit it is,
            user: or which user's of the tenant.
            cost: how many the request takes.

        Raises:
            RateLimited: there is no room for them now; nothing is counted.
            AboveRate: a whole minute has no room for them; nothing is counted.
        """
        if limit is None or not cost:
            return
        of: Of = "tenant" if user is None else "user"
        if cost > limit:
            raise AboveRate(what=kind, size=cost, limit=limit, of=of)
        item, names = self._item(kind, limit), _names(tenant, user)
        if not await self._limiter.hit(item, *names, cost=cost):
            raise RateLimited(what=kind, limit=limit, of=of, retry_after_s=await self._room_in_s(item, names, cost))

    async def check(self, kind: str, limit: int | None, tenant: str, user: str | None = None) -> None:
        """Raise RateLimited if nothing more of a kind may be taken now. Counts nothing; the arguments are those of `take`."""
        if limit is None:
            return
        item, names = self._item(kind, limit), _names(tenant, user)
        if not await self._limiter.test(item, *names, cost=1):
            of: Of = "tenant" if user is None else "user"
            raise RateLimited(what=kind, limit=limit, of=of, retry_after_s=await self._room_in_s(item, names, 1))

    async def charge(self, kind: str, limit: int | None, tenant: str, user: str | None = None, *, cost: int) -> None:
        """Count what was used already: as much of it as the window still holds, for it cannot be refused any more.

        The arguments are those of `take`.
        """
        if limit is None:
            return
        item, names = self._item(kind, limit), _names(tenant, user)
        _, remaining = await self._limiter.get_window_stats(item, *names)
        if took := min(cost, remaining):
            await self._limiter.hit(item, *names, cost=took)

    def _item(self, kind: str, limit: int) -> RateLimitItemPerSecond:
        return RateLimitItemPerSecond(limit, self._window_s, namespace=kind)

    async def _room_in_s(self, item: RateLimitItemPerSecond, names: tuple[str, ...], cost: int) -> int:
        """Compute in how many seconds the window will have room for `cost`, if nothing else is counted meanwhile."""
        window = item.get_expiry()
        before, before_left_s, now, expires_s = await self._storage.get_sliding_window(item.key_for(*names), window)
        room = item.amount - cost
        if now <= room:  # the minute before still weighs too much
            wait_s = before_left_s - window * (room - now) / max(before, 1)
        else:  # this minute has to become the minute before, and to fade
            wait_s = expires_s - window + window * (1 - room / now)
        return max(1, ceil(wait_s))


def _names(tenant: str, user: str | None) -> tuple[str, ...]:
    return (tenant,) if user is None else (tenant, user)
