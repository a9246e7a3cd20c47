"""The ledger: one row a decision, readable by its tenant only. Appended durably before the answer is given."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import anyio
from pydantic import TypeAdapter
from sqlalchemy import Connection, DateTime, Text, insert, select
from sqlmodel import Field, SQLModel

from cascade.decision import Decision
from cascade.errors import UnknownDecision

__all__ = ["DecisionRow", "Ledger", "Transaction"]

_DECISION = TypeAdapter(Decision)


class DecisionRow(SQLModel, table=True):
    """A decision as JSON, with what it is looked up by."""

    __tablename__ = "decision"

    id: str = Field(primary_key=True, max_length=32)
    tenant_id: str = Field(max_length=128, index=True)
    user_id: str = Field(max_length=128)
    agent_id: str = Field(default="", max_length=128)
    path: str = Field(max_length=16)
    decided_at: datetime = Field(sa_type=DateTime(timezone=True))
    record: str = Field(sa_type=Text)


Transaction = Callable[[], AbstractContextManager[Connection]]


class Ledger:
    """Decision records in the table `decision`; whoever opens it gives the transactions to write and to read in."""

    def __init__(self, *, writing: Transaction, reading: Transaction) -> None:
        self._writing = writing
        self._reading = reading
        self._threads = anyio.CapacityLimiter(4)

    async def record(self, decision: Decision, *, tenant: str, user_id: str, agent_id: str | None) -> None:
        """Append a decision; durable on return. Raises what `writing` raises, and then nothing was recorded."""
        row = {
            "id": decision.id,
            "tenant_id": tenant,
            "user_id": user_id,
            "agent_id": agent_id or "",
            "path": decision.path,
            "decided_at": decision.decided_at,
            "record": _DECISION.dump_json(decision).decode(),
        }
        await anyio.to_thread.run_sync(self._insert, row, limiter=self._threads)

    async def read(self, decision_id: str, *, tenant: str) -> Decision:
        """Read a decision of `tenant`. Raises UnknownDecision."""
        record = await anyio.to_thread.run_sync(self._select, decision_id, tenant, limiter=self._threads)
        if record is None:
            raise UnknownDecision(decision_id=decision_id)
        return _DECISION.validate_json(record)

    def _insert(self, row: dict[str, Any]) -> None:
        with self._writing() as connection:
            connection.execute(insert(DecisionRow), row)

    def _select(self, decision_id: str, tenant: str) -> str | None:
        query = select(DecisionRow.record).where(DecisionRow.id == decision_id, DecisionRow.tenant_id == tenant)  # type: ignore[call-overload]
        with self._reading() as connection:
            record: str | None = connection.execute(query).scalar()
        return record
