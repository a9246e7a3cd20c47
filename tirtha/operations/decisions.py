"""Decisions: how earlier questions were answered, and what all of them add up to."""

from dataclasses import dataclass

from cascade import Decision, Ledger
from cascade.storage.ledger import Stats
from tirtha.caller import Caller

__all__ = ["ReadDecision", "ReadStats"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDecision:
    """Read a decision back. Raises UnknownDecision and LedgerUnavailable."""

    ledger: Ledger

    async def __call__(self, caller: Caller, decision_id: str) -> Decision:
        """Return a decision of the caller's tenant, and of the user that the caller is bound to."""
        caller.require("read")
        return await self.ledger.read(decision_id, tenant=caller.tenant, user_id=caller.user_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStats:
    """Add up the decisions. Raises LedgerUnavailable."""

    ledger: Ledger

    async def __call__(self, caller: Caller) -> Stats:
        """Return where the tenant's requests ended, what they cost, and how long they took."""
        caller.require("read")
        caller.require_whole_tenant()
        return await self.ledger.stats(tenant=caller.tenant)
