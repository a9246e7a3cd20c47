"""The turn store: what was said, durable and verbatim, on SQLite or PostgreSQL.

What a caller reads or writes is bound to one scope; only the indexer's own statements span scopes. It does not know vectors: it
only marks which turns the index already holds. Every method blocks; `memory.api` gives a request one thread for all that it asks.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Result, Select, delete, func, select, update
from sqlmodel import col

from language import Passage
from memory.errors import IndexBehind, TurnConflict
from memory.model import (
    Bounds,
    Counts,
    Extent,
    Follow,
    Followed,
    Placed,
    Receipt,
    Remember,
    Restore,
    Restored,
    Scope,
    ScopeId,
    SessionSummary,
    Survey,
    Turn,
    TurnCursor,
    TurnPk,
    UserSummary,
)
from memory.storage import listing
from memory.storage.archive import extent_of
from memory.storage.database import KEYS_PER_QUERY, Database, store_faults
from memory.storage.derived.instructions import InstructionStore, note_instructions
from memory.storage.forgetting import Forgetting, Forgotten, forget
from memory.storage.intake.following import follow, place
from memory.storage.intake.remembering import remember
from memory.storage.restoring import compare, restore
from memory.storage.schema import ForgettingRow, ScopeRow, SessionRow, TurnRow
from memory.storage.statements import (
    EVIDENCE_OF_SCOPE,
    EVIDENCE_WAITING,
    IS_EVIDENCE,
    NUMBER_WAITING,
    SCOPE_OWNED,
    SPEAKERS,
    TURNS,
    TURNS_AROUND,
    TURNS_OF,
    TURNS_WAITING,
    WAITING,
    WAITING_SCOPES,
    owner,
    to_turn,
)
from memory.storage.tenancy import TenantStore, take_room

__all__ = ["TurnStore"]

_RETRY_S = 5  # who knows the pace of the index says better


class TurnStore:
    """Durable turns in one database, whose schema is the newest.

    New turns are refused to a scope of which `most_waiting` turns or more wait for the index; without it, none are.
    """

    def __init__(self, database: Database, *, most_waiting: int | None = None) -> None:
        self._database = database
        self._most_waiting = most_waiting
        self.tenants = TenantStore(database)
        self.instructions = InstructionStore(database)

    # writing

    def remember(self, request: Remember, most_turns: int | None = None) -> Receipt:
        """Store the turns that are new, in one transaction; durable on return. `most_turns` the tenant may have in all.

        A turn is known already if its id is, or, without an id, if the session holds it in the same place (`plan_turns`).

        Raises:
            TurnConflict: an id is used again for other words; then nothing was stored.
            IndexBehind: too many turns of the scope wait for the index; then nothing was stored.
            TenantFull, TenantClosed: the tenant takes no more; then nothing was stored.
            StoreUnavailable: the database cannot be written; then nothing was stored.
        """
        with self._writing() as connection:
            [receipt] = remember(connection, [request], most_turns=most_turns, admit=self._admission())
            if "conflict" in receipt.outcomes:
                index = receipt.outcomes.index("conflict")
                raise TurnConflict(session_id=request.session_id, turn_id=receipt.turn_ids[index], index=index)
        return receipt

    def remember_many(self, requests: Sequence[Remember], most_turns: int | None = None) -> list[Receipt]:
        """Store several sessions' turns in one transaction; a conflicting turn is left out and named in its receipt.

        Raises as `remember` does, but for conflicts.
        """
        with self._writing() as connection:
            return remember(connection, requests, most_turns=most_turns, admit=self._admission())

    def follow(self, request: Follow, most_turns: int | None = None) -> Followed:
        """Store what is new of a conversation that is sent whole, and flag what it replaced, in one transaction.

        Raises:
            IndexBehind: too many turns of the scope wait for the index; then nothing was stored.
            TenantFull, TenantClosed: the tenant takes no more; then nothing was stored.
            StoreUnavailable: the database cannot be written; then nothing was stored.
        """
        with self._writing() as connection:
            return follow(connection, request, most_turns=most_turns, admit=self._admission())

    def place(self, request: Follow) -> Placed:
        """Return what `follow` would do, and store nothing. Raises StoreUnavailable."""
        with self._reading() as connection:
            return place(connection, request)

    def restore(self, requests: Sequence[Restore], most_turns: int | None = None) -> list[Restored]:
        """Store archived turns that are new, as they stood, in one transaction; what became of each is returned in its order.

        Raises as `remember_many` does.
        """
        admit = self._admission()
        with self._writing() as connection:
            restored = [restore(connection, request, admit=admit) for request in requests]
            grown: Counter[str] = Counter()
            for request, one in zip(requests, restored, strict=True):
                grown[request.scope.tenant] += one.outcomes.count("stored")
            for tenant, turns in sorted((+grown).items()):
                take_room(connection, tenant, turns, most=most_turns)
            return restored

    def compare(self, requests: Sequence[Restore]) -> list[Restored]:
        """Return what `restore` would do, and store nothing. Raises StoreUnavailable."""
        with self._reading() as connection:
            return [compare(connection, request) for request in requests]

    def forget(self, scope: ScopeId, *, session_id: str | None = None, turn_id: str | None = None) -> Forgotten:
        """Remove a turn of a session, a session, or everything of `scope`; for good on return. Raises StoreUnavailable."""
        with store_faults(), self._database.forgetting() as connection:
            return forget(connection, scope, session_id=session_id, turn_id=turn_id)

    def mark_indexed(
        self, turns: Mapping[ScopeId, Sequence[TurnPk]], instructions: Mapping[TurnPk, Sequence[Passage]] | None = None
    ) -> bool:
        """Note that the index holds these turns, and where they give standing instructions.

        False if something of their scopes was forgotten that the index still holds; then nothing is noted: what the turns repeat
        of it was left out of the index.
        """
        pks = [pk for ours in turns.values() for pk in ours]
        with self._writing() as connection:
            for scope in sorted(turns):
                connection.execute(select(col(ScopeRow.id)).where(col(ScopeRow.id) == scope).with_for_update())
            among = col(ForgettingRow.scope_id).in_(turns)
            if turns and connection.execute(select(col(ForgettingRow.id)).where(among).limit(1)).first():
                return False
            _mark(connection, pks, indexed=True)
            note_instructions(connection, turns, instructions or {})
        return True

    def mark_unindexed(self, pks: Sequence[TurnPk]) -> None:
        """Send these turns through the indexer again."""
        with self._writing() as connection:
            _mark(connection, pks, indexed=False)

    def mark_all_unindexed(self) -> int:
        """Send every turn through the indexer again; returns their number."""
        with self._writing() as connection:
            return connection.execute(update(TurnRow).where(col(TurnRow.indexed)).values(indexed=False)).rowcount

    def ping(self) -> None:
        """Make sure that a turn could be stored now. Raises StoreUnavailable."""
        with store_faults():
            self._database.probe()

    # reading

    def scope(self, scope: Scope) -> tuple[ScopeId, int] | None:
        """Return the scope's key and epoch, or None if nothing was ever remembered in it."""
        with self._reading() as connection:
            return _find_scope(connection, scope)

    def extent(self, scope: Scope) -> Extent:
        """Return the scope's epoch, its turns and their characters, as they are at one moment."""
        with self._reading() as connection:
            return extent_of(connection, scope)

    def survey(self, scope: Scope, *, unindexed: bool = False) -> Survey | None:
        """Return what a question must know of `scope` before it searches, in one snapshot; None for an unknown scope.

        With `unindexed` all evidence in it waits, for when the index cannot be read.
        """
        with self._reading() as connection:
            found = _find_scope(connection, scope)
            if found is None:
                return None
            key = found[0]
            waiting = _keys(connection, EVIDENCE_OF_SCOPE if unindexed else EVIDENCE_WAITING, key)
            return Survey(scope=key, speakers=_speakers(connection, key), waiting=waiting)

    def turns(self, scope: ScopeId, pks: Sequence[TurnPk]) -> dict[TurnPk, Turn]:
        """Read those of `pks` that belong to `scope` and are evidence; any other key is silently absent."""
        with self._reading() as connection:
            found: dict[TurnPk, Turn] = {}
            for start in range(0, len(pks), KEYS_PER_QUERY):
                chunk = pks[start : start + KEYS_PER_QUERY]
                found |= _by_pk(connection.execute(TURNS_OF, {"scope": scope, "pks": chunk}))
            return found

    def left_out(self, scope: ScopeId, bounds: Bounds) -> set[TurnPk]:
        """Return the keys of the turns of `scope` that `bounds` leave out by their names."""
        with self._reading() as connection:
            return listing.left_out(connection, scope, bounds)

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
        with self._reading() as connection:
            return listing.page(connection, scope, session_id=session_id, after=after, limit=limit)

    def turns_named(self, scope: ScopeId, turn_id: str, *, limit: int) -> list[Turn]:
        """Read up to `limit` turns of `scope` that have this id, each in a session of its own."""
        with self._reading() as connection:
            return listing.turns_named(connection, scope, turn_id, limit=limit)

    def history(self, scope: ScopeId) -> list[Turn]:
        """Read all evidence of `scope`, in the order it was said."""
        with self._reading() as connection:
            turns = [
                to_turn(row) for row in connection.execute(TURNS.where(col(TurnRow.scope_id) == scope, IS_EVIDENCE))
            ]
        return sorted(turns, key=lambda turn: (turn.said_at, turn.pk))

    def sessions(self, scope: ScopeId, *, limit: int, after: TurnCursor | None = None) -> list[SessionSummary]:
        """List up to `limit` sessions of `scope` by when they began, from after the place `after`."""
        with self._reading() as connection:
            return listing.sessions(connection, scope, after=after, limit=limit)

    def users(self, tenant: str, *, limit: int, after: str | None = None, only: str | None = None) -> list[UserSummary]:
        """List up to `limit` users of `tenant` of whom something is remembered, by name, from after `after`; or `only` one."""
        with self._reading() as connection:
            return listing.users(connection, tenant, after=after, limit=limit, only=only)

    def agents(self, tenant: str, user_id: str) -> list[str | None]:
        """Return the agents that have a memory of the user, None for the user's own."""
        query = select(col(ScopeRow.agent_id)).where(
            col(ScopeRow.tenant_id) == tenant, col(ScopeRow.user_id) == user_id
        )
        with self._reading() as connection:
            return [agent or None for agent in connection.execute(query.order_by(col(ScopeRow.agent_id))).scalars()]

    def counts(self, tenant: str | None = None) -> Counts:
        """Count the turns of a tenant, or of all, and those of them that wait for the index."""
        with self._reading() as connection:
            return listing.counts(connection, tenant)

    # what the indexer reads

    def waiting_scopes(self, *, after: ScopeId, limit: int) -> list[ScopeId]:
        """Return up to `limit` scopes that have turns waiting for the index, in the order of their keys, from after `after`."""
        with self._reading() as connection:
            scopes = connection.execute(WAITING_SCOPES, {"after": after, "most": limit}).scalars()
            return [ScopeId(one) for one in scopes]

    def oldest_waiting(self, scope: ScopeId, limit: int) -> list[Turn]:
        """Read up to `limit` turns of `scope` that the index does not hold yet, oldest first."""
        with self._reading() as connection:
            return [to_turn(row) for row in connection.execute(TURNS_WAITING, {"scope": scope, "most": limit})]

    def number_waiting(self, scope: ScopeId) -> int:
        """Count the turns of `scope` that the index does not hold yet."""
        with self._reading() as connection:
            return connection.execute(NUMBER_WAITING, {"scope": scope}).scalar_one()

    def any_waiting(self, scope: ScopeId, session_id: str, turn_ids: Sequence[str]) -> bool:
        """Return whether any of these turns of a session, by the caller's ids, is not in the index yet."""
        session = select(col(SessionRow.id)).where(col(SessionRow.scope_id) == scope, col(SessionRow.key) == session_id)
        waits = [col(TurnRow.session_id) == session.scalar_subquery(), ~col(TurnRow.indexed)]
        with self._reading() as connection:
            for start in range(0, len(turn_ids), KEYS_PER_QUERY):
                among = col(TurnRow.key).in_(turn_ids[start : start + KEYS_PER_QUERY])
                if connection.execute(select(col(TurnRow.id)).where(*waits, among).limit(1)).first():
                    return True
        return False

    def newest_pk(self) -> TurnPk:
        """Return the highest key in use, 0 for an empty store."""
        with self._reading() as connection:
            return TurnPk(connection.execute(select(func.max(col(TurnRow.id)))).scalar_one() or 0)

    def not_indexed(self, pks: Sequence[TurnPk]) -> list[TurnPk]:
        """Return those of these turns that the index must not hold: forgotten, no evidence, or not marked as indexed."""
        held: set[TurnPk] = set()
        with self._reading() as connection:
            for start in range(0, len(pks), KEYS_PER_QUERY):
                among = col(TurnRow.id).in_(pks[start : start + KEYS_PER_QUERY])
                held |= {
                    TurnPk(row[0])
                    for row in connection.execute(
                        select(col(TurnRow.id)).where(among, col(TurnRow.indexed), IS_EVIDENCE)
                    )
                }
        return [pk for pk in pks if pk not in held]

    def forgettings(self) -> dict[int, Forgetting]:
        """Read what is not known to have left the index: what was forgotten, or is no evidence any more; by its number."""
        query = select(col(ForgettingRow.id), col(ForgettingRow.scope_id), col(ForgettingRow.stays))
        with self._reading() as connection:
            return {row[0]: Forgetting(scope=ScopeId(row[1]), stays=row[2]) for row in connection.execute(query)}

    def left_index(self, forgettings: Iterable[int]) -> None:
        """Note that what these forgettings removed has left the index."""
        numbers = list(forgettings)
        with self._writing() as connection:
            for start in range(0, len(numbers), KEYS_PER_QUERY):
                chunk = numbers[start : start + KEYS_PER_QUERY]
                connection.execute(delete(ForgettingRow).where(col(ForgettingRow.id).in_(chunk)))

    def wipe(self) -> bool:
        """Remove the copies that the database's own files keep of what was forgotten; False if somebody still reads from them."""
        with store_faults():
            return self._database.wipe()

    def _admission(self) -> Callable[[Connection, ScopeId], None]:
        """Return what refuses new turns of a scope that is behind, for one transaction: only what waited before it counts."""
        admitted: set[ScopeId] = set()

        def admit(connection: Connection, scope: ScopeId) -> None:
            if scope not in admitted:
                self._refuse_if_behind(connection, scope)
                admitted.add(scope)

        return admit

    def _refuse_if_behind(self, connection: Connection, scope: ScopeId) -> None:
        """Raise IndexBehind if as many turns of the scope wait as may. Looks at so many entries of a partial index at most."""
        if self._most_waiting is None:
            return
        last = connection.execute(WAITING.offset(self._most_waiting - 1).limit(1), {"scope": scope}).first()
        if last is not None:
            raise IndexBehind(
                scope_id=scope,
                waiting=connection.execute(NUMBER_WAITING, {"scope": scope}).scalar_one(),
                limit=self._most_waiting,
                retry_after_s=_RETRY_S,
            )

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with store_faults(), self._database.reading() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with store_faults(), self._database.writing() as connection:
            yield connection


def _mark(connection: Connection, pks: Sequence[TurnPk], *, indexed: bool) -> None:
    for start in range(0, len(pks), KEYS_PER_QUERY):
        chunk = pks[start : start + KEYS_PER_QUERY]
        connection.execute(update(TurnRow).where(col(TurnRow.id).in_(chunk)).values(indexed=indexed))


def _find_scope(connection: Connection, scope: Scope) -> tuple[ScopeId, int] | None:
    row = connection.execute(SCOPE_OWNED, owner(scope)).first()
    return (ScopeId(row[0]), row[1]) if row else None


def _by_pk(rows: Result[Any]) -> dict[TurnPk, Turn]:
    return {turn.pk: turn for turn in map(to_turn, rows.all())}


def _keys(connection: Connection, query: Select[Any], scope: ScopeId) -> list[TurnPk]:
    return [TurnPk(pk) for pk in connection.execute(query, {"scope": scope}).scalars()]


def _speakers(connection: Connection, scope: ScopeId) -> list[str]:
    return list(connection.execute(SPEAKERS, {"scope": scope}).scalars())
