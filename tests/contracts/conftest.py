"""Real databases for the contract suites: SQLite in a folder, and PostgreSQL where a server answers."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from memory.storage.database import Database
from memory.storage.store import TurnStore
from tests.support.memory import database_in

POSTGRES = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'memory.sqlite3'}"
        return
    name = f"tirtha_test_{uuid4().hex[:12]}"
    server = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    try:
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
    except OperationalError:
        server.dispose()
        pytest.skip("no PostgreSQL server answers on 127.0.0.1:5432")
    yield POSTGRES.rsplit("/", 1)[0] + f"/{name}"
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


@pytest.fixture
def opened(database: str, tmp_path: Path) -> Iterator[Database]:
    """An empty database with every package's tables."""
    with database_in(tmp_path / "home", database) as opened:
        yield opened


@pytest.fixture
def store(opened: Database) -> TurnStore:
    """An empty turn store."""
    return TurnStore(opened)
