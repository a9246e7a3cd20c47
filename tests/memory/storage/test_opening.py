"""Opening a database: what cannot be opened and why, what is only read, and that a schema is made once."""

from pathlib import Path

import pytest
from alembic import command
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from memory import NewTurn, Remember
from memory.errors import DataIsOlder, NoDatabase, StoreUnavailable
from memory.storage.database import Database, store_faults
from memory.storage.opening import alembic_config, open_database, read_database
from memory.storage.store import TurnStore
from tests.support.memory import database_in
from tests.support.turns import SCOPE
from tirtha.wiring.database import MIGRATIONS


def heads(connection: Connection) -> set[str]:
    return set(MigrationContext.configure(connection).get_current_heads())


def remember(database: Database, words: str) -> None:
    TurnStore(database).remember(Remember(scope=SCOPE, session_id="s1", turns=[NewTurn(role="user", text=words)]))


@pytest.mark.parametrize("url", ["", "memory.sqlite3", "nothing://somewhere/x", "postgresql+nothing://127.0.0.1/x"])
def test_a_url_that_names_no_database_of_ours(tmp_path: Path, url: str) -> None:
    with (
        pytest.raises(StoreUnavailable, match="the database URL cannot be used"),
        database_in(tmp_path / "home", url or " "),
    ):
        pass
    with database_in(tmp_path / "home"):
        pass  # the folder was let go of


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable), database_in(tmp_path, "postgresql+psycopg://nobody@127.0.0.1:9/x"):
        pass


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreUnavailable), open_database(tmp_path / "file" / "home", None, migrations=MIGRATIONS):
        pass


def test_a_new_folder_has_every_packages_tables(tmp_path: Path) -> None:
    with open_database(tmp_path / "new", None, migrations=MIGRATIONS) as made, made.reading() as connection:
        first = heads(connection)
        assert len(first) == len(MIGRATIONS), "a head of each branch"
    with database_in(tmp_path / "copied") as made, made.reading() as connection:
        assert heads(connection) == first


def test_one_package_that_is_behind_is_brought_up_and_keeps_what_it_holds(tmp_path: Path) -> None:
    with database_in(tmp_path) as database:
        remember(database, "The key is blue.")
        with database.reading() as connection:
            newest = heads(connection)
        with database.writing() as connection:
            command.downgrade(alembic_config(MIGRATIONS, connection), "cascade@cascade_0004")
    with pytest.raises(DataIsOlder), read_database(tmp_path, None, migrations=MIGRATIONS):
        pass
    with database_in(tmp_path) as database, database.reading() as connection:
        assert heads(connection) == newest
        assert connection.execute(text("SELECT text FROM turn")).scalars().all() == ["The key is blue."]


def test_what_is_not_there_is_not_made_by_reading(tmp_path: Path) -> None:
    with pytest.raises(NoDatabase), read_database(tmp_path, None, migrations=MIGRATIONS):
        pass
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "memory.sqlite3").touch()
    reading = read_database(tmp_path, None, migrations=MIGRATIONS)
    with pytest.raises(StoreUnavailable, match="there is no Tirtha database"), reading:
        pass


def test_a_reader_beside_a_server_changes_nothing(tmp_path: Path) -> None:
    with database_in(tmp_path) as served:
        remember(served, "The key is blue.")
        with read_database(tmp_path, None, migrations=MIGRATIONS) as read:
            with read.reading() as connection:
                assert connection.execute(text("SELECT text FROM turn")).scalars().all() == ["The key is blue."]
            with pytest.raises(StoreUnavailable, match="readonly"), store_faults(), read.writing() as connection:
                connection.execute(text("DELETE FROM turn"))
        remember(served, "The key is red.")
