"""One SQL database, SQLite or PostgreSQL, opened once (`opening`) and handed to each package: reading, writing, forgetting, wiping.

SQLite runs in WAL mode with `synchronous=FULL`, so a committed turn survives a kill and a power cut. Writers take their lock at
BEGIN, so two of them queue instead of failing half-way. Knows nothing of turns.

SQLite leaves copies of deleted rows in its log, and in pages that were split while the row still stood. So what forgets writes in
a transaction of its own kind, which notes in the file's `user_version` that it awaits `wipe`; a crash between the two is made good
at the next opening.

A database that is found damaged is neither read nor written any more, by any package, until it is opened anew.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock

from sqlalchemy import Connection, Engine, ExceptionContext, event
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    InternalError,
    InvalidRequestError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from memory.errors import StoreDamaged, StoreUnavailable
from memory.storage.soundness import SqliteFiles, damage_shown_by, full_check, quick_check, refuse_unsound

__all__ = ["BUSY_TIMEOUT_MS", "KEYS_PER_QUERY", "Database", "store_faults"]

KEYS_PER_QUERY = 500  # databases bound the parameters of a statement
BUSY_TIMEOUT_MS = 30_000
_READERS_TIMEOUT_MS = 2_000  # how long `wipe` waits for readers that stand on the log, with writers waiting behind it
_PROBE_TIMEOUT_MS = 3_000
_PROBE_BYTES = 262_144
_TOUCH = "UPDATE alembic_version SET version_num = version_num"  # written and made durable although nothing changes
_TRY_TO_WRITE = {
    "sqlite": (
        # Growing is undone before anything is written, so it takes no room; it fails where there is none.
        "SAVEPOINT probe",
        "CREATE TABLE probe (filler BLOB)",
        "INSERT INTO probe VALUES (zeroblob(262144))",
        "ROLLBACK TO probe",
        "RELEASE probe",
        _TOUCH,
    ),
    "postgresql": (f"SET LOCAL lock_timeout = {_PROBE_TIMEOUT_MS}", _TOUCH),
}


# What rows of a damaged page cause in code that trusts the schema; of a sound database they are our bugs.
_SUSPICIOUS = (ValueError, TypeError, LookupError, IntegrityError, InvalidRequestError)
_NO_DATE = ("isoformat", "parse datetime")  # what SQLAlchemy says of a stored date that is none


class Database:
    """An open database in the data folder `home`; `file` is SQLite's. Get one from `opening`."""

    def __init__(self, engine: Engine, *, home: Path, file: Path | None) -> None:
        self.home = home
        self._engine = engine
        # SQLite lets a writer poll for its lock, so that one who writes without a pause would keep the others out for seconds.
        self._one_writer: AbstractContextManager[object] = Lock() if self.kind == "sqlite" else nullcontext()
        self._wiping = Lock()
        self._rewritten = 0  # the note that the last rewriting of the file answered
        self._file = file
        self._files = SqliteFiles(file) if file else None
        self._damage: str | None = None
        event.listen(engine, "handle_error", self._map_damage, retval=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent snapshot to read from. Raises StoreDamaged and SQLAlchemy's errors."""
        self._refuse_damaged()
        with self._suspecting_damage(), self._engine.connect() as connection:
            if self.kind == "postgresql":  # which would else read each statement from a snapshot of its own
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, durable when the block is left. Raises as `reading` does, and then nothing was changed."""
        self._refuse_damaged()
        with (
            self._suspecting_damage(),
            self._one_writer,
            self._engine.connect().execution_options(tirtha_write=True) as connection,
            connection.begin(),
        ):
            self._look_at_files()
            yield connection

    def probe(self) -> None:
        """Write to the database and to its folder as a turn would, durably, and change nothing.

        Taking the write lock is not enough: a full disk grants it. A lock that others hold is waited for a few seconds only,
        because the caller wants to know it now. Raises StoreDamaged, SQLAlchemy's errors and OSError.
        """
        self._refuse_damaged()
        with (
            self._suspecting_damage(),
            self._one_writer,
            self._engine.connect().execution_options(tirtha_write=True) as connection,
            _impatient(connection),
            connection.begin(),
        ):
            self._look_at_files()
            for statement in _TRY_TO_WRITE[self.kind]:
                connection.exec_driver_sql(statement)
        with TemporaryFile(
            dir=self.home
        ) as file:  # the database may still have room in its own files; the index needs new ones
            file.write(bytes(_PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())

    @contextmanager
    def forgetting(self) -> Iterator[Connection]:
        """One transaction as `writing`, which also notes that the files hold copies of what it removes, until `wipe`."""
        with self.writing() as connection:
            before = _changes(connection)
            yield connection
            if _changes(connection) > before:
                _note_wipe(connection, _awaited_wipe(connection) + 1)

    def wipe(self) -> bool:
        """Remove the copies of what was forgotten from SQLite's file and log, and from the statements that are kept compiled.

        The file is written anew (`VACUUM`), 0.6 s for 100 MB, and the log is emptied; neither if nothing was forgotten since the
        last time. What PostgreSQL's files keep is its own `VACUUM`'s business.

        Returns False if a reader stood on the log for longer than two seconds; then this is to be called again.

        Raises StoreDamaged and SQLAlchemy's errors; what was forgotten stays noted then.
        """
        self._engine.clear_compiled_cache()
        if self.kind != "sqlite":
            return True
        self._refuse_damaged()
        bare = self._engine.connect().execution_options(tirtha_bare=True)  # VACUUM runs outside any transaction
        with self._suspecting_damage(), self._wiping, self._one_writer, bare as connection:
            noted = _awaited_wipe(connection)
            if noted and noted != self._rewritten:
                connection.exec_driver_sql("VACUUM")
                self._rewritten = noted
            if not noted or not _empty_log(connection):
                return not noted
        with self.writing() as connection:
            if _awaited_wipe(connection) == noted:
                _note_wipe(connection, 0)
                self._rewritten = 0
        return True

    def refuse_unsound(self, *, accept_loss: bool) -> None:
        """Check it before the first connection, in bounded time. Raises StoreDamaged, and LogLost without `accept_loss`."""
        if self._file:
            refuse_unsound(self._file, accept_loss=accept_loss)

    def examine(self) -> None:
        """Check all of it, as far as SQLite can; a server of PostgreSQL checks itself. Raises StoreDamaged."""
        if self._file:
            with self.reading() as connection:
                driver = connection.connection.driver_connection
                assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - only SQLite has a file
                self._damage = full_check(driver)
            self._refuse_damaged()

    @property
    def kind(self) -> str:
        """The kind of database: sqlite or postgresql."""
        return self._engine.dialect.name

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()
        if self._files:
            self._files.close()

    def _look_at_files(self) -> None:
        if self._files:
            self._damage = self._damage or self._files.damage()
        self._refuse_damaged()

    def _refuse_damaged(self) -> None:
        if self._damage and self._files and self._files.are_back():
            self._damage = None
        if self._damage:
            raise StoreDamaged(self._damage)

    def _map_damage(self, context: ExceptionContext) -> BaseException | None:
        """Turn an error of the driver that means damage into ours; SQLAlchemy raises what is returned."""
        damage = damage_shown_by(context.original_exception)
        if damage is None:
            return None
        if self._file:  # a server may be repaired while we run
            self._damage = damage
        return StoreDamaged(damage)

    @contextmanager
    def _suspecting_damage(self) -> Iterator[None]:
        """Ask SQLite whether its pages are sound before an error is taken for one of ours."""
        try:
            yield
        except _SUSPICIOUS as fault:
            unread = isinstance(fault, ValueError) and any(words in str(fault) for words in _NO_DATE)
            damage = "a date in it cannot be read" if unread else quick_check(self._file) if self._file else None
            if damage is None:
                raise
            self._damage = damage
            raise StoreDamaged(damage) from fault


@contextmanager
def store_faults() -> Iterator[None]:
    """Map the database's own outages to StoreUnavailable; a broken constraint is our bug and passes unchanged."""
    try:
        yield
    except DBAPIError as fault:
        if not (fault.connection_invalidated or isinstance(fault, OperationalError | InterfaceError | InternalError)):
            raise
        raise StoreUnavailable(str(fault.orig)) from fault
    except (PoolTimeout, OSError) as fault:
        raise StoreUnavailable(str(fault)) from fault


@contextmanager
def _impatient(connection: Connection) -> Iterator[None]:
    """Let SQLite wait for a lock only as long as a probe may; must be entered before a transaction begins."""
    raw = connection.connection.dbapi_connection
    if not isinstance(raw, sqlite3.Connection):
        yield
        return
    raw.execute(f"PRAGMA busy_timeout={_PROBE_TIMEOUT_MS}")
    try:
        yield
    finally:
        raw.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")


def _changes(connection: Connection) -> int:
    """Return how many rows an SQLite connection ever changed; 0 of another database, which has no wipe to note."""
    driver = connection.connection.dbapi_connection
    return driver.total_changes if isinstance(driver, sqlite3.Connection) else 0


def _awaited_wipe(connection: Connection) -> int:
    """Return which forgetting, counted from the last wipe, was the last one; 0 if none awaits a wipe."""
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


def _note_wipe(connection: Connection, forgettings: int) -> None:
    connection.exec_driver_sql(f"PRAGMA user_version={forgettings}")


def _empty_log(connection: Connection) -> bool:
    """Move the log into the file and cut it to nothing; False if somebody still reads from it."""
    connection.exec_driver_sql(f"PRAGMA busy_timeout={_READERS_TIMEOUT_MS}")
    try:
        busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    return not busy
