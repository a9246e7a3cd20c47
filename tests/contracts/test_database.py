"""The migrations make exactly the tables that the code reads and writes, on either database, from any earlier version."""

import json
import tarfile
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, select, text

from cascade.storage.ledger import Ledger
from cascade.storage.schema import DECISION_TURN
from cascade.storage.schema import METADATA as CASCADE_TABLES
from memory import Follow, NewTurn, Remember
from memory.encoding.encoder import Encoder
from memory.errors import DataIsNewer, DataIsOlder
from memory.storage.database import Database
from memory.storage.opening import alembic_config, read_database
from memory.storage.schema import METADATA as MEMORY_TABLES
from memory.storage.store import TurnStore
from tests.support.memory import database_in
from tests.support.turns import SCOPE
from tirtha.audit.schema import METADATA as AUDIT_TABLES
from tirtha.caller import local_caller
from tirtha.keys.schema import METADATA as KEY_TABLES
from tirtha.operations.ask import AskRequest
from tirtha.operations.listing import SessionsRequest
from tirtha.settings import Settings
from tirtha.tenants.schema import METADATA as TENANT_TABLES
from tirtha.wiring.database import MIGRATIONS
from tirtha.wiring.service import open_service

OWNERS = (MEMORY_TABLES, CASCADE_TABLES, KEY_TABLES, TENANT_TABLES, AUDIT_TABLES)
BEFORE_THE_BRANCHES = Path(__file__).parents[1] / "data" / "home_066a48d.tar.xz"


def test_migrated_tables_are_the_declared_ones(opened: Database) -> None:
    tables = [table for owner in OWNERS for table in owner.tables.values()]
    assert len({table.name for table in tables}) == len(tables), "each table has one owner"
    whole = MetaData()
    for table in tables:
        table.to_metadata(whole)
    with opened.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, whole) == []


def test_migrations_run_down_and_up_again(opened: Database, database: str, tmp_path: Path) -> None:
    with opened.writing() as connection:
        config = alembic_config(MIGRATIONS, connection)
        for branch in ("audit", "keys", "tenants", "cascade", "memory"):
            command.downgrade(config, f"{branch}@base")
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar_one() == 0
        command.upgrade(config, "heads")
    with database_in(tmp_path / "again", database):
        pass


def test_turns_of_decisions_from_before_are_noted(opened: Database) -> None:
    quotes = [{"session_id": "s1", "turn_id": "D1:3"}, {"session_id": "s1", "turn_id": "D1:3"}]
    record = {"brief": {"quotes": quotes}, "path": "extractive", "tier": "extractive"}
    row = {"id": "d1", "record": json.dumps(record)}
    insert = text(
        "INSERT INTO decision (id, tenant_id, user_id, agent_id, path, decided_at, record)"
        " VALUES (:id, 't', 'u', '', 'extractive', '2026-01-01 00:00:00+00:00', :record)"
    )
    with opened.writing() as connection:
        config = alembic_config(MIGRATIONS, connection)
        command.downgrade(config, "cascade@cascade_0001")
        connection.execute(insert, row)
        command.upgrade(config, "heads")
        assert [tuple(one) for one in connection.execute(select(DECISION_TURN))] == [("d1", "s1", "D1:3")]


@pytest.mark.parametrize(
    ("path", "held", "models", "tier"),
    [
        ("local_repaired", "openai/gpt-oss-120b", "", "local"),
        ("frontier", "big", "", "frontier"),
        ("cache", "small", "local small, 10 tokens, at 1 / 1; frontier big, 10 tokens, at 1 / 1", "local"),
        ("cache", "big", "local small, 10 tokens, at 1 / 1; frontier big, 10 tokens, at 1 / 1", "frontier"),
        ("cache", "extractive", "extractive", "extractive"),
        ("abstain", None, "extractive", None),
    ],
)
def test_a_decision_from_before_names_tier_and_model(
    opened: Database, path: str, held: str | None, models: str, tier: str | None
) -> None:
    record: dict[str, object] = {"path": path, "tier": held, "hashes": {"models": models}, "brief": {"quotes": []}}
    values = {"id": "d1", "path": path, "record": json.dumps(record)}
    insert = text(
        "INSERT INTO decision (id, tenant_id, user_id, agent_id, path, decided_at, record, cost_nanousd, latency_ms)"
        " VALUES (:id, 't', 'u', '', :path, '2026-01-01 00:00:00+00:00', :record, 0, 0)"
    )
    with opened.writing() as connection:
        config = alembic_config(MIGRATIONS, connection)
        command.downgrade(config, "cascade@cascade_0002")
        connection.execute(insert, values)
        command.upgrade(config, "heads")
        read = json.loads(connection.execute(text("SELECT record FROM decision")).scalar_one())
    assert (read["tier"], read["model"]) == (tier, held)


def test_turns_from_before_have_no_flag_and_go_on_as_a_conversation(opened: Database) -> None:
    said = [NewTurn(role="user", text="One."), NewTurn(role="assistant", text="Two.", speaker="Ann")]
    store = TurnStore(opened)
    held = store.remember(Remember(scope=SCOPE, session_id="s1", turns=said))
    with opened.writing() as connection:
        config = alembic_config(MIGRATIONS, connection)
        command.downgrade(config, "memory@memory_0005")
        command.upgrade(config, "heads")
    assert [turn.flag for turn in store.history(held.scope_id)] == [None, None]
    survey = store.survey(SCOPE)
    assert survey
    assert survey.speakers == ["Ann"]
    more = [*said, NewTurn(role="user", text="Three.")]
    followed = store.follow(Follow(scope=SCOPE, session_id=None, turns=more))
    assert followed.receipt.session_id == "s1"
    assert followed.receipt.outcomes == ("duplicate", "duplicate", "stored")


async def test_a_data_folder_from_before_the_branches_opens_and_is_upgraded(tmp_path: Path, encoder: Encoder) -> None:
    with tarfile.open(BEFORE_THE_BRANCHES) as packed:
        packed.extractall(tmp_path, filter="data")
    with pytest.raises(DataIsOlder), read_database(tmp_path, None, migrations=MIGRATIONS):
        pass
    caller = local_caller()
    async with open_service(Settings(home=tmp_path), encoder=encoder) as service:
        sessions = (await service.sessions(caller, SessionsRequest(user_id="u1"))).items
        assert [(one.session_id, one.turns) for one in sessions] == [("s1", 2), ("s2", 1)]
        stats = await service.stats(caller)
        assert {one.path: one.n for one in stats.paths} == {"abstain": 1, "cache": 1, "extractive": 1}
        answered = await service.ask(caller, AskRequest(user_id="u1", question="Where does the support group meet?"))
        assert "Leeds" in answered.decision.answer
    with read_database(tmp_path, None, migrations=MIGRATIONS) as database:
        with database.reading() as connection:
            ids = (
                connection.execute(text("SELECT id FROM decision WHERE path IN ('cache', 'extractive')"))
                .scalars()
                .all()
            )
        read = [await Ledger(database).read(id_, tenant=caller.tenant) for id_ in ids]
        assert {(one.tier, one.model) for one in read} == {("extractive", "extractive")}


def test_a_newer_data_folder_is_refused(tmp_path: Path, database: str) -> None:
    home = tmp_path / "home"
    with database_in(home, database) as opened, opened.writing() as connection:
        connection.execute(
            text("UPDATE alembic_version SET version_num = 'memory_9999' WHERE version_num LIKE 'memory%'")
        )
    for opening in (database_in(home, database), read_database(home, database, migrations=MIGRATIONS)):
        with pytest.raises(DataIsNewer, match="written by a newer Tirtha") as caught, opening:
            pass
        assert caught.value.revision == "memory_9999"
        assert str(home) in str(caught.value)
