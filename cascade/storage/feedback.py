"""Feedback: whether the answer of a decision was right, as somebody who knows has said; one judgement a decision, the last.

Only decisions that still hold their words can be judged. It holds no word itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import anyio
from sqlalchemy import and_, delete, insert, select

from cascade.errors import UnknownDecision
from cascade.storage.schema import DECISION, FEEDBACK
from cascade.storage.transactions import Database, Transactions

__all__ = ["Feedback", "FeedbackStore"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """Whether the answer of a decision is `correct`, and when that was said."""

    decision_id: str
    correct: bool
    given_at: datetime


class FeedbackStore:
    """The feedback in a database that is handed in. Every method raises LedgerUnavailable for an outage."""

    def __init__(self, database: Database) -> None:
        self._database = Transactions(database)
        self._threads = anyio.CapacityLimiter(2)

    async def give(self, decision_id: str, *, correct: bool, tenant: str) -> Feedback:
        """Keep a judgement in place of an earlier one; durable on return. Raises UnknownDecision."""
        given = Feedback(decision_id=decision_id, correct=correct, given_at=datetime.now(UTC))
        await anyio.to_thread.run_sync(self._replace, given, tenant, limiter=self._threads)
        return given

    async def of(self, decision_id: str, *, tenant: str) -> Feedback | None:
        """Return what was said of a decision of `tenant`."""
        found = await anyio.to_thread.run_sync(self._select, tenant, decision_id, None, 1, limiter=self._threads)
        return found[0] if found else None

    async def listed(self, *, tenant: str, after: str | None, limit: int) -> Sequence[Feedback]:
        """Return up to `limit` judgements of `tenant` by the decisions' ids, from after the id `after`."""
        return await anyio.to_thread.run_sync(self._select, tenant, None, after, limit, limiter=self._threads)

    def _replace(self, given: Feedback, tenant: str) -> None:
        own = and_(DECISION.c.id == given.decision_id, DECISION.c.tenant_id == tenant)
        row = {
            "decision_id": given.decision_id,
            "tenant_id": tenant,
            "correct": given.correct,
            "given_at": given.given_at,
        }
        with self._database.writing() as connection:
            if not connection.execute(select(DECISION.c.record).where(own).with_for_update()).scalar():
                raise UnknownDecision(decision_id=given.decision_id)
            connection.execute(delete(FEEDBACK).where(FEEDBACK.c.decision_id == given.decision_id))
            connection.execute(insert(FEEDBACK), row)

    def _select(self, tenant: str, decision_id: str | None, after: str | None, limit: int) -> list[Feedback]:
        table = FEEDBACK.c
        query = select(table.decision_id, table.correct, table.given_at).where(table.tenant_id == tenant)
        if decision_id is not None:
            query = query.where(table.decision_id == decision_id)
        if after is not None:
            query = query.where(table.decision_id > after)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(table.decision_id).limit(limit))
            return [Feedback(decision_id=row.decision_id, correct=row.correct, given_at=row.given_at) for row in rows]
