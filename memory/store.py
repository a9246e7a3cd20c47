"""The turn store: what was said, durable and verbatim, on SQLite or PostgreSQL.

Every statement names its scope; nothing here can read across scopes. It does not know vectors: it only marks which turns
the index already holds. SQL is blocking, so each coroutine crosses to a thread, with a limit of its own; what a question reads
does not, since a question has a thread.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import anyio
from sqlalchemy import Connection, Engine, Result, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from memory.database import KEYS_PER_QUERY, reading, writing
from memory.errors import TurnConflict
from memory.forgetting import Forgotten, forget
from memory.repeats import plan_turns
from memory.rows import (
    SCOPE_OWNED,
    SPEAKERS,
    TURNS,
    TURNS_AROUND,
    TURNS_OF,
    TURNS_WAITING,
    owner,
    to_row,
    to_turn,
)
from memory.tables import ScopeRow, SessionRow, TenantRow, TurnRow
from memory.turns import NewTurn, Receipt, Scope, ScopeId, SessionSummary, Survey, Turn, TurnPk

__all__ = ["Remember", "TurnStore"]

T = TypeVar("T")
_TURN = TurnRow.__table__  # type: ignore[attr-defined]
_SESSION = SessionRow.__table__  # type: ignore[attr-defined]
_SCOPE = ScopeRow.__table__  # type: ignore[attr-defined]
_TENANT = TenantRow.__table__  # type: ignore[attr-defined]
_THREADS = 8


class Remember:
    """One wish to remember turns in one session of one scope, in the order they were said."""

    __slots__ = ("scope", "session_id", "turns")

    def __init__(self, *, scope: Scope, session_id: str, turns: Sequence[NewTurn]) -> None:
        self.scope = scope
        self.session_id = session_id
        self.turns = turns


class TurnStore:
    """Durable turns over one engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._threads = anyio.CapacityLimiter(_THREADS)

    async def remember(self, wish: Remember) -> Receipt:
        """Store the turns that are new, in one transaction; durable on return.

        A turn is known already if its id is, or, without an id, if the session holds it in the same place (`_known_run`).

        Raises:
            TurnConflict: an id is used again for other words; then nothing was stored.
            StoreUnavailable: the database cannot be written; then nothing was stored.
        """
        return await self._in_thread(self._remember_strictly, wish)

    async def remember_many(self, wishes: Sequence[Remember]) -> list[Receipt]:
        """Store several sessions' turns in one transaction; a conflicting turn is left out and named in its receipt.

        Raises:
            StoreUnavailable: the database cannot be written; then nothing was stored.
        """
        return await self._in_thread(self._remember_leniently, wishes)

    async def scope(self, scope: Scope) -> tuple[ScopeId, int] | None:
        """Give the scope's key and epoch, or None if nothing was ever remembered in it."""
        return await self._in_thread(self._scope, scope)

    async def tail(self, scope: ScopeId) -> list[Turn]:
        """Read the turns of `scope` that the index does not hold yet, oldest first."""
        return await self._in_thread(self._tail, scope)

    async def tail_length(self, scope: ScopeId) -> int:
        """Count the turns of `scope` that the index does not hold yet."""
        return await self._in_thread(self._tail_length, scope)

    async def unindexed(self, limit: int) -> list[tuple[ScopeId, Turn]]:
        """Read up to `limit` turns of any scope that wait for the index, oldest first."""
        return await self._in_thread(self._unindexed, limit)

    async def newest_pk(self) -> TurnPk:
        """Give the highest key in use, 0 for an empty store."""
        return await self._in_thread(self._newest_pk)

    async def count(self, *, indexed: bool | None = None) -> int:
        """Count turns over all scopes: all, the indexed, or the waiting ones."""
        return await self._in_thread(self._count, indexed)

    async def mark_indexed(self, pks: Sequence[TurnPk]) -> None:
        """Note that the index holds these turns."""
        await self._in_thread(self._mark_indexed, pks)

    async def mark_all_unindexed(self) -> int:
        """Send every turn through the indexer again; gives their number."""
        return await self._in_thread(self._mark_all_unindexed)

    async def sessions(self, scope: ScopeId, *, limit: int, after: str | None = None) -> list[SessionSummary]:
        """List the sessions of `scope` in order of their first turn, from after the session `after`."""
        return await self._in_thread(self._sessions, scope, limit, after)

    async def history(self, scope: ScopeId) -> list[Turn]:
        """Read the whole of `scope`, in the order it was said."""
        return await self._in_thread(self._history, scope)

    async def forget(self, scope: ScopeId, *, session_id: str | None = None, turn_id: str | None = None) -> Forgotten:
        """Remove a turn of a session, a session, or everything of `scope`; for good on return. Raises StoreUnavailable."""
        return await self._in_thread(self._forget, scope, session_id, turn_id)

    async def agents(self, tenant: str, user_id: str) -> list[str | None]:
        """Give the agents that have a memory of the user, None for the user's own."""
        return await self._in_thread(self._agents, tenant, user_id)

    async def known_turns(self, scope: ScopeId, keys: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Give those of these (session id, turn id) that `scope` holds."""
        return await self._in_thread(self._known_turns, scope, list(keys))

    async def missing(self, pks: Sequence[TurnPk]) -> list[TurnPk]:
        """Give those of these turns that are no longer there."""
        return await self._in_thread(self._missing, pks)

    async def ping(self) -> None:
        """Take and release the write lock. Raises StoreUnavailable."""
        await self._in_thread(self._ping)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    async def _in_thread(self, work: Callable[..., T], *args: Any) -> T:
        return await anyio.to_thread.run_sync(work, *args, limiter=self._threads)

    # what a question reads, in the thread that it has

    def survey(self, scope: Scope) -> Survey | None:
        """Say what a question must know of `scope` before it searches, in one snapshot; None for an unknown scope. Blocks."""
        with reading(self.engine) as connection:
            found = _find_scope(connection, scope)
            if found is None:
                return None
            return Survey(scope=found[0], speakers=_speakers(connection, found[0]), tail=_tail(connection, found[0]))

    def turns(self, scope: ScopeId, pks: Sequence[TurnPk]) -> dict[TurnPk, Turn]:
        """Read those of `pks` that belong to `scope`; any other key is silently absent. Blocks."""
        with reading(self.engine) as connection:
            return _turns(connection, scope, pks)

    def turns_around(self, scope: ScopeId, pks: Sequence[TurnPk], leading: Sequence[TurnPk]) -> dict[TurnPk, Turn]:
        """Read as `turns` does, and the turns right before and after the `leading` ones: hundreds, in one statement. Blocks."""
        with reading(self.engine) as connection:
            rows = connection.execute(TURNS_AROUND, {"scope": scope, "pks": pks, "leading": leading})
            return _by_pk(rows)

    # remembering

    def _remember_strictly(self, wish: Remember) -> Receipt:
        with writing(self.engine) as connection:
            receipt = _store(connection, wish, datetime.now(UTC))
            if "conflict" in receipt.outcomes:
                index = receipt.outcomes.index("conflict")
                raise TurnConflict(session_id=wish.session_id, turn_id=receipt.turn_ids[index], index=index)
        return receipt

    def _remember_leniently(self, wishes: Sequence[Remember]) -> list[Receipt]:
        with writing(self.engine) as connection:
            now = datetime.now(UTC)
            return [_store(connection, wish, now) for wish in wishes]

    # reading

    def _scope(self, scope: Scope) -> tuple[ScopeId, int] | None:
        with reading(self.engine) as connection:
            return _find_scope(connection, scope)

    def _tail(self, scope: ScopeId) -> list[Turn]:
        with reading(self.engine) as connection:
            return _tail(connection, scope)

    def _tail_length(self, scope: ScopeId) -> int:
        query = select(func.count()).select_from(_TURN).where(_TURN.c.scope_id == scope, ~_TURN.c.indexed)
        with reading(self.engine) as connection:
            return connection.execute(query).scalar_one()

    def _unindexed(self, limit: int) -> list[tuple[ScopeId, Turn]]:
        query = TURNS.where(~_TURN.c.indexed).order_by(_TURN.c.id).limit(limit)
        with reading(self.engine) as connection:
            return [(ScopeId(row.scope_id), to_turn(row)) for row in connection.execute(query)]

    def _newest_pk(self) -> TurnPk:
        with reading(self.engine) as connection:
            return TurnPk(connection.execute(select(func.max(_TURN.c.id))).scalar_one() or 0)

    def _count(self, indexed: bool | None) -> int:
        query = select(func.count()).select_from(_TURN)
        if indexed is not None:
            query = query.where(_TURN.c.indexed if indexed else ~_TURN.c.indexed)
        with reading(self.engine) as connection:
            return connection.execute(query).scalar_one()

    def _sessions(self, scope: ScopeId, limit: int, after: str | None) -> list[SessionSummary]:
        query = (
            select(
                _SESSION.c.key,
                func.min(_TURN.c.said_at, type_=_TURN.c.said_at.type).label("started_at"),
                func.max(_TURN.c.said_at, type_=_TURN.c.said_at.type).label("last_at"),
                func.count().label("turns"),
            )
            .join(_TURN, _TURN.c.session_id == _SESSION.c.id)
            .where(_SESSION.c.scope_id == scope)
            .group_by(_SESSION.c.id, _SESSION.c.key)
            .order_by(_SESSION.c.id)
            .limit(limit)
        )
        if after is not None:
            position = (
                select(_SESSION.c.id).where(_SESSION.c.scope_id == scope, _SESSION.c.key == after).scalar_subquery()
            )
            query = query.where(_SESSION.c.id > position)
        with reading(self.engine) as connection:
            return [
                SessionSummary(session_id=row.key, started_at=row.started_at, last_at=row.last_at, turns=row.turns)
                for row in connection.execute(query)
            ]

    def _history(self, scope: ScopeId) -> list[Turn]:
        query = TURNS.where(_TURN.c.scope_id == scope)
        with reading(self.engine) as connection:
            turns = [to_turn(row) for row in connection.execute(query)]
        return sorted(turns, key=lambda turn: (turn.said_at, turn.pk))

    # forgetting

    def _forget(self, scope: ScopeId, session_id: str | None, turn_id: str | None) -> Forgotten:
        with writing(self.engine) as connection:
            return forget(connection, scope, session_id=session_id, turn_id=turn_id)

    def _agents(self, tenant: str, user_id: str) -> list[str | None]:
        query = select(_SCOPE.c.agent_id).where(_SCOPE.c.tenant_id == tenant, _SCOPE.c.user_id == user_id)
        with reading(self.engine) as connection:
            return [agent or None for agent in connection.execute(query.order_by(_SCOPE.c.agent_id)).scalars()]

    def _known_turns(self, scope: ScopeId, keys: list[tuple[str, str]]) -> set[tuple[str, str]]:
        joined = select(_SESSION.c.key, _TURN.c.key).join(_SESSION, _SESSION.c.id == _TURN.c.session_id)
        with reading(self.engine) as connection:
            return {
                (row[0], row[1])
                for session, turn in keys
                for row in connection.execute(
                    joined.where(_TURN.c.scope_id == scope, _SESSION.c.key == session, _TURN.c.key == turn)
                )
            }

    def _missing(self, pks: Sequence[TurnPk]) -> list[TurnPk]:
        held: set[int] = set()
        with reading(self.engine) as connection:
            for start in range(0, len(pks), KEYS_PER_QUERY):
                chunk = pks[start : start + KEYS_PER_QUERY]
                held |= set(connection.execute(select(_TURN.c.id).where(_TURN.c.id.in_(chunk))).scalars())
        return [pk for pk in pks if pk not in held]

    # the indexer's marks

    def _mark_indexed(self, pks: Sequence[TurnPk]) -> None:
        with writing(self.engine) as connection:
            for start in range(0, len(pks), KEYS_PER_QUERY):
                chunk = pks[start : start + KEYS_PER_QUERY]
                connection.execute(update(_TURN).where(_TURN.c.id.in_(chunk)).values(indexed=True))

    def _mark_all_unindexed(self) -> int:
        with writing(self.engine) as connection:
            return connection.execute(update(_TURN).where(_TURN.c.indexed).values(indexed=False)).rowcount

    def _ping(self) -> None:
        with writing(self.engine) as connection:
            connection.execute(select(1))


def _store(connection: Connection, wish: Remember, now: datetime) -> Receipt:
    """Write what is new of one wish; a conflict is reported in the outcomes, not raised."""
    scope_pk, epoch = _own_scope(connection, wish.scope, now)
    session_pk = _own_session(connection, scope_pk, wish.session_id)
    plan = plan_turns(connection, session_pk, wish.turns)
    new = [(index, key) for index, (key, outcome) in enumerate(plan) if outcome == "stored"]
    pks: list[TurnPk] = []
    if new:
        first = connection.execute(
            select(func.max(_TURN.c.position)).where(_TURN.c.session_id == session_pk)
        ).scalar_one()
        position = 0 if first is None else first + 1
        rows = [
            to_row(wish.turns[index], key=key, scope=scope_pk, session=session_pk, position=position + offset, now=now)
            for offset, (index, key) in enumerate(new)
        ]
        connection.execute(insert(_TURN), rows)
        written = select(_TURN.c.id).where(_TURN.c.session_id == session_pk, _TURN.c.position >= position)
        pks = [TurnPk(pk) for pk in connection.execute(written.order_by(_TURN.c.position)).scalars()]
        epoch += 1
        connection.execute(update(_SCOPE).where(_SCOPE.c.id == scope_pk).values(epoch=epoch))
    return Receipt(
        session_id=wish.session_id,
        turn_ids=tuple(key for key, _ in plan),
        outcomes=tuple(outcome for _, outcome in plan),
        stored=tuple(pks),
        epoch=epoch,
    )


def _own_scope(connection: Connection, scope: Scope, now: datetime) -> tuple[int, int]:
    """Find or found the scope and lock its row, so that writers of one scope queue."""
    query = SCOPE_OWNED.with_for_update()
    row = connection.execute(query, owner(scope)).first()
    if row is None:
        _insert_if_absent(connection, _TENANT, id=scope.tenant, created_at=now)
        _insert_if_absent(connection, _SCOPE, **owner(scope), epoch=0)
        row = connection.execute(query, owner(scope)).one()
    return row.id, row.epoch


def _own_session(connection: Connection, scope: int, key: str) -> int:
    query = select(_SESSION.c.id).where(_SESSION.c.scope_id == scope, _SESSION.c.key == key)
    session = connection.execute(query).scalar()
    if session is None:
        connection.execute(insert(_SESSION).values(scope_id=scope, key=key))
        session = connection.execute(query).scalar_one()
    return int(session)


def _insert_if_absent(connection: Connection, table: Any, **values: Any) -> None:
    match connection.dialect.name:
        case "sqlite":
            connection.execute(sqlite.insert(table).values(**values).on_conflict_do_nothing())
        case "postgresql":
            connection.execute(postgresql.insert(table).values(**values).on_conflict_do_nothing())
        case name:
            raise NotImplementedError(f"no store for the database {name!r}: use sqlite or postgresql")


def _find_scope(connection: Connection, scope: Scope) -> tuple[ScopeId, int] | None:
    row = connection.execute(SCOPE_OWNED, owner(scope)).first()
    return (ScopeId(row.id), row.epoch) if row else None


def _turns(connection: Connection, scope: ScopeId, pks: Sequence[TurnPk]) -> dict[TurnPk, Turn]:
    found: dict[TurnPk, Turn] = {}
    for start in range(0, len(pks), KEYS_PER_QUERY):
        found |= _by_pk(connection.execute(TURNS_OF, {"scope": scope, "pks": pks[start : start + KEYS_PER_QUERY]}))
    return found


def _by_pk(rows: Result[Any]) -> dict[TurnPk, Turn]:
    return {turn.pk: turn for turn in map(to_turn, rows.all())}


def _tail(connection: Connection, scope: ScopeId) -> list[Turn]:
    return [to_turn(row) for row in connection.execute(TURNS_WAITING, {"scope": scope})]


def _speakers(connection: Connection, scope: ScopeId) -> list[str]:
    return list(connection.execute(SPEAKERS, {"scope": scope}).scalars())
