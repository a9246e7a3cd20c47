"""The audit log's tables: one row a change, and each tenant's salt for the names of those who were forgotten."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table

from memory.storage.schema import UtcDateTime

__all__ = ["AUDIT_ENTRY", "AUDIT_SALT", "METADATA"]

METADATA = MetaData()  # apart from the tables of others in the same database

AUDIT_ENTRY = Table(
    "audit_entry",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("tenant_id", String(128), nullable=False),
    Column("key_id", String(128)),
    Column("what", String(32), nullable=False),
    Column("user_id", String(128)),
    Column("user_hash", String(64)),
    Column("agent_id", String(128)),
    Column("count", Integer, nullable=False),
    Column("request_id", String(128)),
    Index("audit_entry_tenant", "tenant_id", "id"),
    Index("audit_entry_user", "tenant_id", "user_id", "id"),
    Index("audit_entry_hash", "tenant_id", "user_hash", "id"),
)

AUDIT_SALT = Table(
    "audit_salt",
    METADATA,
    Column("tenant_id", String(128), primary_key=True),
    Column("salt", LargeBinary(32), nullable=False),
)
