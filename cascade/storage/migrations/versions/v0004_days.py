"""Decisions of a tenant by when they were made: what a day has cost, and which are too old."""

from alembic import op

revision = "cascade_0004"
down_revision = "cascade_0003"


def upgrade() -> None:
    op.create_index("decision_day", "decision", ["tenant_id", "decided_at"])


def downgrade() -> None:
    op.drop_index("decision_day", "decision")
