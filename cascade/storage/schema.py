"""The cascade's tables: decisions and the turns they used, what was said of them, cached answers, shadow answers, responses."""

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    false,
)

__all__ = ["CACHED", "DECISION", "DECISION_TURN", "FEEDBACK", "METADATA", "RESPONSE", "SHADOW"]


METADATA = MetaData()  # apart from the tables of others in the same database


class _Utc(TypeDecorator[datetime]):
    """A moment; databases that keep no zone keep UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Store UTC."""
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Read UTC."""
        if value is None:
            return None
        return value if value.tzinfo else value.replace(tzinfo=UTC)


DECISION = Table(
    "decision",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("tenant_id", String(128), nullable=False, index=True),
    Column("user_id", String(128), nullable=False),
    Column("agent_id", String(128), nullable=False),
    Column("path", String(16), nullable=False),
    Column("decided_at", _Utc, nullable=False),
    Column("record", Text, nullable=False),
    Column("cost_nanousd", BigInteger, nullable=False),
    Column("frontier_nanousd", BigInteger),
    Column("latency_ms", Integer, nullable=False),
    Column("imported", Boolean, nullable=False, server_default=false()),  # made elsewhere, and paid for there
    Index("decision_scope", "tenant_id", "user_id", "agent_id", "decided_at", "id"),
    Index("decision_time", "tenant_id", "decided_at", "id"),
    Index("decision_path", "tenant_id", "path", "latency_ms"),
)

DECISION_TURN = Table(
    "decision_turn",
    METADATA,
    Column("decision_id", String(32), ForeignKey("decision.id"), primary_key=True),
    Column("session_key", String(256), primary_key=True),
    Column("turn_key", String(256), primary_key=True),
    Index("decision_turn_turn", "session_key", "turn_key"),
)

CACHED = Table(
    "cached_answer",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("tenant_id", String(128), nullable=False),
    Column("decision_id", String(32), ForeignKey("decision.id"), nullable=False, index=True),
    Column("request", Text, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("stored_at", _Utc, nullable=False),
    Column("expires_at", _Utc, nullable=False, index=True),
)

SHADOW = Table(
    "shadow",
    METADATA,
    Column("decision_id", String(32), ForeignKey("decision.id"), primary_key=True),
    Column("tenant_id", String(128), nullable=False, index=True),
    Column("agrees", Boolean, nullable=False),
    Column("overlap", Float, nullable=False),
    Column("answer", Text, nullable=False),
    Column("cost_nanousd", BigInteger, nullable=False),
)

FEEDBACK = Table(
    "feedback",
    METADATA,
    Column("decision_id", String(32), ForeignKey("decision.id"), primary_key=True),
    Column("tenant_id", String(128), nullable=False),
    Column("correct", Boolean, nullable=False),
    Column("given_at", _Utc, nullable=False),
    Index("feedback_tenant", "tenant_id", "decision_id"),
)

RESPONSE = Table(
    "response",
    METADATA,
    Column("decision_id", String(32), ForeignKey("decision.id"), primary_key=True),
    Column("tenant_id", String(128), nullable=False),
    Column("user_id", String(128), nullable=False),
    Column("agent_id", String(128), nullable=False),
    Column("session_key", String(256), nullable=False),
    Column("previous_id", String(32)),
    Column("stored_at", _Utc, nullable=False),
    Column("input", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("response_session", "tenant_id", "user_id", "agent_id", "session_key", "stored_at"),
)
