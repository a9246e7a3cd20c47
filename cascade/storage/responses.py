"""Stored responses: what a client sent and was answered, so that it may go on from there and send only what is new.

Each belongs to its decision, and goes with it: with its user, its session, a turn that it rests on, or by the decision's age.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import anyio
from sqlalchemy import Integer, and_, delete, insert, literal, select

from cascade.storage.ledger import Owner
from cascade.storage.schema import RESPONSE
from cascade.storage.transactions import Database, Transactions

__all__ = ["ResponseStore", "StoredResponse"]

_LONGEST_CHAIN = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResponse:
    """A response: the items that were sent for it, and its body; `previous_id` is the decision of the one that it goes on from."""

    decision_id: str
    owner: Owner
    session_id: str
    previous_id: str | None
    stored_at: datetime
    input: Sequence[dict[str, Any]]
    body: dict[str, Any]


class ResponseStore:
    """Stored responses in a database that is handed in. Every method raises LedgerUnavailable for an outage."""

    def __init__(self, database: Database) -> None:
        self._database = Transactions(database)
        self._threads = anyio.CapacityLimiter(4)

    async def put(self, stored: StoredResponse) -> None:
        """Store a response, whose decision is recorded; durable on return."""
        row = {
            "decision_id": stored.decision_id,
            "tenant_id": stored.owner.tenant,
            "user_id": stored.owner.user_id,
            "agent_id": stored.owner.agent_id,
            "session_key": stored.session_id,
            "previous_id": stored.previous_id,
            "stored_at": stored.stored_at.astimezone(UTC),
            "input": json.dumps(list(stored.input)),
            "body": json.dumps(stored.body),
        }
        await anyio.to_thread.run_sync(self._insert, row, limiter=self._threads)

    async def read(self, decision_id: str, *, tenant: str, user_id: str | None = None) -> StoredResponse | None:
        """Read a response of `tenant`, or of one user of it; None if there is none."""
        chain = await self.chain(decision_id, tenant=tenant, user_id=user_id, most=1)
        return chain[-1] if chain else None

    async def chain(
        self, decision_id: str, *, tenant: str, user_id: str | None = None, most: int = _LONGEST_CHAIN
    ) -> list[StoredResponse]:
        """Read a response and those that it goes on from, the oldest first; nothing if there is none of that id."""
        return await anyio.to_thread.run_sync(self._chain, decision_id, tenant, user_id, most, limiter=self._threads)

    async def latest(self, owner: Owner, session_id: str) -> str | None:
        """Return the decision of the newest response of a session."""
        return await anyio.to_thread.run_sync(self._latest, owner, session_id, limiter=self._threads)

    async def remove(self, decision_id: str, *, tenant: str, user_id: str | None = None) -> bool:
        """Remove a response; False if there is none."""
        return await anyio.to_thread.run_sync(self._remove, decision_id, tenant, user_id, limiter=self._threads)

    def _insert(self, row: dict[str, Any]) -> None:
        with self._database.writing() as connection:
            connection.execute(insert(RESPONSE), row)

    def _chain(self, decision_id: str, tenant: str, user_id: str | None, most: int) -> list[StoredResponse]:
        table = RESPONSE.c
        own = [table.tenant_id == tenant, *([table.user_id == user_id] if user_id is not None else [])]
        walk = (
            select(table.decision_id, table.previous_id, literal(0, Integer).label("back"))
            .where(table.decision_id == decision_id, *own)
            .cte("walk", recursive=True)
        )
        walk = walk.union_all(
            select(table.decision_id, table.previous_id, walk.c.back + 1).where(
                table.decision_id == walk.c.previous_id, walk.c.back < most - 1, *own
            )
        )
        query = select(RESPONSE).join(walk, walk.c.decision_id == table.decision_id).order_by(walk.c.back.desc())
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [
            StoredResponse(
                decision_id=row.decision_id,
                owner=Owner(tenant=row.tenant_id, user_id=row.user_id, agent_id=row.agent_id),
                session_id=row.session_key,
                previous_id=row.previous_id,
                stored_at=row.stored_at,
                input=json.loads(row.input),
                body=json.loads(row.body),
            )
            for row in rows
        ]

    def _latest(self, owner: Owner, session_id: str) -> str | None:
        table = RESPONSE.c
        query = (
            select(table.decision_id)
            .where(
                table.tenant_id == owner.tenant,
                table.user_id == owner.user_id,
                table.agent_id == owner.agent_id,
                table.session_key == session_id,
            )
            .order_by(table.stored_at.desc())
            .limit(1)
        )
        with self._database.reading() as connection:
            found: str | None = connection.execute(query).scalar()
        return found

    def _remove(self, decision_id: str, tenant: str, user_id: str | None) -> bool:
        table = RESPONSE.c
        own = and_(table.decision_id == decision_id, table.tenant_id == tenant)
        if user_id is not None:
            own = and_(own, table.user_id == user_id)
        with self._database.forgetting() as connection:
            return bool(connection.execute(delete(RESPONSE).where(own)).rowcount)
