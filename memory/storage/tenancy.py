"""What is kept of a tenant as a whole: how many turns it has, whether it takes more, which are too old; and its end.

The number of turns is a column that is changed in the transaction that stores or removes them, after the scopes' rows are locked.
So it is exact over any number of processes, and a quota is never exceeded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, String, cast, func, literal, select, update
from sqlmodel import col

from memory.errors import TenantClosed, TenantFull
from memory.model import Scope, ScopeId, TurnPk
from memory.storage.database import Database, store_faults
from memory.storage.forgetting import Forgotten, forget_turns
from memory.storage.schema import ScopeRow, SessionRow, TenantRow, TurnRow
from memory.storage.statements import insert_if_absent

__all__ = ["ExpiredTurns", "TenantStore", "take_room"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiredTurns:
    """Turns of one scope that are kept for longer than they should be: their keys, and their names (session id, turn id)."""

    scope: Scope
    scope_id: ScopeId
    pks: tuple[TurnPk, ...]
    names: tuple[tuple[str, str], ...]


def take_room(connection: Connection, tenant: str, turns: int, *, most: int | None) -> None:
    """Count new turns of a tenant.

    It comes last in a transaction: the row stays locked to its end, and a transaction that removes turns locks the scope's row
    first, too.

    Args:
        connection: a transaction that may write.
        tenant: whose turns they are.
        turns: how many are new.
        most: how many the tenant may have in all; None for any number.

    Raises:
        TenantFull: there would be more than `most`.
        TenantClosed: the tenant is being deleted, or is.
    """
    open_one = (col(TenantRow.id) == tenant, ~col(TenantRow.closed))
    added = update(TenantRow).where(*open_one).values(turns=col(TenantRow.turns) + turns)
    held = connection.execute(added.returning(col(TenantRow.turns))).scalar()
    if held is None:
        raise TenantClosed(tenant)
    if most is not None and held > most:
        raise TenantFull(tenant=tenant, turns=held - turns, new=turns, limit=most)


class TenantStore:
    """The tenants of one database. Every method blocks, and raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def turns(self, tenants: Sequence[str]) -> dict[str, int]:
        """Return how many turns each of these tenants has; those that never had one are absent."""
        query = select(col(TenantRow.id), col(TenantRow.turns)).where(col(TenantRow.id).in_(tenants))
        with store_faults(), self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def set_closed(self, tenant: str, now: datetime, *, closed: bool) -> None:
        """Let a tenant take no turns any more, or again; those that are being stored are stored, or refused, as a whole."""
        with store_faults(), self._database.writing() as connection:
            insert_if_absent(connection, TenantRow, id=tenant, created_at=now, turns=0, closed=closed)
            connection.execute(update(TenantRow).where(col(TenantRow.id) == tenant).values(closed=closed))

    def scopes(self, tenant: str, remembered_before: datetime | None = None) -> list[tuple[ScopeId, Scope]]:
        """Return every scope of a tenant, those too of which all is forgotten; or those whose first turn is older than a moment."""
        query = select(col(ScopeRow.id), col(ScopeRow.user_id), col(ScopeRow.agent_id))
        if remembered_before is not None:
            first = select(col(TurnRow.remembered_at)).where(col(TurnRow.scope_id) == col(ScopeRow.id))
            query = query.where(first.order_by(col(TurnRow.id)).limit(1).scalar_subquery() < remembered_before)
        with store_faults(), self._database.reading() as connection:
            rows = connection.execute(query.where(col(ScopeRow.tenant_id) == tenant).order_by(col(ScopeRow.id)))
            return [(ScopeId(pk), _scope(tenant, user, agent)) for pk, user, agent in rows]

    def expired(self, scope: tuple[ScopeId, Scope], before: datetime, limit: int) -> ExpiredTurns | None:
        """Return up to `limit` of the turns of a scope that were remembered before a moment; None if there is none.

        Turns are looked at in the order they were stored, up to the first that is young enough.
        """
        scope_id, owner = scope
        session_key: Any = col(SessionRow.key).label("session_key")
        query = (
            select(col(TurnRow.id), col(TurnRow.key), session_key, col(TurnRow.remembered_at))
            .join(SessionRow, col(SessionRow.id) == col(TurnRow.session_id))
            .where(col(TurnRow.scope_id) == scope_id)
            .order_by(col(TurnRow.id))
            .limit(limit)
        )
        with store_faults(), self._database.reading() as connection:
            rows = [row for row in connection.execute(query) if row.remembered_at < before]
        if not rows:
            return None
        names = tuple((row.session_key, row.key) for row in rows)
        return ExpiredTurns(scope=owner, scope_id=scope_id, pks=tuple(TurnPk(row.id) for row in rows), names=names)

    def forget(self, expired: ExpiredTurns) -> Forgotten:
        """Remove turns that have expired, as `TurnStore.forget` does."""
        with store_faults(), self._database.forgetting() as connection:
            return forget_turns(connection, expired.scope_id, expired.pks)

    def unname(self, tenant: str) -> None:
        """Replace the names of users and agents of a tenant by numbers. Raises ValueError while it still has turns."""
        held = select(func.count()).select_from(TurnRow).join(ScopeRow, col(ScopeRow.id) == col(TurnRow.scope_id))
        named = literal("forgotten ").op("||")(cast(col(ScopeRow.id), String))
        with store_faults(), self._database.forgetting() as connection:
            if connection.execute(held.where(col(ScopeRow.tenant_id) == tenant)).scalar_one():
                raise ValueError(f"the tenant {tenant!r} still has turns")
            connection.execute(
                update(ScopeRow).where(col(ScopeRow.tenant_id) == tenant).values(user_id=named, agent_id="")
            )


def _scope(tenant: str, user_id: str, agent_id: str) -> Scope:
    return Scope(tenant=tenant, user_id=user_id, agent_id=agent_id or None)
