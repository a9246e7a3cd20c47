"""The registry: the tenants that were made, in the database that is handed in, and the terms of each.

Terms are asked for by every request, so they are kept for some seconds; what is changed here holds at once, and
what another process changes holds after that time.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from pydantic import TypeAdapter
from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from memory.storage.database import Database, store_faults
from tirtha.tenants.errors import TenantExists, UnknownTenant
from tirtha.tenants.model import Assigned, Tenant, Terms
from tirtha.tenants.schema import MANAGED_TENANT

__all__ = ["Tenants"]

_KEPT_S = 5.0
_ASSIGNED = TypeAdapter(Assigned)
_ROW = MANAGED_TENANT.c
T = TypeVar("T")


class Tenants:
    """The tenants of a database; `defaults` hold where nothing was set. Every method raises StoreUnavailable."""

    def __init__(self, database: Database, *, defaults: Terms) -> None:
        self.defaults = defaults
        self._database = database
        self._threads = anyio.CapacityLimiter(2)
        self._known: dict[str, tuple[Tenant | None, float]] = {}
        self._changes = 0

    async def find(self, name: str) -> Tenant | None:
        """Return the tenant of this name, as it was some seconds ago at the earliest; None if there is none."""
        tenant, until_s = self._known.get(name, (None, 0.0))
        if monotonic() >= until_s:
            changes = self._changes
            tenant = await self._in_thread(self._find, name)
            if changes == self._changes:  # else it may have been read before the change
                self._known[name] = (tenant, monotonic() + _KEPT_S)
        return tenant

    async def terms(self, name: str) -> Terms:
        """Return what holds for a tenant; the defaults, for one that was never made."""
        tenant = await self.find(name)
        return self.defaults.with_assigned(tenant.assigned) if tenant else self.defaults

    async def page(self, *, limit: int, after: str | None) -> list[Tenant]:
        """Return up to `limit` tenants by name, from after the name `after`."""
        return await self._in_thread(self._page, limit, after)

    async def create(self, name: str, assigned: Assigned) -> Tenant:
        """Make a tenant. Raises TenantExists."""
        tenant = Tenant(name=name, created_at=datetime.now(UTC), assigned=assigned)
        return await self._changed(name, partial(self._insert, tenant))

    async def assign(self, name: str, changes: Mapping[str, Any]) -> Tenant:
        """Set values of a tenant, by their names in `Assigned`; None sets one back to the default. Raises UnknownTenant."""
        return await self._changed(name, partial(self._assign, name, changes))

    async def begin_deleting(self, name: str) -> Tenant:
        """Note that a tenant is being deleted; from now on it has no callers. Raises UnknownTenant."""
        return await self._changed(name, partial(self._begin_deleting, name))

    async def being_deleted(self) -> list[str]:
        """Return the names of the tenants whose deletion began and has not ended."""
        return await self._in_thread(self._being_deleted)

    async def remove(self, name: str) -> None:
        """Remove the row of a tenant of which everything else is gone."""
        await self._changed(name, partial(self._remove, name))

    def _find(self, name: str) -> Tenant | None:
        with store_faults(), self._database.reading() as connection:
            row = connection.execute(select(MANAGED_TENANT).where(_ROW.name == name)).first()
        return _tenant(row) if row else None

    def _page(self, limit: int, after: str | None) -> list[Tenant]:
        query = select(MANAGED_TENANT).where(_ROW.name > (after or "")).order_by(_ROW.name).limit(limit)
        with store_faults(), self._database.reading() as connection:
            return [_tenant(row) for row in connection.execute(query)]

    def _insert(self, tenant: Tenant) -> Tenant:
        row = {"name": tenant.name, "created_at": tenant.created_at, "assigned": _written(tenant.assigned)}
        try:
            with store_faults(), self._database.writing() as connection:
                connection.execute(insert(MANAGED_TENANT), row)
        except IntegrityError:
            there = self._find(tenant.name)
            raise TenantExists(tenant.name, deleting=bool(there and there.deleting_since)) from None
        return tenant

    def _assign(self, name: str, changes: Mapping[str, Any]) -> Tenant:
        with store_faults(), self._database.writing() as connection:
            row = connection.execute(select(MANAGED_TENANT).where(_ROW.name == name).with_for_update()).first()
            if row is None or row.deleting_since:
                raise UnknownTenant(name)
            tenant = _tenant(row)
            changed = replace(tenant, assigned=replace(tenant.assigned, **changes))
            written = _written(changed.assigned)
            connection.execute(update(MANAGED_TENANT).where(_ROW.name == name).values(assigned=written))
        return changed

    def _begin_deleting(self, name: str) -> Tenant:
        with store_faults(), self._database.writing() as connection:
            row = connection.execute(select(MANAGED_TENANT).where(_ROW.name == name).with_for_update()).first()
            if row is None:
                raise UnknownTenant(name)
            tenant = replace(_tenant(row), deleting_since=_utc(row.deleting_since) or datetime.now(UTC))
            noted = update(MANAGED_TENANT).where(_ROW.name == name).values(deleting_since=tenant.deleting_since)
            connection.execute(noted)
        return tenant

    def _being_deleted(self) -> list[str]:
        query = select(_ROW.name).where(_ROW.deleting_since.is_not(None)).order_by(_ROW.name)
        with store_faults(), self._database.reading() as connection:
            return list(connection.execute(query).scalars())

    def _remove(self, name: str) -> None:
        with store_faults(), self._database.writing() as connection:
            connection.execute(delete(MANAGED_TENANT).where(_ROW.name == name))

    async def _changed(self, name: str, change: Callable[[], T]) -> T:
        """Make a change, and forget what was known before it, whether it was made or not."""
        try:
            return await self._in_thread(change)
        finally:
            self._changes += 1
            self._known.pop(name, None)

    async def _in_thread(self, work: Callable[..., T], *args: object) -> T:
        return await anyio.to_thread.run_sync(work, *args, limiter=self._threads)


def _tenant(row: Row[Any]) -> Tenant:
    created_at = _utc(row.created_at)
    assert created_at is not None  # noqa: S101 - the column holds no null
    assigned = _ASSIGNED.validate_json(row.assigned)
    return Tenant(name=row.name, created_at=created_at, assigned=assigned, deleting_since=_utc(row.deleting_since))


def _written(assigned: Assigned) -> str:
    held = {name: value for name, value in asdict(assigned).items() if value is not None}
    return _ASSIGNED.dump_json(Assigned(**held), exclude_none=True).decode()


def _utc(moment: datetime | None) -> datetime | None:
    """Return a moment of the database in UTC, which SQLite keeps without saying so."""
    if moment is None:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
