"""The truth, as SQL tables: tenant, scope (with its epoch), session, turn; what is derived from turns; what is yet to be forgotten.

Rows stay inside `memory.storage.store`. A moment is kept as UTC plus the offset it was given in, because SQLite keeps no zones
and "yesterday" is a matter of the speaker's own clock.
"""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from sqlalchemy import Column, DateTime, ForeignKey, Index, Integer, Text, UniqueConstraint, text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

__all__ = [
    "METADATA",
    "ForgettingRow",
    "InstructionRow",
    "ScopeRow",
    "SessionRow",
    "TenantRow",
    "TurnRow",
    "UtcDateTime",
    "in_offset",
]


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC moment on every database; a naive one is refused instead of guessed at."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Turn an aware moment into UTC for the database."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return an aware UTC moment; SQLite drops the zone, so it is put back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def in_offset(moment: datetime, offset_s: int) -> datetime:
    """Convert a UTC datetime to the offset it was recorded with."""
    return moment.astimezone(timezone(timedelta(seconds=offset_s)) if offset_s else UTC)


class _MemoryRow(SQLModel, registry=registry()):
    """The tables of this package, apart from those of others in the same database."""


METADATA = _MemoryRow.metadata


class TenantRow(_MemoryRow, table=True):
    """Who owns a key; nothing crosses tenants. `turns` are all of its turns; a `closed` one takes no more."""

    __tablename__ = "tenant"

    id: str = Field(primary_key=True, max_length=128)
    created_at: datetime = Field(sa_type=UtcDateTime)
    turns: int = Field(default=0)
    closed: bool = Field(default=False)


class ScopeRow(_MemoryRow, table=True):
    """Whose memory it is; an empty `agent_id` means none. `epoch` rises with every change."""

    __tablename__ = "scope"
    __table_args__ = (UniqueConstraint("tenant_id", "user_id", "agent_id", name="scope_owner"),)

    id: int = Field(default=None, primary_key=True)  # the database gives it
    tenant_id: str = Field(foreign_key="tenant.id", max_length=128)
    user_id: str = Field(max_length=128)
    agent_id: str = Field(default="", max_length=128)
    epoch: int = Field(default=0)


class SessionRow(_MemoryRow, table=True):
    """One conversation of a scope; `key` is the caller's own id for it.

    `shared`: it was found by what was said in it, and nothing was new. That was a retry, or a second conversation that is word for
    word the same so far.
    """

    __tablename__ = "session"
    __table_args__ = (UniqueConstraint("scope_id", "key", name="session_key"),)

    id: int = Field(default=None, primary_key=True)  # the database gives it
    scope_id: int = Field(foreign_key="scope.id")
    key: str = Field(max_length=256)
    shared: bool = Field(default=False)


# As SQLAlchemy writes `~indexed` on either database: a partial index serves only queries that repeat its condition.
_WAITING: dict[str, Any] = {"sqlite_where": text("indexed = 0"), "postgresql_where": text("NOT indexed")}
_NAMED_EVIDENCE = text("speaker IS NOT NULL AND flag IS NULL")
_NAMED: dict[str, Any] = {"sqlite_where": _NAMED_EVIDENCE, "postgresql_where": _NAMED_EVIDENCE}


class TurnRow(_MemoryRow, table=True):
    """One verbatim message. One with a flag is no evidence (`memory.model.Flag`).

    Only `indexed`, `flag` and `instructions_off` ever change. The last says that a person wants no instruction of it followed.
    """

    __tablename__ = "turn"
    __table_args__ = (
        UniqueConstraint("session_id", "key", name="turn_key"),
        UniqueConstraint("session_id", "position", name="turn_position"),
        Index("turn_content", "session_id", "content_hash"),
        Index("turn_scope", "scope_id", "id"),
        Index("turn_said", "scope_id", "content_hash"),
        Index("turn_waiting", "id", **_WAITING),
        Index("turn_waiting_scope", "scope_id", "id", **_WAITING),
        Index("turn_speaker", "scope_id", "speaker", **_NAMED),
        # The index may still know the key of a forgotten turn, so it is never given again.
        {"sqlite_autoincrement": True},
    )

    id: int = Field(default=None, primary_key=True)  # the database gives it
    scope_id: int = Field(foreign_key="scope.id")
    session_id: int = Field(foreign_key="session.id")
    key: str = Field(max_length=256)
    position: int
    role: str = Field(max_length=16)
    speaker: str | None = Field(default=None, max_length=128)
    text: str = Field(sa_type=Text)
    said_at: datetime = Field(sa_type=UtcDateTime)
    offset_s: int
    content_hash: str = Field(max_length=32)
    indexed: bool = Field(default=False)
    remembered_at: datetime = Field(sa_type=UtcDateTime)
    flag: str | None = Field(default=None, max_length=16)
    instructions_off: bool = Field(default=False)


class ForgettingRow(_MemoryRow, table=True):
    """Something of the scope was forgotten, and the index's files may still hold it; removed when they no longer do.

    Where it `stays` in the store, being no evidence any more, it must not be found; its copies may lie in the files.
    """

    __tablename__ = "forgetting"

    id: int = Field(default=None, primary_key=True)  # the database gives it
    scope_id: int = Field(foreign_key="scope.id")
    stays: bool = Field(default=False)


class InstructionRow(_MemoryRow, table=True):
    """A stretch `[start, stop)` of a turn that gives a standing instruction or preference. It goes with its turn.

    Derived: made anew whenever the turn is indexed.
    """

    __tablename__ = "instruction"
    __table_args__ = (Index("instruction_scope", "scope_id"),)

    turn_id: int = Field(sa_column=Column(Integer, ForeignKey("turn.id", ondelete="CASCADE"), primary_key=True))
    start: int = Field(primary_key=True)
    stop: int
    scope_id: int = Field(foreign_key="scope.id")
