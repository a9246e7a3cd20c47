"""The migrations make exactly the tables that the code reads and writes."""

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

from cascade.ledger import DecisionRow
from memory.database import alembic_config, open_database, writing
from memory.tables import TurnRow


def test_migrated_tables_are_the_declared_ones(database: str) -> None:
    assert {DecisionRow.__tablename__, TurnRow.__tablename__} <= set(SQLModel.metadata.tables)
    engine = open_database(database)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []
    engine.dispose()


def test_migrations_run_down_and_up_again(database: str) -> None:
    engine = open_database(database)
    config = alembic_config()
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        command.upgrade(config, "head")
    engine.dispose()
    open_database(database).dispose()
