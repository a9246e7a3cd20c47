"""New databases with every package's tables: copies of one that was migrated, since a migration for every test takes minutes.

A test of how a database comes to be opens a folder that does not exist, without `new_home`.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from sqlalchemy import Connection, Engine, MetaData, create_engine, select, text
from sqlalchemy.pool import NullPool

from memory.storage.opening import open_database
from tirtha.wiring.database import MIGRATIONS

__all__ = ["PostgreSQL", "new_home", "new_sqlite", "postgresql"]

_SERVER = "postgresql+psycopg://postgres@127.0.0.1:5432"
_FILE = "memory.sqlite3"
_EMPTY = """
DO $$
DECLARE name text;
BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('DELETE FROM %%I', name);
    END LOOP;
    FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' LOOP
        PERFORM setval(format('%%I', name), 1, false);
    END LOOP;
END $$
"""


@cache
def _migrated() -> bytes:
    """The file of a database that was opened once."""
    with TemporaryDirectory() as folder:
        with open_database(Path(folder), None, migrations=MIGRATIONS):
            pass
        return (Path(folder) / _FILE).read_bytes()


def new_sqlite(file: Path) -> str:
    """Make a database and return its URL."""
    file.write_bytes(_migrated())
    return f"sqlite:///{file}"


def new_home(home: Path) -> Path:
    """Make a data folder as its first opening leaves it, unless there is something there, and return it."""
    if not home.exists():
        home.mkdir(parents=True)
    if home.is_dir() and not any(home.iterdir()):
        new_sqlite(home / _FILE)
    return home


class PostgreSQL:
    """A database on a server, for one test after another."""

    def __init__(self, url: str) -> None:
        self.url = url
        with TemporaryDirectory() as home, open_database(Path(home), url, migrations=MIGRATIONS):
            pass
        self._engine = _engine(url)
        tables = MetaData()
        tables.reflect(self._engine)
        with self._engine.connect() as connection:
            rows = {table: connection.execute(select(table)).mappings().all() for table in tables.sorted_tables}
        self._first = {table: list(map(dict, of)) for table, of in rows.items() if of}

    def emptied(self) -> str:
        """Return the URL, after no more is in it than migrations put there: rows are far cheaper to delete than databases.

        Tables stay as they are. A test that changes them does so in one transaction, and changes them back in it.
        """
        with self._engine.begin() as connection:
            connection.exec_driver_sql(_EMPTY)
            for table, rows in self._first.items():
                connection.execute(table.insert(), rows)
        return self.url

    def close(self) -> None:
        """Let go of it."""
        self._engine.dispose()


@contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """Make a database on this machine's server, and drop it at the end. Raises OperationalError where no server answers."""
    name = f"tirtha_test_{uuid4().hex[:12]}"
    with _server() as server:
        server.execute(text(f"CREATE DATABASE {name}"))
    try:
        with closing(PostgreSQL(f"{_SERVER}/{name}")) as made:
            yield made
    finally:
        with _server() as server:
            server.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@contextmanager
def _server() -> Iterator[Connection]:
    engine = _engine(f"{_SERVER}/postgres").execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection


def _engine(url: str) -> Engine:
    return create_engine(url, poolclass=NullPool)
