"""Feedback: say whether the answer of a decision was right, and list what was said, which certificates are made from."""

from dataclasses import dataclass

from cascade import Ledger
from cascade.storage.feedback import Feedback, FeedbackStore
from tirtha.caller import Caller
from tirtha.operations.listing import Page

__all__ = ["FeedbackRequest", "GiveFeedback", "ListFeedback", "ReadFeedback"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackRequest:
    """Up to `limit` judgements, from after the decision `after`."""

    limit: int = 100
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveFeedback:
    """Say whether an answer was right; the last word counts. Raises UnknownDecision and LedgerUnavailable."""

    store: FeedbackStore
    ledger: Ledger

    async def __call__(self, caller: Caller, decision_id: str, *, correct: bool) -> Feedback:
        """Return what is kept of it, with a decision of the caller's tenant, and of the user that the caller is bound to."""
        caller.require("write")
        if caller.user_id is not None:
            await self.ledger.read(decision_id, tenant=caller.tenant, user_id=caller.user_id)
        return await self.store.give(decision_id, correct=correct, tenant=caller.tenant)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFeedback:
    """Read what was said of a decision. Raises LedgerUnavailable."""

    store: FeedbackStore

    async def __call__(self, caller: Caller, decision_id: str) -> Feedback | None:
        """Return the judgement of a decision of the caller's tenant; None if it has none."""
        caller.require("read")
        return await self.store.of(decision_id, tenant=caller.tenant)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFeedback:
    """List all judgements. Raises LedgerUnavailable."""

    store: FeedbackStore

    async def __call__(self, caller: Caller, request: FeedbackRequest) -> Page[Feedback, str]:
        """Return a page of the tenant's judgements, by the decisions' ids."""
        caller.require("read")
        caller.require_whole_tenant()
        found = await self.store.listed(tenant=caller.tenant, after=request.after, limit=request.limit + 1)
        items = found[: request.limit]
        return Page(items=items, end=items[-1].decision_id if len(found) > len(items) else None)
