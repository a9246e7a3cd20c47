"""Opening the database: locked, checked, and brought to the newest schema of every package; or only to be read.

Packages bring their tables as `Migrations`, each a branch of Alembic's in the one database.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from filelock import FileLock, Timeout
from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from memory.errors import DataIsNewer, DataIsOlder, HomeInUse, NoDatabase, StoreUnavailable
from memory.storage.database import BUSY_TIMEOUT_MS, Database, store_faults

__all__ = ["Migrations", "alembic_config", "open_database", "read_database"]

_ENVIRONMENT = Path(__file__).parent / "migrations"
_DEFAULT_FILE = "memory.sqlite3"
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrations:
    """One package's tables, as an Alembic branch: the folder that holds its revisions.

    `heirs` is for a database from before packages had branches. It names, for each revision of that time, the revision of this
    branch that has the same tables.
    """

    folder: Path
    heirs: Mapping[str, str]


@contextmanager
def open_database(
    home: Path, url: str | None, *, migrations: Sequence[Migrations], accept_loss: bool = False
) -> Iterator[Database]:
    """Lock the data folder `home`, open the database at `url` (default: SQLite in the folder) and migrate it.

    One process owns a folder at a time, since the index beside the database wants a single writer.

    Args:
        home: the data folder, which is locked.
        url: the database; None for SQLite in the folder.
        migrations: the packages whose tables it holds.
        accept_loss: whether a database that lost its write-ahead log is opened as it is.

    Raises:
        HomeInUse: another process has the folder open.
        DataIsNewer: a later version wrote the database.
        StoreDamaged: it is damaged; LogLost: only what was written last is lost.
        StoreUnavailable: it cannot be reached, opened or written.
    """
    with _locked(home), closing(_connect(home, url)) as database:
        with store_faults():
            database.refuse_unsound(accept_loss=accept_loss)
        with store_faults(), database.writing() as connection:
            revisions = _revisions(tuple(one.folder for one in migrations))
            _carry_over(connection, migrations)
            _refuse_newer(connection, revisions, migrations, home)
            if not _is_newest(connection, revisions):
                command.upgrade(alembic_config(migrations, connection), "heads")
        with store_faults():
            database.wipe()  # what an earlier process forgot and could not wipe
        yield database


@contextmanager
def read_database(home: Path, url: str | None, *, migrations: Sequence[Migrations]) -> Iterator[Database]:
    """Open the database to read it, beside a server that may be using it: no lock, no change.

    Raises:
        DataIsNewer: a later version wrote the database.
        DataIsOlder: an earlier version did, and it is not migrated yet.
        StoreUnavailable: it cannot be reached, or there is none.
    """
    with closing(_connect(home, url, read_only=True)) as database:
        with store_faults(), database.reading() as connection:
            if not _heads(connection):
                raise StoreUnavailable(f"there is no Tirtha database for {home}")
            revisions = _revisions(tuple(one.folder for one in migrations))
            _refuse_newer(connection, revisions, migrations, home)
            if not _is_newest(connection, revisions):
                raise DataIsOlder(home)
        yield database


def alembic_config(migrations: Sequence[Migrations], connection: Connection) -> Config:
    """Return Alembic's configuration for the branches of these packages, on an open connection."""
    config = _config([one.folder for one in migrations])
    config.attributes["connection"] = connection
    return config


@cache
def _revisions(folders: tuple[Path, ...]) -> ScriptDirectory:
    """Return the revisions in these folders. A process reads them once: each is a program that Alembic loads."""
    return ScriptDirectory.from_config(_config(folders))


def _config(folders: Sequence[Path]) -> Config:
    config = Config()
    config.set_main_option("script_location", _verbatim(_ENVIRONMENT))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(map(_verbatim, folders)))
    return config


def _verbatim(path: Path) -> str:
    return str(path).replace("%", "%%")  # which Alembic's configuration would fill in


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    lock = FileLock(home / "lock", blocking=False)
    with store_faults():
        home.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except Timeout:
            raise HomeInUse(home) from None
    try:
        yield
    finally:
        lock.release()


def _connect(home: Path, url: str | None, *, read_only: bool = False) -> Database:
    try:
        place = make_url(url) if url else URL.create("sqlite", database=str(home / _DEFAULT_FILE))
        is_sqlite = place.get_backend_name() == "sqlite"
        file = Path(place.database) if is_sqlite and place.database not in {None, "", ":memory:"} else None
        if read_only and file and not file.exists():
            raise NoDatabase(file)
        engine = create_engine(
            place, pool_pre_ping=not is_sqlite, hide_parameters=True
        )  # errors are logged, texts are not
    except (ArgumentError, ModuleNotFoundError) as fault:
        raise StoreUnavailable(f"the database URL cannot be used: {fault}") from fault
    if is_sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        if read_only:
            event.listen(engine, "connect", _refuse_writes)
    elif read_only:
        engine = engine.execution_options(postgresql_readonly=True)
    return Database(engine, home=home, file=file)


def _prepare_sqlite(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:  # noqa: ARG001
    connection.isolation_level = None  # the begin listener below says BEGIN; the driver must not
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _refuse_writes(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:  # noqa: ARG001
    connection.execute("PRAGMA query_only=ON")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("tirtha_bare", False):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("tirtha_write", False) else "BEGIN")


def _heads(connection: Connection) -> tuple[str, ...]:
    return MigrationContext.configure(connection).get_current_heads()


def _carry_over(connection: Connection, migrations: Sequence[Migrations]) -> None:
    """Stamp a database from before the branches with the revision of each branch that its tables correspond to."""
    before = _heads(connection)
    heirs = [one.heirs[old] for old in before for one in migrations if old in one.heirs]
    if heirs:
        connection.exec_driver_sql("DELETE FROM alembic_version")
        for heir in heirs:
            connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{heir}')")  # noqa: S608 - our own constants


def _is_newest(connection: Connection, revisions: ScriptDirectory) -> bool:
    return set(_heads(connection)) == set(revisions.get_heads())


def _refuse_newer(
    connection: Connection, revisions: ScriptDirectory, migrations: Sequence[Migrations], home: Path
) -> None:
    known = {script.revision for script in revisions.walk_revisions()}
    known |= {revision for one in migrations for revision in one.heirs}
    unknown = [head for head in _heads(connection) if head not in known]
    if unknown:
        raise DataIsNewer(home, unknown[0])
