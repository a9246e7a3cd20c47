"""Listing: decisions of a tenant, newest first, a page at a time, in an order that does not depend on what earlier pages held.

A page begins after a place, the time and id of a decision. Decisions that were emptied by a forgetting have nothing to show, and
are not listed.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from cascade.decision import Decision, Path
from cascade.storage.schema import DECISION

__all__ = ["DecisionCursor", "DecisionFilter", "ListedDecision", "page"]

DecisionCursor = tuple[datetime, str]  # where a page of decisions ended


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionFilter:
    """Which decisions of `tenant`: of a user or one of their agents, on a path, abstained, from `since` to before `until`."""

    tenant: str
    user_id: str | None = None
    agent_id: str | None = None
    path: Path | None = None
    abstained: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDecision:
    """A decision, and whose it is; a program that was written for no user has none."""

    user_id: str | None
    agent_id: str | None
    decision: Decision


def page(
    connection: Connection, chosen: DecisionFilter, *, after: DecisionCursor | None, limit: int
) -> list[tuple[str, str, str]]:
    """Read up to `limit` of the chosen decisions from after the place `after`: user, agent, record."""
    at, id_ = DECISION.c.decided_at, DECISION.c.id
    query = select(DECISION.c.user_id, DECISION.c.agent_id, DECISION.c.record).where(*_conditions(chosen))
    if after is not None:
        moment, last = after
        query = query.where(or_(at < moment, and_(at == moment, id_ < last)))
    rows = connection.execute(query.order_by(at.desc(), id_.desc()).limit(limit))
    return [(row.user_id, row.agent_id, row.record) for row in rows]


def _conditions(chosen: DecisionFilter) -> list[ColumnElement[bool]]:
    held = DECISION.c
    conditions = [held.tenant_id == chosen.tenant, held.record != ""]
    if chosen.user_id is not None:
        conditions.append(held.user_id == chosen.user_id)
    if chosen.agent_id is not None:
        conditions.append(held.agent_id == chosen.agent_id)
    if chosen.path is not None:
        conditions.append(held.path == chosen.path)
    if chosen.abstained is not None:
        conditions.append(held.path == "abstain" if chosen.abstained else held.path != "abstain")
    if chosen.since is not None:
        conditions.append(held.decided_at >= chosen.since)
    if chosen.until is not None:
        conditions.append(held.decided_at < chosen.until)
    return conditions
