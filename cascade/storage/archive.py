"""What an archive takes of the ledger and the cache: whose decisions a tenant has, the decisions by time, the answers in force.

Reads in a transaction that is handed in, so that an archive of many packages is of one moment, and holds a few rows at a time.
Decisions that were emptied when what they rested on was forgotten have no owner any more, and are left out.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, select, tuple_

from cascade.decision import Hashes
from cascade.storage.feedback import Feedback
from cascade.storage.ledger import Owner, Shadow
from cascade.storage.schema import CACHED, DECISION, DECISION_TURN, FEEDBACK, SHADOW

__all__ = ["ArchivedAnswer", "ArchivedDecision", "archived_answers", "archived_decisions", "owners_of"]

_OWNERS_PER_PAGE = 200
_RECORDS_PER_FETCH = 20

Request = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedDecision:
    """A decision with all that hangs on it: `record` is what the ledger keeps of it, as JSON values.

    `session_id` is the session that it was asked in; `frontier_nanousd` what it would have cost at the frontier's price;
    `feedback` whether somebody who knows said that its answer was right.
    """

    record: Mapping[str, Any]
    frontier_nanousd: int | None
    session_id: str | None
    shadow: Shadow | None
    feedback: Feedback | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedAnswer:
    """An answer of the exact cache: the request that it answers, and the decision that it is of."""

    decision_id: str
    request: Request
    stored_at: datetime
    expires_at: datetime


def owners_of(connection: Connection, tenant: str, *, user_id: str | None = None) -> Iterator[Owner]:
    """Yield those of a tenant, or of one of its users, who have decisions: by user, then agent, in the order of their bytes."""
    user, agent = _by_bytes(connection, DECISION.c.user_id), _by_bytes(connection, DECISION.c.agent_id)
    query = select(user.label("user_id"), agent.label("agent_id")).distinct()
    query = query.where(DECISION.c.tenant_id == tenant, DECISION.c.record != "")
    if user_id is not None:
        query = query.where(DECISION.c.user_id == user_id)
    query = query.order_by(user, agent).limit(_OWNERS_PER_PAGE)
    rows = connection.execute(query).all()
    while rows:
        for row in rows:
            yield Owner(tenant=tenant, user_id=row.user_id, agent_id=row.agent_id)
        last = rows[-1]
        rows = connection.execute(query.where(tuple_(user, agent) > (last.user_id, last.agent_id))).all()


def archived_decisions(connection: Connection, owner: Owner) -> Iterator[ArchivedDecision]:
    """Yield the decisions of `owner`, oldest first."""
    asked_in = and_(DECISION_TURN.c.decision_id == DECISION.c.id, DECISION_TURN.c.turn_key == "")
    shadow = [SHADOW.c.decision_id.label("shadowed"), SHADOW.c.agrees, SHADOW.c.overlap, SHADOW.c.answer]
    query: Select[Any] = (
        select(
            DECISION.c.id,
            DECISION.c.record,
            DECISION.c.frontier_nanousd,
            DECISION_TURN.c.session_key,
            *shadow,
            SHADOW.c.cost_nanousd.label("shadow_nanousd"),
            FEEDBACK.c.correct,
            FEEDBACK.c.given_at,
        )
        .outerjoin(DECISION_TURN, asked_in)
        .outerjoin(SHADOW, SHADOW.c.decision_id == DECISION.c.id)
        .outerjoin(FEEDBACK, FEEDBACK.c.decision_id == DECISION.c.id)
        .where(_of(owner))
        .order_by(DECISION.c.decided_at, DECISION.c.id)
    )
    for row in connection.execute(query, execution_options={"yield_per": _RECORDS_PER_FETCH}):
        yield ArchivedDecision(
            record=json.loads(row.record),
            frontier_nanousd=row.frontier_nanousd,
            session_id=row.session_key,
            shadow=_shadow(row),
            feedback=_feedback(row),
        )


def archived_answers(
    connection: Connection, owner: Owner, key_of: Callable[[Request, Hashes], str]
) -> Iterator[ArchivedAnswer]:
    """Yield the answers that would be served to `owner` now, oldest first: unexpired, and found by the key that `key_of` makes."""
    query: Select[Any] = (
        select(CACHED, DECISION.c.record)
        .join(DECISION, DECISION.c.id == CACHED.c.decision_id)
        .where(_of(owner), CACHED.c.request != "", CACHED.c.expires_at > datetime.now(UTC))
        .order_by(CACHED.c.stored_at, CACHED.c.request)
    )
    for row in connection.execute(query, execution_options={"yield_per": _RECORDS_PER_FETCH}):
        request = json.loads(row.request)
        if row.key == key_of(request, Hashes(**json.loads(row.record)["hashes"])):
            yield ArchivedAnswer(
                decision_id=row.decision_id, request=request, stored_at=row.stored_at, expires_at=row.expires_at
            )


def _of(owner: Owner) -> ColumnElement[bool]:
    return and_(
        DECISION.c.tenant_id == owner.tenant,
        DECISION.c.user_id == owner.user_id,
        DECISION.c.agent_id == owner.agent_id,
        DECISION.c.record != "",
    )


def _shadow(row: Row[Any]) -> Shadow | None:
    if row.shadowed is None:
        return None
    return Shadow(
        decision_id=row.shadowed,
        agrees=row.agrees,
        overlap=row.overlap,
        answer=row.answer,
        cost_nanousd=row.shadow_nanousd,
    )


def _feedback(row: Row[Any]) -> Feedback | None:
    if row.given_at is None:
        return None
    return Feedback(decision_id=row.id, correct=row.correct, given_at=row.given_at)


def _by_bytes(connection: Connection, column: ColumnElement[str]) -> ColumnElement[str]:
    """Compare as SQLite does, whatever the language of the database: one order on all, for equal archives."""
    return column.collate("C" if connection.dialect.name == "postgresql" else "BINARY")
