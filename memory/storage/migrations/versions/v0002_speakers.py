"""An index for the names of those who speak in a scope."""

import sqlalchemy as sa
from alembic import op

revision = "memory_0002"
down_revision = "memory_0001"


def upgrade() -> None:
    named = sa.text("speaker IS NOT NULL")
    op.create_index("turn_speaker", "turn", ["scope_id", "speaker"], sqlite_where=named, postgresql_where=named)


def downgrade() -> None:
    op.drop_index("turn_speaker", "turn")
