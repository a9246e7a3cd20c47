"""Turns as rows and back: what the store writes and reads, and the conditions that bind a statement to one scope."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select

from memory.repeats import content_hash
from memory.tables import ScopeRow, SessionRow, TurnRow, in_offset
from memory.turns import NewTurn, Scope, Turn, TurnPk

__all__ = ["owned_by", "select_turns", "to_row", "to_turn"]

_TURN = TurnRow.__table__  # type: ignore[attr-defined]
_SESSION = SessionRow.__table__  # type: ignore[attr-defined]
_SCOPE = ScopeRow.__table__  # type: ignore[attr-defined]
_TURN_COLUMNS = ("id", "scope_id", "session_id", "key", "position", "role", "speaker", "text", "said_at", "offset_s")
_OF_TURN = [_TURN.c[name] for name in _TURN_COLUMNS]


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
    """Select what makes a turn, with its session's id and its scope's key."""
    return select(*_OF_TURN, _SESSION.c.key.label("session_key")).join(_SESSION, _SESSION.c.id == _TURN.c.session_id)


def to_turn(row: Row[Any]) -> Turn:
    """Make a turn of a row of `select_turns`."""
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
