"""Turns as rows and back: what the store writes and reads, and the statements of every question, each bound to one scope."""

from datetime import datetime
from typing import Any

from sqlalchemy import Label, Row, Select, bindparam, func, select, union_all
from sqlalchemy.orm import aliased
from sqlmodel import col

from memory.model import NewTurn, Scope, Turn, TurnPk
from memory.storage.idempotency import content_hash
from memory.storage.schema import ScopeRow, SessionRow, TurnRow, in_offset

__all__ = [
    "SCOPE_OWNED",
    "SPEAKERS",
    "TURNS",
    "TURNS_AROUND",
    "TURNS_OF",
    "TURNS_OF_SCOPE",
    "TURNS_WAITING",
    "owner",
    "to_row",
    "to_turn",
]

_MOST_SPEAKERS = 256


def _select_turns() -> Select[*tuple[Any, ...]]:
    """Select what makes a turn, with its session's id."""
    columns = [
        col(TurnRow.id), col(TurnRow.scope_id), col(TurnRow.session_id), col(TurnRow.key), col(TurnRow.position),
        col(TurnRow.role), col(TurnRow.speaker), col(TurnRow.text), col(TurnRow.said_at), col(TurnRow.offset_s),
    ]  # fmt: skip
    named: Label[str] = col(SessionRow.key).label("session_key")
    return select(*columns, named).join(SessionRow, col(SessionRow.id) == col(TurnRow.session_id))


def _select_beside(step: int) -> Select[*tuple[Any, ...]]:
    """Select by equality of place, so that each is one look-up in the unique index of places."""
    middle = aliased(TurnRow, name="middle")
    there = (col(TurnRow.session_id) == middle.session_id) & (col(TurnRow.position) == middle.position + step)
    chosen = (col(middle.scope_id) == bindparam("scope"), col(middle.id).in_(bindparam("leading", expanding=True)))
    return TURNS.join(middle, there).where(*chosen)


def _select_speakers() -> Select[str]:
    """Step from name to name through the index, since DISTINCT would read every turn of the scope."""
    speaker = col(TurnRow.speaker)
    named = (col(TurnRow.scope_id) == bindparam("scope"), speaker.is_not(None))
    first = select(func.min(speaker).label("name")).where(*named).cte("names", recursive=True)
    following = select(func.min(speaker)).where(*named, speaker > first.c.name).scalar_subquery()
    names = first.union_all(select(following).where(first.c.name.is_not(None)))
    return select(names.c.name).where(names.c.name.is_not(None)).limit(_MOST_SPEAKERS)


# Statements of every question are built once: building one takes longer than running it. `scope`, `pks` and `leading` are bound.
SCOPE_OWNED = select(col(ScopeRow.id), col(ScopeRow.epoch)).where(
    col(ScopeRow.tenant_id) == bindparam("tenant_id"),
    col(ScopeRow.user_id) == bindparam("user_id"),
    col(ScopeRow.agent_id) == bindparam("agent_id"),
)
TURNS = _select_turns()
_OF_SCOPE = col(TurnRow.scope_id) == bindparam("scope")
TURNS_OF_SCOPE = TURNS.where(_OF_SCOPE).order_by(col(TurnRow.id))
TURNS_WAITING = TURNS.where(_OF_SCOPE, ~col(TurnRow.indexed)).order_by(col(TurnRow.id))
TURNS_OF = TURNS.where(_OF_SCOPE, col(TurnRow.id).in_(bindparam("pks", expanding=True)))
TURNS_AROUND = union_all(TURNS_OF, _select_beside(-1), _select_beside(1))  # one statement: each costs a round trip
SPEAKERS = _select_speakers()


def to_row(turn: NewTurn, *, key: str, scope: int, session: int, position: int, now: datetime) -> dict[str, Any]:
    """Return the row of a new turn."""
    said_at = turn.said_at or now
    offset = said_at.utcoffset()
    return {
        "scope_id": scope,
        "session_id": session,
        "key": key,
        "position": position,
        "role": turn.role,
        "speaker": turn.speaker,
        "text": turn.text,
        "said_at": said_at,
        "offset_s": int(offset.total_seconds()) if offset else 0,
        "content_hash": content_hash(turn),
        "indexed": False,
        "remembered_at": now,
    }


def owner(scope: Scope) -> dict[str, str]:
    """Return the columns that say whose row a scope's is, which `SCOPE_OWNED` binds."""
    return {"tenant_id": scope.tenant, "user_id": scope.user_id, "agent_id": scope.agent_id or ""}


def to_turn(row: Row[Any]) -> Turn:
    """Make a turn of a row of `TURNS`."""
    pk, _, session_pk, key, position, role, speaker, text, said_at, offset_s, session_id = tuple(row)
    return Turn(
        pk=TurnPk(pk),
        session_pk=session_pk,
        id=key,
        session_id=session_id,
        position=position,
        role=role,
        speaker=speaker,
        text=text,
        said_at=in_offset(said_at, offset_s),
    )
