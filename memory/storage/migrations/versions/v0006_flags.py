"""Turns that are no evidence, and what finds the session of a conversation that is sent whole, without its name."""

import sqlalchemy as sa
from alembic import op

revision = "memory_0006"
down_revision = "memory_0005"

_NAMED = "speaker IS NOT NULL"
_NAMED_EVIDENCE = "speaker IS NOT NULL AND flag IS NULL"


def upgrade() -> None:
    op.add_column("turn", sa.Column("flag", sa.String(16), nullable=True))
    op.add_column("session", sa.Column("shared", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("forgetting", sa.Column("stays", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index("turn_said", "turn", ["scope_id", "content_hash"])
    _speakers_where(_NAMED_EVIDENCE)


def downgrade() -> None:
    _speakers_where(_NAMED)
    op.drop_index("turn_said", "turn")
    op.drop_column("forgetting", "stays")
    op.drop_column("session", "shared")
    op.drop_column("turn", "flag")


def _speakers_where(condition: str) -> None:
    op.drop_index("turn_speaker", "turn")
    where = sa.text(condition)
    op.create_index("turn_speaker", "turn", ["scope_id", "speaker"], sqlite_where=where, postgresql_where=where)
