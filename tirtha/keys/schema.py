"""The table of keys. It holds no secret: `digest` is an HMAC under the pepper, and `pepper` that pepper's fingerprint."""

from sqlalchemy import Boolean, Column, Index, MetaData, String, Table

from memory.storage.schema import UtcDateTime

__all__ = ["API_KEY", "METADATA"]

METADATA = MetaData()  # apart from the tables of others in the same database

API_KEY = Table(
    "api_key",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("name", String(128), nullable=False),
    Column("rights", String(32), nullable=False),
    Column("user_id", String(128)),
    Column("trusted_proxy", Boolean, nullable=False),
    Column("time_zone", String(64)),
    Column("digest", String(64), nullable=False),
    Column("pepper", String(32), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Index("api_key_tenant", "tenant_id", "created_at", "id"),
    Index("api_key_created", "created_at", "id"),
)
