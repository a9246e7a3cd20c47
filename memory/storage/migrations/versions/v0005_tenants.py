"""How many turns each tenant has, counted in the transactions that change it; and whether it takes any more."""

import sqlalchemy as sa
from alembic import op

revision = "memory_0005"
down_revision = "memory_0004"


def upgrade() -> None:
    op.add_column("tenant", sa.Column("turns", sa.Integer, nullable=False, server_default="0"))
    op.add_column("tenant", sa.Column("closed", sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute(
        "UPDATE tenant SET turns ="
        " (SELECT count(*) FROM turn JOIN scope ON scope.id = turn.scope_id WHERE scope.tenant_id = tenant.id)"
    )


def downgrade() -> None:
    op.drop_column("tenant", "closed")
    op.drop_column("tenant", "turns")
