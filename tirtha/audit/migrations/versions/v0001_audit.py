"""The audit log, and the salts of its tenants."""

import sqlalchemy as sa
from alembic import op

revision = "audit_0001"
down_revision = None
branch_labels = ("audit",)


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.String(128), nullable=False),
        sa.Column("key_id", sa.String(128)),
        sa.Column("what", sa.String(32), nullable=False),
        sa.Column("user_id", sa.String(128)),
        sa.Column("user_hash", sa.String(64)),
        sa.Column("agent_id", sa.String(128)),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("request_id", sa.String(128)),
    )
    op.create_index("audit_entry_tenant", "audit_entry", ["tenant_id", "id"])
    op.create_index("audit_entry_user", "audit_entry", ["tenant_id", "user_id", "id"])
    op.create_index("audit_entry_hash", "audit_entry", ["tenant_id", "user_hash", "id"])
    op.create_table(
        "audit_salt",
        sa.Column("tenant_id", sa.String(128), primary_key=True),
        sa.Column("salt", sa.LargeBinary(32), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("audit_salt")
    op.drop_table("audit_entry")
