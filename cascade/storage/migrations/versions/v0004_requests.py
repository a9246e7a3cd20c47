"""A cached answer keeps the request that its key is made of; decisions are listed by time, of a tenant and of a scope."""

import sqlalchemy as sa
from alembic import op

revision = "cascade_0004"
down_revision = "cascade_0003"

_SCOPE = ["tenant_id", "user_id", "agent_id"]
_TIME = ["decided_at", "id"]


def upgrade() -> None:
    op.add_column("cached_answer", sa.Column("request", sa.Text, nullable=False, server_default=""))
    op.drop_index("decision_scope", "decision")
    op.create_index("decision_scope", "decision", [*_SCOPE, *_TIME])
    op.create_index("decision_time", "decision", ["tenant_id", *_TIME])


def downgrade() -> None:
    op.drop_index("decision_time", "decision")
    op.drop_index("decision_scope", "decision")
    op.create_index("decision_scope", "decision", _SCOPE)
    op.drop_column("cached_answer", "request")
