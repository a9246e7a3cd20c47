"""Housekeeping: at the start and every hour, what tenants keep for longer than they should is forgotten; deletions are ended.

A turn's age counts from when it was remembered, not from when it was said: an import of old conversations is not old. Turns leave
by small batches, each as a user's own forgetting would take them: rows, vectors, decisions that rest on them, answers, files.
A crash between two steps leaves turns that the next round finds again.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import anyio

from cascade import Ledger
from cascade.errors import CascadeFault
from compaction import forget_rows
from memory.api import Memory
from memory.errors import MemoryFault
from memory.tenants import ExpiredTurns
from tirtha.operations.answering import owner_of
from tirtha.operations.tenancy.deletion import DeleteTenant
from tirtha.operations.under_way import UnderWay
from tirtha.tenants.model import Terms
from tirtha.tenants.registry import Tenants

__all__ = ["Expire", "Housekeeping", "Removed"]

log = logging.getLogger(__name__)

_EVERY_S = 3_600.0
_TURNS_AT_ONCE = 50
_ROWS_AT_ONCE = 200
_PAGE = 100
_REST_S = 0.01  # between two batches, for others that write

# Removes rows of a tenant that are older than a moment, some at a time, and returns how many; called until it returns 0.
Expire = Callable[[str, datetime, int], Awaitable[int]]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What a round removed."""

    turns: int = 0
    decisions: int = 0
    audit: int = 0
    tenants: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Housekeeping:
    """The rounds. `audit` removes old rows of the audit log, where there is one; `now` returns the time."""

    tenants: Tenants
    memory: Memory
    ledger: Ledger
    under_way: UnderWay
    delete: DeleteTenant
    audit: Expire | None = None
    now: Callable[[], datetime] = _now

    async def run(self) -> None:
        """Make a round now and every hour. What fails is logged, and tried again in the next round."""
        while True:
            try:
                removed = await self.round()
            except (MemoryFault, CascadeFault) as fault:
                log.warning("what tenants keep for too long is not removed yet: %s", fault)
            else:
                if removed != Removed():
                    log.info(
                        "removed by retention: %d turns, %d decisions, %d rows of the audit log; tenants deleted: %d",
                        removed.turns, removed.decisions, removed.audit, removed.tenants,
                    )  # fmt: skip
            await anyio.sleep(_EVERY_S)

    async def round(self) -> Removed:
        """End the deletions that began, then remove what is too old. Raises StoreUnavailable and LedgerUnavailable."""
        removed = Removed()
        for name in await self.tenants.being_deleted():
            await self.delete.finish(name)
            removed = replace(removed, tenants=removed.tenants + 1)
        after: str | None = None
        while page := await self.tenants.page(limit=_PAGE, after=after):
            for tenant in page:
                removed = await self._expire(tenant.name, await self.tenants.terms(tenant.name), removed)
            after = page[-1].name
        if removed.turns or removed.decisions:
            forget_rows()
            await self.memory.wipe()
        return removed

    async def _expire(self, name: str, terms: Terms, removed: Removed) -> Removed:
        turns = await self._expire_turns(name, terms.turns_days) if terms.turns_days else 0
        decisions = await self._expire_rows(self._expire_decisions, name, terms.decisions_days)
        audit = await self._expire_rows(self.audit, name, terms.audit_days) if self.audit else 0
        return replace(
            removed,
            turns=removed.turns + turns,
            decisions=removed.decisions + decisions,
            audit=removed.audit + audit,
        )

    async def _expire_turns(self, name: str, days: int) -> int:
        before, removed = self.now() - timedelta(days=days), 0
        for scope in await self.memory.tenants.scopes(name, remembered_before=before):
            while expired := await self.memory.tenants.expired(scope, before, limit=_TURNS_AT_ONCE):
                await self._forget(expired)
                removed += len(expired.pks)
                await anyio.sleep(_REST_S)
        return removed

    async def _forget(self, expired: ExpiredTurns) -> None:
        """Forget a batch of turns, first in decisions: a crash before the turns are gone has the whole done again.

        No decision is recorded meanwhile, and readings of these turns that are under way are notified at the end.
        """
        owner = owner_of(expired.scope)
        async with self.under_way.recording:
            await self.ledger.forget(owner, expired.names)
            await self.memory.tenants.forget(expired)
            for session_id, turn_id in expired.names:
                self.under_way.note(owner, session_id=session_id, turn_id=turn_id)

    async def _expire_decisions(self, tenant: str, before: datetime, limit: int) -> int:
        return await self.ledger.expire(tenant=tenant, before=before, limit=limit)

    async def _expire_rows(self, expire: Expire, tenant: str, days: int | None) -> int:
        if days is None:
            return 0
        before, removed = self.now() - timedelta(days=days), 0
        while batch := await expire(tenant, before, _ROWS_AT_ONCE):
            removed += batch
            await anyio.sleep(_REST_S)
        return removed
