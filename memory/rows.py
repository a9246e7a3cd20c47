"""Turns as rows and back: what the store writes and reads, and the conditions that bind a statement to one scope."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select

from memory.repeats import content_hash
from memory.tables import ScopeRow, SessionRow, TurnRow, in_offset
from memory.turns import NewTurn, Role, Scope, Turn, TurnPk

__all__ = ["owned_by", "select_turns", "to_row", "to_turn"]

_TURN = TurnRow.__table__  # type: ignore[attr-defined]
_SESSION = SessionRow.__table__  # type: ignore[attr-defined]
_SCOPE = ScopeRow.__table__  # type: ignore[attr-defined]


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


def owned_by(scope: Scope) -> tuple[Any, ...]:
    """Give the conditions that choose a scope's row."""
    return (
        _SCOPE.c.tenant_id == scope.tenant,
        _SCOPE.c.user_id == scope.user_id,
        _SCOPE.c.agent_id == (scope.agent_id or ""),
    )


def select_turns() -> Select[Any]:
    """Select turns with their session's id."""
    return select(_TURN, _SESSION.c.key.label("session_key")).join(_SESSION, _SESSION.c.id == _TURN.c.session_id)


def to_turn(row: Row[Any]) -> Turn:
    """Make a turn of a row of `select_turns`."""
    role: Role = row.role
    return Turn(
        pk=TurnPk(row.id),
        session_pk=row.session_id,
        id=row.key,
        session_id=row.session_key,
        position=row.position,
        role=role,
        speaker=row.speaker,
        text=row.text,
        said_at=in_offset(row.said_at, row.offset_s),
    )
