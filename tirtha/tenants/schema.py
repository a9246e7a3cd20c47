"""The table of tenants. What was set for one is a JSON object of its values, without those that were not."""

from sqlalchemy import Column, DateTime, MetaData, String, Table, Text

__all__ = ["MANAGED_TENANT", "METADATA"]

METADATA = MetaData()  # apart from the tables of others in the same database

MANAGED_TENANT = Table(
    "managed_tenant",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("deleting_since", DateTime(timezone=True)),
    Column("assigned", Text, nullable=False),
)
