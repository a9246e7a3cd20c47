"""The migrations make exactly the tables that the code reads and writes."""

import json

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text
from sqlmodel import SQLModel

from cascade.tables import DECISION, DECISION_TURN
from memory.database import alembic_config, open_database, writing
from memory.tables import TurnRow


def test_migrated_tables_are_the_declared_ones(database: str) -> None:
    assert {DECISION.name, TurnRow.__tablename__} <= set(SQLModel.metadata.tables)
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


def test_turns_of_decisions_from_before_are_noted(database: str) -> None:
    engine = open_database(database)
    config = alembic_config()
    quotes = [{"session_id": "s1", "turn_id": "D1:3"}, {"session_id": "s1", "turn_id": "D1:3"}]
    row = {"id": "d1", "record": json.dumps({"brief": {"quotes": quotes}})}
    insert = text(
        "INSERT INTO decision (id, tenant_id, user_id, agent_id, path, decided_at, record)"
        " VALUES (:id, 't', 'u', '', 'extractive', '2026-01-01 00:00:00+00:00', :record)"
    )
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0003")
        connection.execute(insert, row)
        command.upgrade(config, "head")
        assert [tuple(one) for one in connection.execute(select(DECISION_TURN))] == [("d1", "s1", "D1:3")]
    engine.dispose()
