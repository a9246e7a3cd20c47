"""Listing: turns, sessions and users, counted and a page at a time, in an order that does not depend on what earlier pages held.

A page begins after a place, which is what the listing is sorted by. So it is found whether or not what stood there is still there.
"""

from sqlalchemy import Connection, and_, func, or_, select
from sqlmodel import col

from memory.model import Bounds, Counts, ScopeId, SessionSummary, Turn, TurnCursor, TurnPk, UserSummary
from memory.storage.database import KEYS_PER_QUERY
from memory.storage.schema import ScopeRow, SessionRow, TurnRow, UtcDateTime
from memory.storage.statements import TURNS, to_turn

__all__ = ["counts", "left_out", "page", "sessions", "turns_named", "users"]


def page(
    connection: Connection, scope: ScopeId, *, session_id: str | None, after: TurnCursor | None, limit: int
) -> list[Turn]:
    """Read turns of `scope`, in the order they were said.

    Args:
        connection: a transaction that reads.
        scope: whose turns are read.
        session_id: read the turns of this session only.
        after: begin after this place, (said_at, primary key).
        limit: the most turns.
    """
    said_at, pk = col(TurnRow.said_at), col(TurnRow.id)
    query = TURNS.order_by(said_at, pk).limit(limit)
    if session_id is None:
        query = query.where(col(TurnRow.scope_id) == scope)
    else:  # by the session's own index: reading the scope's would read all of its turns
        query = query.where(col(SessionRow.scope_id) == scope, col(SessionRow.key) == session_id)
    if after is not None:
        moment, last = after
        query = query.where(or_(said_at > moment, and_(said_at == moment, pk > last)))
    return [to_turn(row) for row in connection.execute(query)]


def turns_named(connection: Connection, scope: ScopeId, turn_id: str, *, limit: int) -> list[Turn]:
    """Read up to `limit` turns of `scope` that have this id: each session names its turns for itself."""
    of_scope = col(SessionRow.scope_id) == scope  # the sessions' keys, each looked up in the unique index of turns
    query = TURNS.where(of_scope, col(TurnRow.key) == turn_id).order_by(col(TurnRow.id)).limit(limit)
    return [to_turn(row) for row in connection.execute(query)]


def left_out(connection: Connection, scope: ScopeId, bounds: Bounds) -> set[TurnPk]:
    """Return the keys of the turns of `scope` that `bounds` leave out by their names."""
    query = select(col(TurnRow.id)).join(SessionRow, col(SessionRow.id) == col(TurnRow.session_id))
    named: dict[str, list[str]] = {}
    for session_id, turn_id in bounds.exclude:
        named.setdefault(session_id, []).append(turn_id)
    found: set[TurnPk] = set()
    whole = {bounds.exclude_session_id} if bounds.exclude_session_id is not None else set()
    for session_id in {*named} | whole:
        of_session = query.where(col(SessionRow.scope_id) == scope, col(SessionRow.key) == session_id)
        if session_id in whole:
            found |= {TurnPk(pk) for pk in connection.execute(of_session).scalars()}
            continue
        turn_ids = named[session_id]
        for start in range(0, len(turn_ids), KEYS_PER_QUERY):
            among = of_session.where(col(TurnRow.key).in_(turn_ids[start : start + KEYS_PER_QUERY]))
            found |= {TurnPk(pk) for pk in connection.execute(among).scalars()}
    return found


def sessions(connection: Connection, scope: ScopeId, *, after: TurnCursor | None, limit: int) -> list[SessionSummary]:
    """List up to `limit` sessions of `scope` by when they began, from after `after`; of those that began at once, by their turns.

    The database may give the key of a forgotten session to another one, but never that of a turn. So turns make the order.
    """
    said_at = col(TurnRow.said_at)
    started, first = func.min(said_at, type_=UtcDateTime()), func.min(col(TurnRow.id))
    query = (
        select(
            col(SessionRow.key),
            started.label("started_at"),
            func.max(said_at, type_=UtcDateTime()).label("last_at"),
            func.count().label("turns"),
            first.label("first"),
        )
        .join(TurnRow, col(TurnRow.session_id) == col(SessionRow.id))
        .where(col(TurnRow.scope_id) == scope)
        .group_by(col(SessionRow.id), col(SessionRow.key))
        .order_by(started, first)
        .limit(limit)
    )
    if after is not None:
        moment, last = after
        query = query.having(or_(started > moment, and_(started == moment, first > last)))
    return [
        SessionSummary(
            session_id=row.key,
            started_at=row.started_at,
            last_at=row.last_at,
            turns=row.turns,
            first_pk=TurnPk(row.first),
        )
        for row in connection.execute(query)
    ]


def users(connection: Connection, tenant: str, *, after: str | None, limit: int, only: str | None) -> list[UserSummary]:
    """List users of `tenant` of whom something is remembered, by name.

    Args:
        connection: a transaction that reads.
        tenant: whose users are listed.
        after: begin after this name.
        limit: the most users.
        only: list this user only.
    """
    user = col(ScopeRow.user_id)
    holding = select(col(TurnRow.id)).where(col(TurnRow.scope_id) == col(ScopeRow.id)).exists()
    chosen = select(user).distinct().where(col(ScopeRow.tenant_id) == tenant, holding).order_by(user).limit(limit)
    if after is not None:
        chosen = chosen.where(user > after)
    if only is not None:
        chosen = chosen.where(user == only)
    counted = (
        select(user, col(ScopeRow.agent_id), func.count().label("turns"))
        .join(TurnRow, col(TurnRow.scope_id) == col(ScopeRow.id))
        .where(col(ScopeRow.tenant_id) == tenant, user.in_(chosen))
        .group_by(user, col(ScopeRow.agent_id))
        .order_by(user, col(ScopeRow.agent_id))
    )
    held: dict[str, list[tuple[str, int]]] = {}
    for row in connection.execute(counted):
        held.setdefault(row.user_id, []).append((row.agent_id, row.turns))
    return [
        UserSummary(
            user_id=name,
            agents=tuple(agent for agent, _ in of_user if agent),
            turns=sum(turns for _, turns in of_user),
        )
        for name, of_user in held.items()
    ]


def counts(connection: Connection, tenant: str | None) -> Counts:
    """Count the turns of a tenant, or of all, and those that wait for the index, with the time when the first of these came."""
    count, first = select(func.count()).select_from(TurnRow), select(col(TurnRow.remembered_at))
    if tenant is not None:
        own = col(TurnRow.scope_id).in_(select(col(ScopeRow.id)).where(col(ScopeRow.tenant_id) == tenant))
        count, first = count.where(own), first.where(own)
    waits = ~col(TurnRow.indexed)
    return Counts(
        turns=connection.execute(count).scalar_one(),
        waiting=connection.execute(count.where(waits)).scalar_one(),
        waiting_since=connection.execute(first.where(waits).order_by(col(TurnRow.id)).limit(1)).scalar(),
    )
