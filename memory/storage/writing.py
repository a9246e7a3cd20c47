"""Writing rows of the truth: the scope that is locked, its sessions, and turns appended to one; each within a transaction."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update
from sqlmodel import col

from memory.model import NewTurn, Scope, ScopeId, TurnPk
from memory.storage.schema import ScopeRow, SessionRow, TenantRow, TurnRow
from memory.storage.statements import SCOPE_OWNED, insert_if_absent, owner, to_row

__all__ = ["insert_turns", "lock_scope", "own_session", "set_epoch"]


def insert_turns(
    connection: Connection, new: Sequence[tuple[NewTurn, str]], *, scope: ScopeId, session: int, now: datetime
) -> list[TurnPk]:
    """Append turns to a session; returns their primary keys, in order.

    Args:
        connection: a transaction in which the scope is locked.
        new: the turns, each with its id.
        scope: the primary key of their scope.
        session: the primary key of their session.
        now: when they are remembered, and were said where they do not say it.
    """
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


def lock_scope(connection: Connection, scope: Scope, now: datetime) -> tuple[ScopeId, int]:
    """Find or found the scope and lock its row, so that writers of one scope queue."""
    query = SCOPE_OWNED.with_for_update()
    row = connection.execute(query, owner(scope)).first()
    if row is None:
        insert_if_absent(connection, TenantRow, id=scope.tenant, created_at=now, turns=0, closed=False)
        insert_if_absent(connection, ScopeRow, **owner(scope), epoch=0)
        row = connection.execute(query, owner(scope)).one()
    return ScopeId(row[0]), row[1]


def set_epoch(connection: Connection, scope: ScopeId, epoch: int) -> None:
    """Note the epoch of a scope that is locked."""
    connection.execute(update(ScopeRow).where(col(ScopeRow.id) == scope).values(epoch=epoch))


def own_session(connection: Connection, scope: ScopeId, key: str) -> int:
    """Find or found a session of a scope that is locked; returns its primary key."""
    query = select(col(SessionRow.id)).where(col(SessionRow.scope_id) == scope, col(SessionRow.key) == key)
    session = connection.execute(query).scalar()
    if session is None:
        connection.execute(insert(SessionRow).values(scope_id=scope, key=key))
        session = connection.execute(query).scalar_one()
    return session
