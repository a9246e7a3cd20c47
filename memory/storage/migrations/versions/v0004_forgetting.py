"""What was forgotten and may still lie in the index's files. Earlier versions left it there: every scope is looked through once."""

import sqlalchemy as sa
from alembic import op

revision = "memory_0004"
down_revision = "memory_0003"


def upgrade() -> None:
    op.create_table(
        "forgetting",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("scope_id", sa.Integer, sa.ForeignKey("scope.id"), nullable=False),
    )
    connection = op.get_bind()
    connection.execute(sa.text("INSERT INTO forgetting (scope_id) SELECT id FROM scope"))
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA user_version=1")  # the file itself awaits its wipe, too


def downgrade() -> None:
    op.drop_table("forgetting")
