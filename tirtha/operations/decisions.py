"""Decisions: how earlier questions were answered, one by one or a page of them, and what all of them add up to."""

from dataclasses import dataclass
from datetime import datetime

from cascade import Decision, Ledger
from cascade.decision import Path
from cascade.storage.ledger import Stats
from cascade.storage.listing import DecisionCursor, DecisionFilter, ListedDecision
from tirtha.caller import Caller
from tirtha.operations.listing import Page, page_of

__all__ = ["DecisionsRequest", "ListDecisions", "ReadDecision", "ReadStats"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionsRequest:
    """Up to `limit` decisions from after the place `after`: of a user or of all, on a path, from `since` to before `until`."""

    user_id: str | None = None
    agent_id: str | None = None
    path: Path | None = None
    abstained: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 100
    after: DecisionCursor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDecisions:
    """List decisions. Raises LedgerUnavailable."""

    ledger: Ledger

    async def __call__(self, caller: Caller, request: DecisionsRequest) -> Page[ListedDecision, DecisionCursor]:
        """Return the decisions of the caller's tenant, newest first, without those that a forgetting has emptied.

        Of a caller that is bound to a user, those of that user. Raises OtherUser.
        """
        caller.require("read")
        chosen = DecisionFilter(
            tenant=caller.tenant,
            user_id=_user_of(caller, request.user_id),
            agent_id=request.agent_id,
            path=request.path,
            abstained=request.abstained,
            since=request.since,
            until=request.until,
        )
        found = await self.ledger.page(chosen, limit=request.limit + 1, after=request.after)
        return page_of(found, request.limit, lambda one: (one.decision.decided_at, one.decision.id))


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


def _user_of(caller: Caller, user_id: str | None) -> str | None:
    """Return whose decisions are meant; None stands for all of the tenant. Raises OtherUser."""
    return caller.user_id if user_id is None else caller.scope(user_id).user_id
