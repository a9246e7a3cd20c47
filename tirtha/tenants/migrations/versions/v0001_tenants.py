"""Tenants, and what was set for each. The tenant `default` has always been there."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "tenants_0001"
down_revision = None
branch_labels = ("tenants",)


def upgrade() -> None:
    managed = op.create_table(
        "managed_tenant",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleting_since", sa.DateTime(timezone=True)),
        sa.Column("assigned", sa.Text, nullable=False),
    )
    op.bulk_insert(managed, [{"name": "default", "created_at": datetime.now(UTC), "assigned": "{}"}])


def downgrade() -> None:
    op.drop_table("managed_tenant")
