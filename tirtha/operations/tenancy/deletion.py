"""Deletion of a tenant: all that it has is forgotten, its name is free again, and no step can be lost to a crash.

First the tenant has no callers any more, and its memory takes no turns; that is noted, so that whatever comes between, the rest is
done by the next start or within the hour (`housekeeping`).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cascade import Ledger
from compaction import forget_rows
from memory.api import Memory
from tirtha.audit.log import AuditLog
from tirtha.caller import OPERATORS_TENANT, Caller
from tirtha.operations.tenancy.administration import require_operator
from tirtha.operations.under_way import UnderWay
from tirtha.tenants.errors import TenantKept
from tirtha.tenants.registry import Tenants

__all__ = ["DeleteTenant", "DeletedTenant", "ForgetTenant"]

_DECISIONS_AT_ONCE = 200

ForgetTenant = Callable[
    [str], Awaitable[None]
]  # removes what a package keeps of a tenant of this name; may be called again


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedTenant:
    """How much a deletion removed: turns, and decisions."""

    turns: int
    decisions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteTenant:
    """Delete a tenant for good. Raises StoreUnavailable and LedgerUnavailable; then the rest is done later.

    `also` are what other packages keep of tenants, such as their keys; they go first.
    """

    tenants: Tenants
    memory: Memory
    ledger: Ledger
    under_way: UnderWay
    audit: AuditLog
    also: Sequence[ForgetTenant] = ()

    async def __call__(self, caller: Caller, name: str, *, confirm: str) -> DeletedTenant:
        """Delete the tenant whose name is given twice. Raises Forbidden, TenantKept and UnknownTenant."""
        require_operator(caller)
        if name == OPERATORS_TENANT:
            raise TenantKept(name, "it is the one that every installation has")
        if confirm != name:
            raise TenantKept(name, "confirm must be its name, since everything of it is forgotten for good")
        await self.tenants.begin_deleting(name)
        deleted = await self.finish(name)
        await self.audit.record(caller, what="tenant.deleted", count=deleted.turns)
        return deleted

    async def finish(self, name: str) -> DeletedTenant:
        """Do all that is left of a deletion that began."""
        await self.memory.tenants.close(name)
        for forget in self.also:
            await forget(name)
        turns = 0
        for _, scope in await self.memory.tenants.scopes(name):
            forgotten = await self.memory.forget(scope)
            turns += len(forgotten.pks) if forgotten else 0
        decisions = await self._forget_decisions(name)
        await self.memory.tenants.unname(name)
        forget_rows()
        await self.memory.wipe()
        await self.tenants.remove(name)
        return DeletedTenant(turns=turns, decisions=decisions)

    async def _forget_decisions(self, name: str) -> int:
        """Remove the records of a tenant; what is under way is recorded without a word."""
        async with self.under_way.recording:
            self.under_way.note_tenant(name)
        removed, end = 0, datetime.now(UTC) + timedelta(days=1)
        while batch := await self.ledger.expire(tenant=name, before=end, limit=_DECISIONS_AT_ONCE):
            removed += batch
        return removed
