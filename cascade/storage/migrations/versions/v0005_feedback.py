"""Whether answers were right: one judgement a decision."""

import sqlalchemy as sa
from alembic import op

revision = "cascade_0005"
down_revision = "cascade_0004"


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("decision_id", sa.String(32), sa.ForeignKey("decision.id"), primary_key=True),
        sa.Column("tenant_id", sa.String(128), nullable=False),
        sa.Column("correct", sa.Boolean, nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("feedback_tenant", "feedback", ["tenant_id", "decision_id"])


def downgrade() -> None:
    op.drop_table("feedback")
