"""The memory of tenants as a whole: how much each has, what of it is too old, and its end. `Memory.tenants` is one.

As `memory.api` does, each method crosses to a thread once. What is removed here leaves the files by `Memory.wipe`.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import anyio
import anyio.to_thread

from memory.model import Scope, ScopeId
from memory.storage.forgetting import Forgotten
from memory.storage.tenancy import ExpiredTurns, TenantStore

__all__ = ["ExpiredTurns", "TenantMemory"]

_AT_ONCE = 2  # of what is done beside the requests


class TenantMemory:
    """Tenants by name. Every method raises StoreUnavailable. `wake` signals to the indexer that there is something to forget."""

    def __init__(self, store: TenantStore, *, wake: Callable[[], None]) -> None:
        self._store = store
        self._wake = wake
        self._threads = anyio.CapacityLimiter(_AT_ONCE)

    async def turns(self, tenants: Sequence[str]) -> dict[str, int]:
        """Return how many turns each of these tenants has; those that never had one are absent."""
        return await anyio.to_thread.run_sync(self._store.turns, tenants, limiter=self._threads)

    async def close(self, tenant: str) -> None:
        """Let a tenant take no turns any more; what is being stored then is stored, or refused, as a whole."""
        await self._set_closed(tenant, closed=True)

    async def reopen(self, tenant: str) -> None:
        """Let a tenant take turns again."""
        await self._set_closed(tenant, closed=False)

    async def scopes(self, tenant: str, *, remembered_before: datetime | None = None) -> list[tuple[ScopeId, Scope]]:
        """Return every scope of a tenant, with its key; or those that hold turns which were remembered before a moment."""
        return await anyio.to_thread.run_sync(self._store.scopes, tenant, remembered_before, limiter=self._threads)

    async def expired(self, scope: tuple[ScopeId, Scope], before: datetime, *, limit: int) -> ExpiredTurns | None:
        """Return up to `limit` of the turns of a scope that were remembered before a moment; None if there is none."""
        return await anyio.to_thread.run_sync(self._store.expired, scope, before, limit, limiter=self._threads)

    async def forget(self, expired: ExpiredTurns) -> Forgotten:
        """Remove turns that have expired, in one transaction."""
        forgotten = await anyio.to_thread.run_sync(self._store.forget, expired, limiter=self._threads)
        self._wake()
        return forgotten

    async def unname(self, tenant: str) -> None:
        """Replace the names of a tenant's users and agents by numbers, once all that was remembered of them is forgotten."""
        await anyio.to_thread.run_sync(self._store.unname, tenant, limiter=self._threads)

    async def _set_closed(self, tenant: str, *, closed: bool) -> None:
        def work() -> None:
            self._store.set_closed(tenant, datetime.now(UTC), closed=closed)

        await anyio.to_thread.run_sync(work, limiter=self._threads)
