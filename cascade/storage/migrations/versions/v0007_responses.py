"""Responses that clients may continue from: what was sent, and what was answered."""

import sqlalchemy as sa
from alembic import op

revision = "cascade_0007"
down_revision = "cascade_0006"


def upgrade() -> None:
    op.create_table(
        "response",
        sa.Column("decision_id", sa.String(32), sa.ForeignKey("decision.id"), primary_key=True),
        sa.Column("tenant_id", sa.String(128), nullable=False),
        sa.Column("user_id", sa.String(128), nullable=False),
        sa.Column("agent_id", sa.String(128), nullable=False),
        sa.Column("session_key", sa.String(256), nullable=False),
        sa.Column("previous_id", sa.String(32)),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("input", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("response_session", "response", ["tenant_id", "user_id", "agent_id", "session_key", "stored_at"])


def downgrade() -> None:
    op.drop_table("response")
