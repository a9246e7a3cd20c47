"""Real databases for the contract suites: SQLite in a folder, and PostgreSQL where a server answers."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from memory.storage.database import Database
from memory.storage.store import TurnStore
from tests.support.databases import PostgreSQL, new_sqlite, postgresql
from tests.support.memory import database_in


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """The database of this process on PostgreSQL."""
    with ExitStack() as opened:
        try:
            made = opened.enter_context(postgresql())
        except OperationalError:
            pytest.skip("no PostgreSQL server answers on 127.0.0.1:5432")
        yield made


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database with every package's tables."""
    if request.param == "sqlite":
        return new_sqlite(tmp_path / "memory.sqlite3")
    made: PostgreSQL = request.getfixturevalue("postgres")
    return made.emptied()


@pytest.fixture
def opened(database: str, tmp_path: Path) -> Iterator[Database]:
    """An empty database with every package's tables."""
    with database_in(tmp_path / "home", database) as opened:
        yield opened


@pytest.fixture
def store(opened: Database) -> TurnStore:
    """An empty turn store."""
    return TurnStore(opened)
