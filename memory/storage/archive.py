"""What an archive takes of the truth: whose memories a tenant has, and their turns in the order they were stored.

Reads in a transaction that is handed in, so that an archive of many packages is of one moment. Holds a page at a time: nothing
here grows with what is stored.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select, tuple_
from sqlalchemy.orm import Mapped
from sqlmodel import col

from memory.model import ArchivedTurn, Extent, Scope
from memory.storage.schema import ScopeRow, SessionRow, TurnRow, in_offset
from memory.storage.statements import SCOPE_OWNED, owner

__all__ = ["archived_turns", "extent_of", "scopes_of"]

_SCOPES_PER_PAGE = 200
_TURNS_PER_FETCH = 100


def scopes_of(connection: Connection, tenant: str, *, user_id: str | None = None) -> Iterator[Scope]:
    """Yield the scopes of a tenant, or of one of its users, that hold turns: by user, then agent, in the order of their bytes."""
    user, agent = _by_bytes(connection, col(ScopeRow.user_id)), _by_bytes(connection, col(ScopeRow.agent_id))
    holding = select(col(TurnRow.id)).where(col(TurnRow.scope_id) == col(ScopeRow.id)).exists()
    query = select(col(ScopeRow.user_id), col(ScopeRow.agent_id)).where(col(ScopeRow.tenant_id) == tenant, holding)
    if user_id is not None:
        query = query.where(col(ScopeRow.user_id) == user_id)
    query = query.order_by(user, agent).limit(_SCOPES_PER_PAGE)
    rows = connection.execute(query).all()
    while rows:
        for row in rows:
            yield Scope(tenant=tenant, user_id=row.user_id, agent_id=row.agent_id or None)
        last = rows[-1]
        rows = connection.execute(query.where(tuple_(user, agent) > (last.user_id, last.agent_id))).all()


def archived_turns(connection: Connection, scope: Scope) -> Iterator[ArchivedTurn]:
    """Yield the turns of `scope` in the order they were stored; none for an unknown scope."""
    known = connection.execute(SCOPE_OWNED, owner(scope)).first()
    if known is None:
        return
    query: Select[*tuple[Any, ...]] = (
        select(
            col(SessionRow.key).label("session_key"),
            col(TurnRow.key),
            col(TurnRow.role),
            col(TurnRow.text),
            col(TurnRow.speaker),
            col(TurnRow.said_at),
            col(TurnRow.offset_s),
            col(TurnRow.position),
            col(TurnRow.remembered_at),
            col(TurnRow.flag),
            col(TurnRow.instructions_off),
        )
        .join(SessionRow, col(SessionRow.id) == col(TurnRow.session_id))
        .where(col(TurnRow.scope_id) == known[0])
        .order_by(col(TurnRow.id))
    )
    for row in connection.execute(query, execution_options={"yield_per": _TURNS_PER_FETCH}):
        yield ArchivedTurn(
            session_id=row.session_key,
            id=row.key,
            role=row.role,
            text=row.text,
            speaker=row.speaker,
            said_at=in_offset(row.said_at, row.offset_s),
            position=row.position,
            remembered_at=row.remembered_at,
            flag=row.flag,
            instructions_off=row.instructions_off,
        )


def extent_of(connection: Connection, scope: Scope) -> Extent:
    """Return the epoch of `scope`, the number of its turns and of their characters; nothing of an unknown one."""
    known = connection.execute(SCOPE_OWNED, owner(scope)).first()
    if known is None:
        return Extent(epoch=0, turns=0, characters=0)
    sizes = select(func.count(), func.sum(func.length(col(TurnRow.text)))).where(col(TurnRow.scope_id) == known[0])
    turns, characters = connection.execute(sizes).one()
    return Extent(epoch=known[1], turns=turns, characters=int(characters or 0))


def _by_bytes(connection: Connection, column: Mapped[str]) -> ColumnElement[str]:
    """Compare as SQLite does, whatever the language of the database: one order on all, for equal archives."""
    return column.collate("C" if connection.dialect.name == "postgresql" else "BINARY")
