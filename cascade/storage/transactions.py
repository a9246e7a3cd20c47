"""Transactions in the database that is handed in, with its outages raised as the cascade's own error."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from cascade.errors import LedgerUnavailable

__all__ = ["Database", "Transactions"]


class Database(Protocol):
    """A migrated database: snapshots to read from, and transactions that are durable when their block is left."""

    def reading(self) -> AbstractContextManager[Connection]:
        """One consistent snapshot."""

    def writing(self) -> AbstractContextManager[Connection]:
        """One transaction; after an error nothing was changed."""

    def forgetting(self) -> AbstractContextManager[Connection]:
        """One transaction as `writing`; the database notes that its files may hold copies of what it removes."""


class Transactions:
    """Transactions of the cascade. All raise LedgerUnavailable; a broken constraint is our bug and passes unchanged."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent snapshot to read from."""
        with _faults(), self._database.reading() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, durable when the block is left."""
        with _faults(), self._database.writing() as connection:
            yield connection

    @contextmanager
    def forgetting(self) -> Iterator[Connection]:
        """One transaction that removes what must not stay anywhere; `Database.wipe` removes the copies."""
        with _faults(), self._database.forgetting() as connection:
            yield connection


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except DBAPIError as fault:
        if not (fault.connection_invalidated or isinstance(fault, OperationalError | InterfaceError | InternalError)):
            raise
        raise LedgerUnavailable(str(fault.orig)) from fault
    except (PoolTimeout, OSError) as fault:
        raise LedgerUnavailable(str(fault)) from fault
