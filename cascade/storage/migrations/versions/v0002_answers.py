"""What the cascade keeps: costs of decisions, the turns they used, cached answers, shadow answers."""

import json

import sqlalchemy as sa
from alembic import op

revision = "cascade_0002"
down_revision = "cascade_0001"


def upgrade() -> None:
    op.add_column("decision", sa.Column("cost_nanousd", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("decision", sa.Column("frontier_nanousd", sa.BigInteger))
    op.add_column("decision", sa.Column("latency_ms", sa.Integer, nullable=False, server_default="0"))
    op.create_index("decision_scope", "decision", ["tenant_id", "user_id", "agent_id"])
    op.create_index("decision_path", "decision", ["tenant_id", "path", "latency_ms"])
    op.create_table(
        "decision_turn",
        sa.Column("decision_id", sa.String(32), sa.ForeignKey("decision.id"), primary_key=True),
        sa.Column("session_key", sa.String(256), primary_key=True),
        sa.Column("turn_key", sa.String(256), primary_key=True),
    )
    op.create_index("decision_turn_turn", "decision_turn", ["session_key", "turn_key"])
    _note_turns_of_earlier_decisions()
    op.create_table(
        "cached_answer",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("tenant_id", sa.String(128), nullable=False),
        sa.Column("decision_id", sa.String(32), sa.ForeignKey("decision.id"), nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_cached_answer_decision_id", "cached_answer", ["decision_id"])
    op.create_index("ix_cached_answer_expires_at", "cached_answer", ["expires_at"])
    op.create_table(
        "shadow",
        sa.Column("decision_id", sa.String(32), sa.ForeignKey("decision.id"), primary_key=True),
        sa.Column("tenant_id", sa.String(128), nullable=False),
        sa.Column("agrees", sa.Boolean, nullable=False),
        sa.Column("overlap", sa.Float, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("cost_nanousd", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_shadow_tenant_id", "shadow", ["tenant_id"])


def downgrade() -> None:
    for table in ("shadow", "cached_answer", "decision_turn"):
        op.drop_table(table)
    op.drop_index("decision_path", "decision")
    op.drop_index("decision_scope", "decision")
    for column in ("latency_ms", "frontier_nanousd", "cost_nanousd"):
        op.drop_column("decision", column)


def _note_turns_of_earlier_decisions() -> None:
    """Find what earlier decisions rest on, so that forgetting reaches them too."""
    connection = op.get_bind()
    noted = sa.table("decision_turn", *(sa.column(name) for name in ("decision_id", "session_key", "turn_key")))
    for decision_id, record in connection.execute(sa.text("SELECT id, record FROM decision")).all():
        used = {(quote["session_id"], quote["turn_id"]) for quote in json.loads(record)["brief"]["quotes"]}
        rows = [{"decision_id": decision_id, "session_key": s, "turn_key": t} for s, t in sorted(used)]
        if rows:
            connection.execute(noted.insert(), rows)
