"""From settings to the registry of tenants, and how a tenant is made without the engine, which takes long to load."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial

import anyio.to_thread

from memory.storage.database import Database
from memory.storage.tenancy import TenantStore
from tirtha.settings import Settings
from tirtha.tenants.errors import TenantExists
from tirtha.tenants.model import Assigned, default_terms
from tirtha.tenants.registry import Tenants

__all__ = ["make_tenants", "tenant_maker"]


def make_tenants(settings: Settings, database: Database) -> Tenants:
    """Make the registry of tenants."""
    return Tenants(database, defaults=default_terms(settings.tenant, settings.policy))


def tenant_maker(tenants: Tenants, database: Database) -> Callable[[str], Awaitable[None]]:
    """Return what makes sure that there is a tenant of a name, without a service; it raises TenantExists while one is deleted."""
    store = TenantStore(database)

    async def make(name: str) -> None:
        known = await tenants.find(name)
        if known is None:
            opening = partial(store.set_closed, name, datetime.now(UTC), closed=False)
            await anyio.to_thread.run_sync(opening)  # one of this name may have been deleted
            await tenants.create(name, Assigned())
        elif known.deleting_since:
            raise TenantExists(name, deleting=True)

    return make
