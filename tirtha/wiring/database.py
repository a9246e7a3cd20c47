"""From settings to the database: one for all packages, with the tables of each."""

from contextlib import AbstractContextManager

from cascade.storage import migrations as cascade_tables
from memory.storage.database import Database
from memory.storage.migrations import MIGRATIONS as MEMORY_TABLES
from memory.storage.opening import Migrations, open_database, read_database
from tirtha.audit import migrations as audit_tables
from tirtha.keys import migrations as key_tables
from tirtha.settings import Settings
from tirtha.tenants import migrations as tenant_tables

__all__ = ["MIGRATIONS", "database_beside_a_server", "database_of"]

MIGRATIONS = (
    MEMORY_TABLES,
    Migrations(folder=cascade_tables.FOLDER, heirs=cascade_tables.HEIRS),
    Migrations(folder=tenant_tables.FOLDER, heirs=tenant_tables.HEIRS),
    Migrations(folder=key_tables.FOLDER, heirs=key_tables.HEIRS),
    Migrations(folder=audit_tables.FOLDER, heirs=audit_tables.HEIRS),
)


def database_of(settings: Settings, *, accept_loss: bool = False) -> AbstractContextManager[Database]:
    """Open the configured database for this process alone, in the newest schema. Raises as `open_database` does."""
    return open_database(settings.folder, _url(settings), migrations=MIGRATIONS, accept_loss=accept_loss)


def database_beside_a_server(settings: Settings) -> AbstractContextManager[Database]:
    """Open the configured database while a server may be using it; changes no schema. Raises as `read_database` does."""
    return read_database(settings.folder, _url(settings), migrations=MIGRATIONS)


def _url(settings: Settings) -> str | None:
    return settings.database_url.get_secret_value() if settings.database_url else None
