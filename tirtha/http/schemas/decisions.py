"""What callers get back of decisions as a list: the head of each, without its context, attempts and calls."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel

from cascade import dollars
from cascade.storage.listing import ListedDecision

__all__ = ["DecisionsOut", "ListedDecisionOut"]


class ListedDecisionOut(BaseModel):
    """A decision of a list; `GET /v1/decisions/{decision_id}` has all of it. A program written for no user has no `user_id`."""

    decision_id: str
    decided_at: datetime
    user_id: str | None
    agent_id: str | None
    question: str
    answer: str
    path: str
    tier: str | None
    model: str | None
    abstained: bool
    verified: bool
    cached: bool
    reason: str
    cost_usd: str
    latency_ms: int

    @classmethod
    def of(cls, listed: ListedDecision) -> Self:
        """Report the head of a decision."""
        decision = listed.decision
        return cls(
            decision_id=decision.id,
            decided_at=decision.decided_at,
            user_id=listed.user_id,
            agent_id=listed.agent_id,
            question=decision.brief.question,
            answer=decision.answer,
            path=decision.path,
            tier=decision.tier,
            model=decision.model,
            abstained=decision.abstained,
            verified=decision.verified,
            cached=decision.path == "cache",
            reason=decision.reason,
            cost_usd=dollars(decision.cost_nanousd),
            latency_ms=decision.latency_ms,
        )


class DecisionsOut(BaseModel):
    """200 of GET /v1/decisions; `next` is the cursor of the following page, if there is one."""

    decisions: list[ListedDecisionOut]
    next: str | None
