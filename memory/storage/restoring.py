"""Restoring: archived turns stored as they stood, those that are there already left alone.

A turn gets back its ids, its time, when it was remembered, and its place in its session. Where that place, or a later one, is
taken, it comes after the session's last turn: what was said meanwhile is never pushed aside, and the archive's order stays.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, func, insert, select
from sqlmodel import col

from memory.model import ArchivedTurn, Restore, Restored, ScopeId, TurnOutcome
from memory.storage.database import KEYS_PER_QUERY
from memory.storage.idempotency import content_hash
from memory.storage.schema import SessionRow, TurnRow
from memory.storage.statements import SCOPE_OWNED, owner, to_row
from memory.storage.writing import lock_scope, own_session, set_epoch

__all__ = ["compare", "restore"]

_Name = tuple[str, str]  # session id, turn id
_Held = tuple[str, datetime | None]  # what a turn says, and when it was said, if that is known
_K = TypeVar("_K", int, str)


def restore(connection: Connection, request: Restore, *, admit: Callable[[Connection, ScopeId], None]) -> Restored:
    """Store the turns of `request` that are new; the scope's epoch rises if there are any.

    `admit` may refuse new turns of the scope by raising, before anything is written.
    """
    now = datetime.now(UTC)
    scope, epoch = lock_scope(connection, request.scope, now)
    sessions = _sessions(connection, scope, request.turns)
    outcomes = _outcomes(connection, sessions, request.turns)
    new = [turn for turn, outcome in zip(request.turns, outcomes, strict=True) if outcome == "stored"]
    if new:
        admit(connection, scope)
        for turn in new:
            if turn.session_id not in sessions:
                sessions[turn.session_id] = own_session(connection, scope, turn.session_id)
        connection.execute(insert(TurnRow), _rows(connection, scope, sessions, new, now))
        set_epoch(connection, scope, epoch + 1)
    return Restored(outcomes=tuple(outcomes))


def compare(connection: Connection, request: Restore) -> Restored:
    """Return what `restore` would do, without a change."""
    known = connection.execute(SCOPE_OWNED, owner(request.scope)).first()
    sessions = _sessions(connection, ScopeId(known[0]), request.turns) if known else {}
    return Restored(outcomes=tuple(_outcomes(connection, sessions, request.turns)))


def _sessions(connection: Connection, scope: ScopeId, turns: Sequence[ArchivedTurn]) -> dict[str, int]:
    """Return the primary keys of those of the turns' sessions that the scope has."""
    found: dict[str, int] = {}
    for names in _chunks({turn.session_id for turn in turns}):
        query = select(col(SessionRow.key), col(SessionRow.id))
        chosen = query.where(col(SessionRow.scope_id) == scope, col(SessionRow.key).in_(names))
        found |= {row.key: row.id for row in connection.execute(chosen)}
    return found


def _outcomes(connection: Connection, sessions: Mapping[str, int], turns: Sequence[ArchivedTurn]) -> list[TurnOutcome]:
    held = _held(connection, sessions, turns)
    outcomes: list[TurnOutcome] = []
    for turn in turns:
        name, says = (turn.session_id, turn.id), (content_hash(turn.new), turn.said_at)
        there = held.setdefault(name, says)  # a second line of one id is compared with the first
        outcomes.append("stored" if there is says else "duplicate" if _same(there, says) else "conflict")
    return outcomes


def _same(there: _Held, says: _Held) -> bool:
    return there == says or (there[0] == says[0] and None in {there[1], says[1]})


def _held(connection: Connection, sessions: Mapping[str, int], turns: Sequence[ArchivedTurn]) -> dict[_Name, _Held]:
    """Return what the sessions hold under the ids of these turns."""
    names = {pk: session for session, pk in sessions.items()}
    held: dict[_Name, _Held] = {}
    for pks in _chunks(names):
        for keys in _chunks({turn.id for turn in turns if turn.session_id in sessions}):
            query = select(
                col(TurnRow.session_id), col(TurnRow.key), col(TurnRow.content_hash), col(TurnRow.said_at)
            ).where(col(TurnRow.session_id).in_(pks), col(TurnRow.key).in_(keys))
            for row in connection.execute(query):
                held[names[row.session_id], row.key] = (row.content_hash, row.said_at)
    return held


def _rows(
    connection: Connection,
    scope: ScopeId,
    sessions: Mapping[str, int],
    turns: Sequence[ArchivedTurn],
    now: datetime,
) -> list[dict[str, Any]]:
    last = _last_places(connection, {sessions[turn.session_id] for turn in turns})
    rows: list[dict[str, Any]] = []
    for turn in turns:
        session = sessions[turn.session_id]
        following = last.get(session, -1) + 1
        last[session] = following if turn.position is None else max(turn.position, following)
        row = to_row(turn.new, key=turn.id, scope=scope, session=session, position=last[session], now=now)
        restored = {"remembered_at": turn.remembered_at or now, "instructions_off": turn.instructions_off}
        rows.append(row | restored)
    return rows


def _last_places(connection: Connection, sessions: set[int]) -> dict[int, int]:
    last: dict[int, int] = {}
    for pks in _chunks(sessions):
        query = select(col(TurnRow.session_id), func.max(col(TurnRow.position)).label("last"))
        chosen = query.where(col(TurnRow.session_id).in_(pks)).group_by(col(TurnRow.session_id))
        last |= {row.session_id: row.last for row in connection.execute(chosen)}
    return last


def _chunks(keys: Iterable[_K]) -> Iterator[list[_K]]:
    """Cut keys into what one statement may name."""
    listed = list(keys)
    for start in range(0, len(listed), KEYS_PER_QUERY):
        yield listed[start : start + KEYS_PER_QUERY]
