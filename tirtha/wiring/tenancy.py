"""From settings to tenants: what their requests are measured by, and the rounds that remove what they keep for too long."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import anyio
import anyio.to_thread

from cascade import Ledger
from memory.storage.database import Database
from memory.storage.tenancy import TenantStore
from tirtha.operations.tenancy.housekeeping import Housekeeping
from tirtha.settings import Settings
from tirtha.tenants.admission import Admission
from tirtha.tenants.errors import TenantExists
from tirtha.tenants.model import Assigned, default_terms
from tirtha.tenants.rates import Rates
from tirtha.tenants.registry import Tenants
from tirtha.tenants.spending import Spending

__all__ = ["keeping_house", "make_admission", "make_tenants", "tenant_maker"]

log = logging.getLogger(__name__)


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


def make_admission(tenants: Tenants, ledger: Ledger) -> Admission:
    """Make what the requests of tenants are measured by."""
    return Admission(tenants=tenants, rates=Rates(), spending=Spending(ledger))


@asynccontextmanager
async def keeping_house(housekeeping: Housekeeping) -> AsyncIterator[None]:
    """Make the rounds beside the block; the step under way is ended with it."""
    rounds = asyncio.create_task(housekeeping.run())
    rounds.add_done_callback(_tell_fault)
    try:
        yield
    finally:
        rounds.cancel()
        await asyncio.wait([rounds])


def _tell_fault(rounds: asyncio.Task[None]) -> None:
    """Log what ended the rounds before their time; the next start makes them again."""
    if not rounds.cancelled() and (fault := rounds.exception()):
        log.error("what tenants keep for too long is not removed until the next start", exc_info=fault)
