"""From settings to keys: who calls, and how keys are made, over a database that is open."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from memory.errors import DataIsOlder, NoDatabase, StoreUnavailable
from memory.storage.database import Database
from tirtha.audit.log import AuditLog
from tirtha.errors import NotLoopback
from tirtha.keys.administration import Keys
from tirtha.keys.authentication import Authentication
from tirtha.keys.pepper import PepperFile
from tirtha.keys.store import KeyStore
from tirtha.settings import LOOPBACK, Settings
from tirtha.tenants.registry import Tenants
from tirtha.wiring.database import database_beside_a_server, database_of
from tirtha.wiring.tenants import make_tenants, tenant_maker

__all__ = ["KeyService", "keys_here", "open_keys", "refuse_to_listen_without_a_key"]

_PEPPER_FILE = "pepper"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyService:
    """Who calls, and the keys by which that is known."""

    authentication: Authentication
    keys: Keys


@asynccontextmanager
async def open_keys(
    settings: Settings, database: Database, tenants: Tenants | None = None, audit: AuditLog | None = None
) -> AsyncIterator[KeyService]:
    """Set the keys over an open database; what is still being written is waited for at the end.

    Args:
        settings: they say where the pepper is.
        database: the open database.
        tenants: those of the service, if there is one in this process.
        audit: the service's log, if there is one in this process.

    Raises:
        StoreUnavailable: the database cannot be read.
    """
    file = settings.pepper_file.expanduser() if settings.pepper_file else settings.folder / _PEPPER_FILE
    store, pepper = KeyStore(database), PepperFile(file)
    authentication = Authentication(store, pepper)
    await authentication.find_out_whether_needed()
    keys = Keys(
        store,
        pepper,
        authentication,
        make_tenant=tenant_maker(tenants or make_tenants(settings, database), database),
        audit=audit or AuditLog(database, on_failure=lambda _: None),
    )
    try:
        yield KeyService(authentication=authentication, keys=keys)
    finally:
        await authentication.close()


@asynccontextmanager
async def keys_here(settings: Settings) -> AsyncIterator[KeyService]:
    """Open the keys of the data folder alone, without the engine, which takes long. Raises as `open_database` does."""
    with database_of(settings) as database:
        async with open_keys(settings, database) as opened:
            yield opened


def refuse_to_listen_without_a_key(settings: Settings) -> None:
    """Raise NotLoopback if others could reach the configured address while no key is made."""
    if settings.host in LOOPBACK:
        return
    try:
        made = _any_key(settings)
    except StoreUnavailable as fault:
        raise NotLoopback(settings.host, f"no API key can be read ({fault.reason})") from fault
    if not made:
        raise NotLoopback(settings.host, "no API key is made")


def _any_key(settings: Settings) -> bool:
    try:
        with database_beside_a_server(settings) as database:
            return KeyStore(database).any()
    except NoDatabase:  # a data folder that nothing was done with
        return False
    except DataIsOlder:  # serving would bring it to the newest schema as well
        with database_of(settings) as database:
            return KeyStore(database).any()
