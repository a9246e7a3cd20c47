"""Keys of forgotten turns are never given again, since the index may still know them."""

from alembic import op

revision = "memory_0003"
down_revision = "memory_0002"


def upgrade() -> None:
    """Rebuild SQLite's table of turns with AUTOINCREMENT; PostgreSQL never gives a key again."""
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("turn", recreate="always", table_kwargs={"sqlite_autoincrement": True}):
            pass


def downgrade() -> None:
    """Keep the keys as they are: the older schema reads them as well."""
