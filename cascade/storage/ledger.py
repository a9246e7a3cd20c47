"""The ledger: one row a decision, readable by its tenant only, durable before the answer is given; and what the rows add up to.

A decision is found by the turns that it used and by the session it was asked in, so that forgetting them takes its copies along.
What stays then is what was spent and where the request ended, without a word of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import anyio
from pydantic import TypeAdapter
from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update

from cascade.decision import Decision
from cascade.errors import UnknownDecision
from cascade.storage.listing import DecisionCursor, DecisionFilter, ListedDecision, page
from cascade.storage.schema import CACHED, DECISION, DECISION_TURN, FEEDBACK, RESPONSE, SHADOW
from cascade.storage.transactions import Database, Transactions

__all__ = [
    "ASKED_IN",
    "Ledger",
    "Owner",
    "PathStats",
    "Shadow",
    "Stats",
    "TurnKey",
    "decode_decision",
    "encode_decision",
    "row_of",
]

_DECISION = TypeAdapter(Decision)
_KEYS_PER_QUERY = 200
ASKED_IN = ""  # stands for a turn: the question itself was asked in this session

TurnKey = tuple[str, str]  # session id, turn id


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose decisions: the tenant, and within it the scope; a code task has no user."""

    tenant: str
    user_id: str = ""
    agent_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """What the frontier tier said to a question whose cheap answer was served all the same."""

    decision_id: str
    agrees: bool
    overlap: float
    answer: str
    cost_nanousd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PathStats:
    """The requests that ended on one path: how many, what they cost, and how long they took (ms, exact quantiles)."""

    path: str
    n: int
    cost_nanousd: int
    p50_ms: int
    p95_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """What a tenant's decisions add up to, from the first to the last of them.

    `frontier_nanousd` is what the same prompts and answers would have cost at the frontier tier's price, of the `frontier_n`
    decisions for which that is known.
    """

    n: int
    first_at: datetime | None
    last_at: datetime | None
    cost_nanousd: int
    frontier_nanousd: int
    frontier_n: int
    frontier_n_cost_nanousd: int
    paths: tuple[PathStats, ...]
    shadows: int
    shadows_agreeing: int
    shadow_cost_nanousd: int


class Ledger:
    """Decision records in a database that is handed in. Every method raises LedgerUnavailable for an outage."""

    def __init__(self, database: Database) -> None:
        self._database = Transactions(database)
        self._threads = anyio.CapacityLimiter(4)

    async def record(
        self,
        decision: Decision,
        owner: Owner,
        *,
        frontier_nanousd: int | None = None,
        session_id: str | None = None,
        emptied: bool = False,
        asked_with: Iterable[TurnKey] = (),
    ) -> None:
        """Append a decision; durable on return. Raises LedgerUnavailable, and then nothing was recorded.

        `session_id` is the session it was asked in, `asked_with` the turns that asked. Of one that is `emptied` only what it cost
        is written.
        """
        row = row_of(decision, owner, frontier_nanousd) | ({"record": ""} if emptied else {})
        used = dict.fromkeys((quote.session_id, quote.turn_id) for brief in decision.contexts for quote in brief.quotes)
        used |= dict.fromkeys(asked_with)
        if session_id is not None:
            used[session_id, ASKED_IN] = None
        await anyio.to_thread.run_sync(self._insert, row, [] if emptied else list(used), limiter=self._threads)

    async def read(self, decision_id: str, *, tenant: str, user_id: str | None = None) -> Decision:
        """Read a decision of `tenant`, or of one user of it. Raises UnknownDecision, also if what it rested on was forgotten."""
        record = await anyio.to_thread.run_sync(self._select, decision_id, tenant, user_id, limiter=self._threads)
        if not record:
            raise UnknownDecision(decision_id=decision_id)
        return decode_decision(record)

    async def page(
        self, chosen: DecisionFilter, *, limit: int, after: DecisionCursor | None = None
    ) -> list[ListedDecision]:
        """List up to `limit` of the chosen decisions, newest first, from after the place `after`."""
        rows = await anyio.to_thread.run_sync(self._page, chosen, after, limit, limiter=self._threads)
        return [
            ListedDecision(user_id=user_id or None, agent_id=agent_id or None, decision=decode_decision(record))
            for user_id, agent_id, record in rows
        ]

    async def record_shadow(self, shadow: Shadow, *, tenant: str) -> None:
        """Append what a shadow call showed."""
        await anyio.to_thread.run_sync(self._insert_shadow, shadow, tenant, limiter=self._threads)

    async def agents(self, tenant: str, user_id: str) -> set[str | None]:
        """Return the agents that the user's decisions are of, None for the user's own; emptied ones do not count."""
        return await anyio.to_thread.run_sync(self._agents, tenant, user_id, limiter=self._threads)

    async def forget(self, owner: Owner, turns: Iterable[TurnKey] | None) -> int:
        """Empty the decisions that used these turns, or for None all of the scope, with their cached answers; returns how many."""
        keys = None if turns is None else list(turns)
        return await anyio.to_thread.run_sync(self._forget, owner, keys, limiter=self._threads)

    async def forget_session(self, owner: Owner, session_id: str) -> int:
        """Empty the decisions that used any turn of a session, or were asked in it, with their cached answers; returns how many."""
        return await anyio.to_thread.run_sync(self._forget, owner, session_id, limiter=self._threads)

    async def stats(self, *, tenant: str) -> Stats:
        """Add up the decisions of `tenant`."""
        return await anyio.to_thread.run_sync(self._stats, tenant, limiter=self._threads)

    async def spent(self, *, tenant: str, since: datetime) -> int:
        """Add up what the decisions of `tenant` since a moment have cost, shadow calls too, in nano-dollars.

        Decisions that were imported have cost nothing here.
        """
        return await anyio.to_thread.run_sync(self._spent, tenant, since, limiter=self._threads)

    async def expire(self, *, tenant: str, before: datetime, limit: int) -> int:
        """Remove up to `limit` of the tenant's decisions that were made before a moment, with all that hangs on them.

        Returns how many were removed; the sums of `stats` are without them then.
        """
        return await anyio.to_thread.run_sync(self._expire, tenant, before, limit, limiter=self._threads)

    def _spent(self, tenant: str, since: datetime) -> int:
        lately = (DECISION.c.tenant_id == tenant, DECISION.c.decided_at >= since, DECISION.c.imported.is_(False))
        decisions = select(func.sum(DECISION.c.cost_nanousd)).where(*lately)
        shadows = select(func.sum(SHADOW.c.cost_nanousd)).join(DECISION, DECISION.c.id == SHADOW.c.decision_id)
        with self._database.reading() as connection:
            return sum(int(connection.execute(one).scalar() or 0) for one in (decisions, shadows.where(*lately)))

    def _expire(self, tenant: str, before: datetime, limit: int) -> int:
        old = (DECISION.c.tenant_id == tenant, DECISION.c.decided_at < before)
        oldest = select(DECISION.c.id).where(*old).order_by(DECISION.c.decided_at).limit(min(limit, _KEYS_PER_QUERY))
        with self._database.forgetting() as connection:
            ids = list(connection.execute(oldest).scalars())
            for linked in (SHADOW, CACHED, DECISION_TURN, FEEDBACK, RESPONSE):
                connection.execute(delete(linked).where(linked.c.decision_id.in_(ids)))
            connection.execute(delete(DECISION).where(DECISION.c.id.in_(ids)))
        return len(ids)

    def _agents(self, tenant: str, user_id: str) -> set[str | None]:
        own = and_(DECISION.c.tenant_id == tenant, DECISION.c.user_id == user_id, DECISION.c.record != "")
        with self._database.reading() as connection:
            agents = connection.execute(select(DECISION.c.agent_id).where(own).distinct()).scalars()
            return {agent or None for agent in agents}

    def _page(self, chosen: DecisionFilter, after: DecisionCursor | None, limit: int) -> list[tuple[str, str, str]]:
        with self._database.reading() as connection:
            return page(connection, chosen, after=after, limit=limit)

    def _insert(self, row: Mapping[str, Any], used: Sequence[TurnKey]) -> None:
        turns = [{"decision_id": row["id"], "session_key": session, "turn_key": turn} for session, turn in used]
        with self._database.writing() as connection:
            connection.execute(insert(DECISION), row)
            if turns:
                connection.execute(insert(DECISION_TURN), turns)

    def _insert_shadow(self, shadow: Shadow, tenant: str) -> None:
        row = {
            "decision_id": shadow.decision_id,
            "tenant_id": tenant,
            "agrees": shadow.agrees,
            "overlap": shadow.overlap,
            "answer": shadow.answer,
            "cost_nanousd": shadow.cost_nanousd,
        }
        with self._database.writing() as connection:
            held = select(DECISION.c.record).where(DECISION.c.id == shadow.decision_id).with_for_update()
            record = connection.execute(held).scalar()
            if record is None:
                return  # the decision is gone, and a shadow of nothing says nothing
            if not record:
                row["answer"] = ""  # what it rests on was forgotten meanwhile
            connection.execute(insert(SHADOW), row)

    def _select(self, decision_id: str, tenant: str, user_id: str | None) -> str | None:
        query = select(DECISION.c.record).where(DECISION.c.id == decision_id, DECISION.c.tenant_id == tenant)
        if user_id is not None:
            query = query.where(DECISION.c.user_id == user_id)
        with self._database.reading() as connection:
            record: str | None = connection.execute(query).scalar()
        return record

    def _forget(self, owner: Owner, turns: Sequence[TurnKey] | str | None) -> int:
        emptied = 0
        with self._database.forgetting() as connection:
            for ids in self._touched(connection, owner, turns):
                emptied += connection.execute(
                    update(DECISION).where(DECISION.c.id.in_(ids), DECISION.c.record != "").values(record="")
                ).rowcount
                connection.execute(CACHED.delete().where(CACHED.c.decision_id.in_(ids)))
                connection.execute(DECISION_TURN.delete().where(DECISION_TURN.c.decision_id.in_(ids)))
                connection.execute(FEEDBACK.delete().where(FEEDBACK.c.decision_id.in_(ids)))
                connection.execute(RESPONSE.delete().where(RESPONSE.c.decision_id.in_(ids)))
                connection.execute(update(SHADOW).where(SHADOW.c.decision_id.in_(ids)).values(answer=""))
        return emptied

    def _touched(
        self, connection: Connection, owner: Owner, turns: Sequence[TurnKey] | str | None
    ) -> Iterable[list[str]]:
        own = and_(
            DECISION.c.tenant_id == owner.tenant,
            DECISION.c.user_id == owner.user_id,
            DECISION.c.agent_id == owner.agent_id,
        )
        joined = select(DECISION.c.id).join(DECISION_TURN, DECISION_TURN.c.decision_id == DECISION.c.id)
        found: list[str] = []
        if turns is None:
            found += connection.execute(select(DECISION.c.id).where(own)).scalars()
        elif isinstance(turns, str):
            found += connection.execute(joined.where(own, DECISION_TURN.c.session_key == turns).distinct()).scalars()
        else:
            for start in range(0, len(turns), _KEYS_PER_QUERY):
                named = or_(
                    *(
                        and_(DECISION_TURN.c.session_key == session, DECISION_TURN.c.turn_key == turn)
                        for session, turn in turns[start : start + _KEYS_PER_QUERY]
                    )
                )
                found += connection.execute(joined.where(own, named).distinct()).scalars()
        for start in range(0, len(found), _KEYS_PER_QUERY):
            yield found[start : start + _KEYS_PER_QUERY]

    def _stats(self, tenant: str) -> Stats:
        own, table = DECISION.c.tenant_id == tenant, DECISION.c
        known = table.frontier_nanousd.is_not(None)
        totals = select(
            func.count(), func.min(table.decided_at), func.max(table.decided_at), func.sum(table.cost_nanousd)
        ).where(own)
        compared = select(func.count(), func.sum(table.frontier_nanousd), func.sum(table.cost_nanousd)).where(
            own, known
        )
        shadowed = select(func.count(), func.sum(SHADOW.c.cost_nanousd)).where(SHADOW.c.tenant_id == tenant)
        agreeing = select(func.count()).where(SHADOW.c.tenant_id == tenant, SHADOW.c.agrees)
        with self._database.reading() as connection:
            n, first, last, cost = connection.execute(totals).one()
            frontier_n, frontier, comparable = connection.execute(compared).one()
            shadows, shadow_cost = connection.execute(shadowed).one()
            agrees = connection.execute(agreeing).scalar() or 0
            paths = tuple(self._path_stats(connection, tenant))
        return Stats(
            n=n,
            first_at=first,
            last_at=last,
            cost_nanousd=int(cost or 0),
            frontier_nanousd=int(frontier or 0),
            frontier_n=frontier_n,
            frontier_n_cost_nanousd=int(comparable or 0),
            paths=paths,
            shadows=shadows,
            shadows_agreeing=agrees,
            shadow_cost_nanousd=int(shadow_cost or 0),
        )

    def _path_stats(self, connection: Connection, tenant: str) -> Iterable[PathStats]:
        table = DECISION.c
        own = table.tenant_id == tenant
        grouped = select(table.path, func.count(), func.sum(table.cost_nanousd)).where(own).group_by(table.path)
        for path, n, cost in connection.execute(grouped.order_by(table.path)).all():
            in_order = select(table.latency_ms).where(own, table.path == path).order_by(table.latency_ms)
            middle, late = (
                connection.execute(in_order.offset(max(0, -(-n * share // 100) - 1)).limit(1)).scalar() or 0
                for share in (50, 95)
            )
            yield PathStats(path=path, n=n, cost_nanousd=int(cost), p50_ms=middle, p95_ms=late)


def row_of(decision: Decision, owner: Owner, frontier_nanousd: int | None) -> dict[str, Any]:
    """Return the row of a decision."""
    return {
        "id": decision.id,
        "tenant_id": owner.tenant,
        "user_id": owner.user_id,
        "agent_id": owner.agent_id,
        "path": decision.path,
        "decided_at": decision.decided_at,
        "cost_nanousd": decision.cost_nanousd,
        "frontier_nanousd": frontier_nanousd,
        "latency_ms": decision.latency_ms,
        "record": encode_decision(decision),
    }


def encode_decision(decision: Decision) -> str:
    """Write a decision as JSON."""
    return _DECISION.dump_json(decision).decode()


def decode_decision(record: str) -> Decision:
    """Read what `encode_decision` wrote. Raises pydantic's ValidationError."""
    return _DECISION.validate_json(record)
