"""One SQLAlchemy engine on SQLite or PostgreSQL, brought to the newest schema before it is handed out.

SQLite runs in WAL mode with `synchronous=FULL`, so a committed turn survives a kill and a power cut; writers take
their lock at BEGIN, so two of them queue instead of failing half-way. Knows nothing of turns.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from memory.errors import StoreUnavailable

__all__ = ["KEYS_PER_QUERY", "alembic_config", "open_database", "reading", "store_faults", "writing"]

KEYS_PER_QUERY = 500  # databases bound the parameters of a statement
_BUSY_TIMEOUT_MS = 30_000
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}",
)


def open_database(url: str) -> Engine:
    """Open the database at `url` and migrate it to the newest schema.

    Raises:
        StoreUnavailable: it cannot be reached, opened or written.
    """
    with store_faults():
        engine = create_engine(url, pool_pre_ping=not _is_sqlite(url))
        if _is_sqlite(url):
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        with writing(engine) as connection:
            config = alembic_config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    return engine


def alembic_config() -> Config:
    """Where Alembic finds the migrations that ship with this package."""
    config = Config()
    config.set_main_option("script_location", str(files("memory") / "migrations"))
    return config


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent snapshot to read from. Raises StoreUnavailable."""
    with store_faults(), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction, durable when the block is left. Raises StoreUnavailable, and then nothing was changed."""
    with store_faults(), engine.connect().execution_options(tirtha_write=True) as connection, connection.begin():
        yield connection


@contextmanager
def store_faults() -> Iterator[None]:
    """Map the database's own errors to StoreUnavailable; a broken constraint is our bug and passes unchanged."""
    try:
        yield
    except DBAPIError as fault:
        if not _is_outage(fault):
            raise
        reason = str(fault.orig)
        raise StoreUnavailable(reason, full=_says_full(reason)) from fault
    except OSError as fault:
        raise StoreUnavailable(str(fault), full=_says_full(str(fault))) from fault


def _is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def _is_outage(fault: DBAPIError) -> bool:
    return fault.connection_invalidated or type(fault).__name__ in {
        "OperationalError",
        "InterfaceError",
        "InternalError",
    }


def _says_full(reason: str) -> bool:
    return any(words in reason.lower() for words in ("disk is full", "no space left", "quota exceeded", "disk full"))


def _prepare_sqlite(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:  # noqa: ARG001
    connection.isolation_level = None  # the begin listener below says BEGIN; the driver must not
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("tirtha_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
