"""Turns as rows and back: what the store writes and reads, and the statements of every question, each bound to one scope."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, select, union_all

from memory.repeats import content_hash
from memory.tables import ScopeRow, SessionRow, TurnRow, in_offset
from memory.turns import NewTurn, Scope, Turn, TurnPk

__all__ = [
    "SCOPE_OWNED",
    "SPEAKERS",
    "TURNS",
    "TURNS_AROUND",
    "TURNS_OF",
    "TURNS_WAITING",
    "owner",
    "to_row",
    "to_turn",
]

_TURN = TurnRow.__table__  # type: ignore[attr-defined]
_SESSION = SessionRow.__table__  # type: ignore[attr-defined]
_SCOPE = ScopeRow.__table__  # type: ignore[attr-defined]
_TURN_COLUMNS = ("id", "scope_id", "session_id", "key", "position", "role", "speaker", "text", "said_at", "offset_s")
_MOST_SPEAKERS = 256


def _select_turns() -> Select[Any]:
    """Select what makes a turn, with its session's id."""
    columns = [_TURN.c[name] for name in _TURN_COLUMNS]
    return select(*columns, _SESSION.c.key.label("session_key")).join(_SESSION, _SESSION.c.id == _TURN.c.session_id)


def _select_beside(step: int) -> Select[Any]:
    """Select by equality of place, so that each is one look-up in the unique index of places."""
    middle = _TURN.alias("middle")
    there = (_TURN.c.session_id == middle.c.session_id) & (_TURN.c.position == middle.c.position + step)
    chosen = (middle.c.scope_id == bindparam("scope"), middle.c.id.in_(bindparam("leading", expanding=True)))
    return TURNS.join(middle, there).where(*chosen)


def _select_speakers() -> Select[Any]:
    """Step from name to name through the index, since DISTINCT would read every turn of the scope."""
    named = (_TURN.c.scope_id == bindparam("scope"), _TURN.c.speaker.is_not(None))
    first = select(func.min(_TURN.c.speaker).label("name")).where(*named).cte("names", recursive=True)
    following = select(func.min(_TURN.c.speaker)).where(*named, _TURN.c.speaker > first.c.name).scalar_subquery()
    names = first.union_all(select(following).where(first.c.name.is_not(None)))
    return select(names.c.name).where(names.c.name.is_not(None)).limit(_MOST_SPEAKERS)


# Statements of every question are built once: building one takes longer than running it. `scope`, `pks` and `leading` are bound.
SCOPE_OWNED = select(_SCOPE.c.id, _SCOPE.c.epoch).where(
    _SCOPE.c.tenant_id == bindparam("tenant_id"),
    _SCOPE.c.user_id == bindparam("user_id"),
    _SCOPE.c.agent_id == bindparam("agent_id"),
)
TURNS = _select_turns()
TURNS_WAITING = TURNS.where(_TURN.c.scope_id == bindparam("scope"), ~_TURN.c.indexed).order_by(_TURN.c.id)
TURNS_OF = TURNS.where(_TURN.c.scope_id == bindparam("scope"), _TURN.c.id.in_(bindparam("pks", expanding=True)))
TURNS_AROUND = union_all(TURNS_OF, _select_beside(-1), _select_beside(1))  # one statement: each has its price
SPEAKERS = _select_speakers()


def to_row(turn: NewTurn, *, key: str, scope: int, session: int, position: int, now: datetime) -> dict[str, Any]:
    """Give the row of a new turn."""
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
    """Give the columns that say whose row a scope's is, which `SCOPE_OWNED` binds."""
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
