"""The first schema: tenants, scopes, sessions and turns."""

import sqlalchemy as sa
from alembic import op

revision = "memory_0001"
down_revision = None
branch_labels = ("memory",)

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "tenant",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("created_at", MOMENT, nullable=False),
    )
    op.create_table(
        "scope",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("tenant_id", sa.String(128), sa.ForeignKey("tenant.id"), nullable=False),
        sa.Column("user_id", sa.String(128), nullable=False),
        sa.Column("agent_id", sa.String(128), nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.UniqueConstraint("tenant_id", "user_id", "agent_id", name="scope_owner"),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("scope_id", sa.Integer, sa.ForeignKey("scope.id"), nullable=False),
        sa.Column("key", sa.String(256), nullable=False),
        sa.UniqueConstraint("scope_id", "key", name="session_key"),
    )
    op.create_table(
        "turn",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("scope_id", sa.Integer, sa.ForeignKey("scope.id"), nullable=False),
        sa.Column("session_id", sa.Integer, sa.ForeignKey("session.id"), nullable=False),
        sa.Column("key", sa.String(256), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("speaker", sa.String(128), nullable=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("said_at", MOMENT, nullable=False),
        sa.Column("offset_s", sa.Integer, nullable=False),
        sa.Column("content_hash", sa.String(32), nullable=False),
        sa.Column("indexed", sa.Boolean, nullable=False),
        sa.Column("remembered_at", MOMENT, nullable=False),
        sa.UniqueConstraint("session_id", "key", name="turn_key"),
        sa.UniqueConstraint("session_id", "position", name="turn_position"),
    )
    op.create_index("turn_content", "turn", ["session_id", "content_hash"])
    op.create_index("turn_scope", "turn", ["scope_id", "id"])
    for name, columns in (("turn_waiting", ["id"]), ("turn_waiting_scope", ["scope_id", "id"])):
        only_waiting = sa.text("NOT indexed")
        op.create_index(name, "turn", columns, sqlite_where=sa.text("indexed = 0"), postgresql_where=only_waiting)


def downgrade() -> None:
    for table in ("turn", "session", "scope", "tenant"):
        op.drop_table(table)
