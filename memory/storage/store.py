"""The turn store: what was said, durable and verbatim, on SQLite or PostgreSQL.

What a caller reads or writes is bound to one scope; only the indexer's own statements span scopes. It does not know vectors: it
only marks which turns the index already holds. Every method blocks; `memory.api` gives a request one thread for all that it asks.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Result, Select, and_, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel, col

from memory.errors import TurnConflict
from memory.model import (
    Counts,
    NewTurn,
    Receipt,
    Remember,
    Scope,
    ScopeId,
    SessionSummary,
    Survey,
    Turn,
    TurnCursor,
    TurnPk,
)
from memory.storage.database import KEYS_PER_QUERY, Database, store_faults
from memory.storage.forgetting import Forgotten, forget
from memory.storage.idempotency import plan_turns
from memory.storage.schema import ScopeRow, SessionRow, TenantRow, TurnRow, UtcDateTime
from memory.storage.statements import (
    SCOPE_OWNED,
    SPEAKERS,
    TURNS,
    TURNS_AROUND,
    TURNS_OF,
    TURNS_OF_SCOPE,
    TURNS_WAITING,
    owner,
    to_row,
    to_turn,
)

__all__ = ["TurnStore"]


class TurnStore:
    """Durable turns in one database, whose schema is the newest."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # writing

    def remember(self, request: Remember) -> Receipt:
        """Store the turns that are new, in one transaction; durable on return.

        A turn is known already if its id is, or, without an id, if the session holds it in the same place (`plan_turns`).

        Raises:
            TurnConflict: an id is used again for other words; then nothing was stored.
            StoreUnavailable: the database cannot be written; then nothing was stored.
        """
        with self._writing() as connection:
            receipt = _store(connection, request, datetime.now(UTC))
            if "conflict" in receipt.outcomes:
                index = receipt.outcomes.index("conflict")
                raise TurnConflict(session_id=request.session_id, turn_id=receipt.turn_ids[index], index=index)
        return receipt

    def remember_many(self, requests: Sequence[Remember]) -> list[Receipt]:
        """Store several sessions' turns in one transaction; a conflicting turn is left out and named in its receipt.

        Raises:
            StoreUnavailable: the database cannot be written; then nothing was stored.
        """
        with self._writing() as connection:
            now = datetime.now(UTC)
            return [_store(connection, request, now) for request in requests]

    def forget(self, scope: ScopeId, *, session_id: str | None = None, turn_id: str | None = None) -> Forgotten:
        """Remove a turn of a session, a session, or everything of `scope`; for good on return. Raises StoreUnavailable."""
        with self._writing() as connection:
            return forget(connection, scope, session_id=session_id, turn_id=turn_id)

    def mark_indexed(self, pks: Sequence[TurnPk]) -> None:
        """Note that the index holds these turns."""
        with self._writing() as connection:
            for start in range(0, len(pks), KEYS_PER_QUERY):
                chunk = pks[start : start + KEYS_PER_QUERY]
                connection.execute(update(TurnRow).where(col(TurnRow.id).in_(chunk)).values(indexed=True))

    def mark_unindexed(self, pks: Sequence[TurnPk]) -> None:
        """Send these turns through the indexer again."""
        with self._writing() as connection:
            for start in range(0, len(pks), KEYS_PER_QUERY):
                chunk = pks[start : start + KEYS_PER_QUERY]
                connection.execute(update(TurnRow).where(col(TurnRow.id).in_(chunk)).values(indexed=False))

    def mark_all_unindexed(self) -> int:
        """Send every turn through the indexer again; returns their number."""
        with self._writing() as connection:
            return connection.execute(update(TurnRow).where(col(TurnRow.indexed)).values(indexed=False)).rowcount

    def ping(self) -> None:
        """Take and release the write lock. Raises StoreUnavailable."""
        with self._writing() as connection:
            connection.execute(select(1))

    # reading

    def scope(self, scope: Scope) -> tuple[ScopeId, int] | None:
        """Return the scope's key and epoch, or None if nothing was ever remembered in it."""
        with self._reading() as connection:
            return _find_scope(connection, scope)

    def survey(self, scope: Scope, *, unindexed: bool = False) -> Survey | None:
        """Return what a question must know of `scope` before it searches, in one snapshot; None for an unknown scope.

        With `unindexed` its tail is every turn, for when the index cannot be read.
        """
        with self._reading() as connection:
            found = _find_scope(connection, scope)
            if found is None:
                return None
            return Survey(
                scope=found[0],
                speakers=_speakers(connection, found[0]),
                tail=_tail(connection, found[0], TURNS_OF_SCOPE if unindexed else TURNS_WAITING),
            )

    def turns(self, scope: ScopeId, pks: Sequence[TurnPk]) -> dict[TurnPk, Turn]:
        """Read those of `pks` that belong to `scope`; any other key is silently absent."""
        with self._reading() as connection:
            found: dict[TurnPk, Turn] = {}
            for start in range(0, len(pks), KEYS_PER_QUERY):
                chunk = pks[start : start + KEYS_PER_QUERY]
                found |= _by_pk(connection.execute(TURNS_OF, {"scope": scope, "pks": chunk}))
            return found

    def turns_around(self, scope: ScopeId, pks: Sequence[TurnPk], leading: Sequence[TurnPk]) -> dict[TurnPk, Turn]:
        """Read as `turns` does, and the turns right before and after the `leading` ones: hundreds, in one statement."""
        with self._reading() as connection:
            return _by_pk(connection.execute(TURNS_AROUND, {"scope": scope, "pks": pks, "leading": leading}))

    def turn(self, scope: ScopeId, session_id: str, turn_id: str) -> Turn | None:
        """Read one turn by the caller's own ids; None if `scope` does not hold it."""
        query = TURNS.where(
            col(TurnRow.scope_id) == scope, col(SessionRow.key) == session_id, col(TurnRow.key) == turn_id
        )
        with self._reading() as connection:
            row = connection.execute(query).first()
        return to_turn(row) if row else None

    def page(self, scope: ScopeId, *, session_id: str | None, after: TurnCursor | None, limit: int) -> list[Turn]:
        """Read up to `limit` turns of `scope`, or of one of its sessions, in the order they were said, from after `after`."""
        said_at, pk = col(TurnRow.said_at), col(TurnRow.id)
        query = TURNS.where(col(TurnRow.scope_id) == scope).order_by(said_at, pk).limit(limit)
        if session_id is not None:
            query = query.where(col(SessionRow.key) == session_id)
        if after is not None:
            moment, last = after
            query = query.where(or_(said_at > moment, and_(said_at == moment, pk > last)))
        with self._reading() as connection:
            return [to_turn(row) for row in connection.execute(query)]

    def history(self, scope: ScopeId) -> list[Turn]:
        """Read the whole of `scope`, in the order it was said."""
        with self._reading() as connection:
            turns = [to_turn(row) for row in connection.execute(TURNS.where(col(TurnRow.scope_id) == scope))]
        return sorted(turns, key=lambda turn: (turn.said_at, turn.pk))

    def sessions(self, scope: ScopeId, *, limit: int, after: str | None = None) -> list[SessionSummary]:
        """List the sessions of `scope` in order of their first turn, from after the session `after`."""
        said_at = col(TurnRow.said_at)
        query = (
            select(
                col(SessionRow.key),
                func.min(said_at, type_=UtcDateTime()).label("started_at"),
                func.max(said_at, type_=UtcDateTime()).label("last_at"),
                func.count().label("turns"),
            )
            .join(TurnRow, col(TurnRow.session_id) == col(SessionRow.id))
            .where(col(SessionRow.scope_id) == scope)
            .group_by(col(SessionRow.id), col(SessionRow.key))
            .order_by(col(SessionRow.id))
            .limit(limit)
        )
        if after is not None:
            place = select(col(SessionRow.id)).where(col(SessionRow.scope_id) == scope, col(SessionRow.key) == after)
            query = query.where(col(SessionRow.id) > place.scalar_subquery())
        with self._reading() as connection:
            return [
                SessionSummary(session_id=row.key, started_at=row.started_at, last_at=row.last_at, turns=row.turns)
                for row in connection.execute(query)
            ]

    def agents(self, tenant: str, user_id: str) -> list[str | None]:
        """Return the agents that have a memory of the user, None for the user's own."""
        query = select(col(ScopeRow.agent_id)).where(
            col(ScopeRow.tenant_id) == tenant, col(ScopeRow.user_id) == user_id
        )
        with self._reading() as connection:
            return [agent or None for agent in connection.execute(query.order_by(col(ScopeRow.agent_id))).scalars()]

    def holds(self, scope: ScopeId, keys: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return those of these (session id, turn id) that `scope` holds."""
        joined = select(col(SessionRow.key), col(TurnRow.key)).join(
            SessionRow, col(SessionRow.id) == col(TurnRow.session_id)
        )
        own = joined.where(col(TurnRow.scope_id) == scope)
        with self._reading() as connection:
            return {
                (row[0], row[1])
                for session, turn in keys
                for row in connection.execute(own.where(col(SessionRow.key) == session, col(TurnRow.key) == turn))
            }

    def counts(self) -> Counts:
        """Count the turns over all scopes, and those of them that wait for the index."""
        count = select(func.count()).select_from(TurnRow)
        with self._reading() as connection:
            turns = connection.execute(count).scalar_one()
            return Counts(turns=turns, waiting=connection.execute(count.where(~col(TurnRow.indexed))).scalar_one())

    # what the indexer reads

    def tail(self, scope: ScopeId) -> list[Turn]:
        """Read the turns of `scope` that the index does not hold yet, oldest first."""
        with self._reading() as connection:
            return _tail(connection, scope)

    def tail_length(self, scope: ScopeId) -> int:
        """Count the turns of `scope` that the index does not hold yet."""
        with self._reading() as connection:
            return _tail_length(connection, scope)

    def any_waiting(self, pks: Sequence[TurnPk]) -> bool:
        """Return whether any of these turns is not in the index yet."""
        with self._reading() as connection:
            for start in range(0, len(pks), KEYS_PER_QUERY):
                among = col(TurnRow.id).in_(pks[start : start + KEYS_PER_QUERY])
                if connection.execute(select(col(TurnRow.id)).where(among, ~col(TurnRow.indexed)).limit(1)).first():
                    return True
        return False

    def unindexed(self, limit: int) -> list[tuple[ScopeId, Turn]]:
        """Read up to `limit` turns of any scope that wait for the index, oldest first."""
        query = TURNS.where(~col(TurnRow.indexed)).order_by(col(TurnRow.id)).limit(limit)
        with self._reading() as connection:
            return [(ScopeId(row.scope_id), to_turn(row)) for row in connection.execute(query)]

    def newest_pk(self) -> TurnPk:
        """Return the highest key in use, 0 for an empty store."""
        with self._reading() as connection:
            return TurnPk(connection.execute(select(func.max(col(TurnRow.id)))).scalar_one() or 0)

    def missing(self, pks: Sequence[TurnPk]) -> list[TurnPk]:
        """Return those of these turns that are no longer there."""
        held: set[TurnPk] = set()
        with self._reading() as connection:
            for start in range(0, len(pks), KEYS_PER_QUERY):
                chunk = pks[start : start + KEYS_PER_QUERY]
                found = connection.execute(select(col(TurnRow.id)).where(col(TurnRow.id).in_(chunk)))
                held |= {TurnPk(row[0]) for row in found}
        return [pk for pk in pks if pk not in held]

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with store_faults(), self._database.reading() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with store_faults(), self._database.writing() as connection:
            yield connection


def _store(connection: Connection, request: Remember, now: datetime) -> Receipt:
    """Write what is new of one request; a conflict is reported in the outcomes, not raised."""
    scope, epoch = _lock_scope(connection, request.scope, now)
    session = _own_session(connection, scope, request.session_id)
    plan = plan_turns(connection, session, request.turns)
    new = [(request.turns[index], key) for index, (key, outcome) in enumerate(plan) if outcome == "stored"]
    pks = _insert_turns(connection, new, scope=scope, session=session, now=now) if new else []
    if new:
        epoch += 1
        connection.execute(update(ScopeRow).where(col(ScopeRow.id) == scope).values(epoch=epoch))
    return Receipt(
        scope_id=scope,
        session_id=request.session_id,
        turn_ids=tuple(key for key, _ in plan),
        outcomes=tuple(outcome for _, outcome in plan),
        stored=tuple(pks),
        epoch=epoch,
        waiting=_tail_length(connection, scope) if new else 0,
    )


def _insert_turns(
    connection: Connection, new: Sequence[tuple[NewTurn, str]], *, scope: ScopeId, session: int, now: datetime
) -> list[TurnPk]:
    """Append turns with their keys to a session; returns their primary keys, in order."""
    of_session = col(TurnRow.session_id) == session
    last = connection.execute(select(func.max(col(TurnRow.position))).where(of_session)).scalar_one()
    first = 0 if last is None else last + 1
    rows = [
        to_row(turn, key=key, scope=scope, session=session, position=position, now=now)
        for position, (turn, key) in enumerate(new, first)
    ]
    connection.execute(insert(TurnRow), rows)
    written = select(col(TurnRow.id)).where(of_session, col(TurnRow.position) >= first)
    return [TurnPk(row[0]) for row in connection.execute(written.order_by(col(TurnRow.position)))]


def _lock_scope(connection: Connection, scope: Scope, now: datetime) -> tuple[ScopeId, int]:
    """Find or found the scope and lock its row, so that writers of one scope queue."""
    query = SCOPE_OWNED.with_for_update()
    row = connection.execute(query, owner(scope)).first()
    if row is None:
        _insert_if_absent(connection, TenantRow, id=scope.tenant, created_at=now)
        _insert_if_absent(connection, ScopeRow, **owner(scope), epoch=0)
        row = connection.execute(query, owner(scope)).one()
    return ScopeId(row[0]), row[1]


def _own_session(connection: Connection, scope: ScopeId, key: str) -> int:
    query = select(col(SessionRow.id)).where(col(SessionRow.scope_id) == scope, col(SessionRow.key) == key)
    session = connection.execute(query).scalar()
    if session is None:
        connection.execute(insert(SessionRow).values(scope_id=scope, key=key))
        session = connection.execute(query).scalar_one()
    return session


def _insert_if_absent(connection: Connection, table: type[SQLModel], **values: str | int | datetime) -> None:
    match connection.dialect.name:
        case "sqlite":
            connection.execute(sqlite.insert(table).values(**values).on_conflict_do_nothing())
        case "postgresql":
            connection.execute(postgresql.insert(table).values(**values).on_conflict_do_nothing())
        case name:
            raise NotImplementedError(f"no store for the database {name!r}: use sqlite or postgresql")


def _find_scope(connection: Connection, scope: Scope) -> tuple[ScopeId, int] | None:
    row = connection.execute(SCOPE_OWNED, owner(scope)).first()
    return (ScopeId(row[0]), row[1]) if row else None


def _by_pk(rows: Result[Any]) -> dict[TurnPk, Turn]:
    return {turn.pk: turn for turn in map(to_turn, rows.all())}


def _tail(connection: Connection, scope: ScopeId, query: Select[Any] = TURNS_WAITING) -> list[Turn]:
    return [to_turn(row) for row in connection.execute(query, {"scope": scope})]


def _tail_length(connection: Connection, scope: ScopeId) -> int:
    query = select(func.count()).select_from(TurnRow).where(col(TurnRow.scope_id) == scope, ~col(TurnRow.indexed))
    return connection.execute(query).scalar_one()


def _speakers(connection: Connection, scope: ScopeId) -> list[str]:
    return list(connection.execute(SPEAKERS, {"scope": scope}).scalars())
