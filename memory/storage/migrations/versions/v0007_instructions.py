"""Standing instructions and preferences, which are derived from turns, and those that a person switched off."""

import sqlalchemy as sa
from alembic import op

revision = "memory_0007"
down_revision = "memory_0006"


def upgrade() -> None:
    op.add_column("turn", sa.Column("instructions_off", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "instruction",
        sa.Column("turn_id", sa.Integer, sa.ForeignKey("turn.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("start", sa.Integer, primary_key=True),
        sa.Column("stop", sa.Integer, nullable=False),
        sa.Column("scope_id", sa.Integer, sa.ForeignKey("scope.id"), nullable=False),
    )
    op.create_index("instruction_scope", "instruction", ["scope_id"])


def downgrade() -> None:
    op.drop_table("instruction")
    op.drop_column("turn", "instructions_off")
