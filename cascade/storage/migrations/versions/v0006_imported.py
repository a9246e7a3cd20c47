"""Decisions that were made elsewhere and came by import: what they cost was not spent here."""

import sqlalchemy as sa
from alembic import op

revision = "cascade_0006"
down_revision = "cascade_0005"


def upgrade() -> None:
    op.add_column("decision", sa.Column("imported", sa.Boolean, nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("decision", "imported")
