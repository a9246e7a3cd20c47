"""Turns as rows and back: what the store writes and reads, and the statements of every question, each bound to one scope."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Label, Select, bindparam, func, select, union_all
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased
from sqlmodel import SQLModel, col

from memory.model import NewTurn, Scope, Turn, TurnPk
from memory.storage.idempotency import content_hash
from memory.storage.schema import ScopeRow, SessionRow, TurnRow, in_offset

__all__ = [
    "EVIDENCE_OF_SCOPE",
    "EVIDENCE_WAITING",
    "IS_EVIDENCE",
    "NUMBER_WAITING",
    "SCOPE_OWNED",
    "SPEAKERS",
    "TURNS",
    "TURNS_AROUND",
    "TURNS_OF",
    "TURNS_WAITING",
    "WAITING",
    "WAITING_SCOPES",
    "insert_if_absent",
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
        col(TurnRow.flag),
    ]  # fmt: skip
    named: Label[str] = col(SessionRow.key).label("session_key")
    return select(*columns, named).join(SessionRow, col(SessionRow.id) == col(TurnRow.session_id))


def _select_beside(step: int) -> Select[*tuple[Any, ...]]:
    """Select evidence by equality of place, so that each is one look-up in the unique index of places."""
    middle = aliased(TurnRow, name="middle")
    there = (col(TurnRow.session_id) == middle.session_id) & (col(TurnRow.position) == middle.position + step)
    chosen = (col(middle.scope_id) == bindparam("scope"), col(middle.id).in_(bindparam("leading", expanding=True)))
    return TURNS.join(middle, there).where(*chosen, IS_EVIDENCE)


def _select_speakers() -> Select[str]:
    """Step from name to name through the index, since DISTINCT would read every turn of the scope."""
    speaker = col(TurnRow.speaker)
    named = (col(TurnRow.scope_id) == bindparam("scope"), speaker.is_not(None), IS_EVIDENCE)
    first = select(func.min(speaker).label("name")).where(*named).cte("names", recursive=True)
    following = select(func.min(speaker)).where(*named, speaker > first.c.name).scalar_subquery()
    names = first.union_all(select(following).where(first.c.name.is_not(None)))
    return select(names.c.name).where(names.c.name.is_not(None)).limit(_MOST_SPEAKERS)


def _select_waiting_scopes() -> Select[int]:
    """Step from scope to scope through the index of waiting turns, from after the scope `after`, as `_select_speakers` does."""
    scope, waits = col(TurnRow.scope_id), ~col(TurnRow.indexed)
    first = (
        select(func.min(scope).label("scope")).where(waits, scope > bindparam("after")).cte("scopes", recursive=True)
    )
    following = select(func.min(scope)).where(waits, scope > first.c.scope).scalar_subquery()
    scopes = first.union_all(select(following).where(first.c.scope.is_not(None)))
    return select(scopes.c.scope).where(scopes.c.scope.is_not(None)).limit(bindparam("most"))


# Statements of every question are built once: building one takes longer than running it. `scope`, `pks` and `leading` are bound.
SCOPE_OWNED = select(col(ScopeRow.id), col(ScopeRow.epoch)).where(
    col(ScopeRow.tenant_id) == bindparam("tenant_id"),
    col(ScopeRow.user_id) == bindparam("user_id"),
    col(ScopeRow.agent_id) == bindparam("agent_id"),
)
IS_EVIDENCE = col(TurnRow.flag).is_(None)
TURNS = _select_turns()
_OF_SCOPE = col(TurnRow.scope_id) == bindparam("scope")
_WAITS = (_OF_SCOPE, ~col(TurnRow.indexed))
KEYS_OF_SCOPE = select(col(TurnRow.id)).where(_OF_SCOPE).order_by(col(TurnRow.id))
WAITING = KEYS_OF_SCOPE.where(~col(TurnRow.indexed))
EVIDENCE_OF_SCOPE = KEYS_OF_SCOPE.where(IS_EVIDENCE)
EVIDENCE_WAITING = WAITING.where(IS_EVIDENCE)
NUMBER_WAITING = select(func.count()).select_from(TurnRow).where(*_WAITS)
WAITING_SCOPES = _select_waiting_scopes()
TURNS_WAITING = TURNS.where(*_WAITS).order_by(col(TurnRow.id)).limit(bindparam("most"))
TURNS_OF = TURNS.where(_OF_SCOPE, IS_EVIDENCE, col(TurnRow.id).in_(bindparam("pks", expanding=True)))
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
        "flag": turn.flag,
    }


def owner(scope: Scope) -> dict[str, str]:
    """Return the columns that say whose row a scope's is, which `SCOPE_OWNED` binds."""
    return {"tenant_id": scope.tenant, "user_id": scope.user_id, "agent_id": scope.agent_id or ""}


def insert_if_absent(connection: Connection, table: type[SQLModel], **values: str | int | datetime) -> None:
    """Insert a row unless one with its key is there."""
    match connection.dialect.name:
        case "sqlite":
            connection.execute(sqlite.insert(table).values(**values).on_conflict_do_nothing())
        case "postgresql":
            connection.execute(postgresql.insert(table).values(**values).on_conflict_do_nothing())
        case name:
            raise NotImplementedError(f"no store for the database {name!r}: use sqlite or postgresql")


def to_turn(row: Sequence[Any]) -> Turn:
    """Make a turn of a row of `TURNS`."""
    pk, _, session_pk, key, position, role, speaker, text, said_at, offset_s, flag, session_id = tuple(row)
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
        flag=flag,
    )
