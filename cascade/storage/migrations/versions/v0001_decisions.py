"""The ledger of decisions."""

import sqlalchemy as sa
from alembic import op

revision = "cascade_0001"
down_revision = None
branch_labels = ("cascade",)


def upgrade() -> None:
    op.create_table(
        "decision",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("tenant_id", sa.String(128), nullable=False),
        sa.Column("user_id", sa.String(128), nullable=False),
        sa.Column("agent_id", sa.String(128), nullable=False),
        sa.Column("path", sa.String(16), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("record", sa.Text, nullable=False),
    )
    op.create_index("ix_decision_tenant_id", "decision", ["tenant_id"])


def downgrade() -> None:
    op.drop_table("decision")
