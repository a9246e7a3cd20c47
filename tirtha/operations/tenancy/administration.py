"""Administration: tenants are made, shown and set by the administrator of the tenant `default`, and by no one else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from memory.api import Memory
from tirtha.audit.log import AuditLog
from tirtha.caller import OPERATORS_TENANT, Caller
from tirtha.errors import Forbidden
from tirtha.operations.listing import Page
from tirtha.tenants.admission import Admission
from tirtha.tenants.errors import TenantExists, UnknownTenant
from tirtha.tenants.model import Assigned, Tenant, Terms

__all__ = ["ManageTenants", "TenantShown", "require_operator"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantShown:
    """A tenant with the terms that hold for it, the turns it has, and what it has spent today."""

    tenant: Tenant
    terms: Terms
    turns: int
    spent_nanousd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ManageTenants:
    """Show, make and set tenants. Every method raises StoreUnavailable and LedgerUnavailable, and Forbidden to most callers."""

    memory: Memory
    admission: Admission
    audit: AuditLog

    async def list(self, caller: Caller, *, limit: int, after: str | None) -> Page[TenantShown, str]:
        """Return tenants by name, from after the name `after`."""
        require_operator(caller)
        found = await self.admission.tenants.page(limit=limit + 1, after=after)
        shown = await self._shown(found[:limit])
        return Page(items=shown, end=found[limit - 1].name if len(found) > limit else None)

    async def read(self, caller: Caller, name: str) -> TenantShown:
        """Return one tenant. Raises UnknownTenant."""
        require_operator(caller)
        tenant = await self.admission.tenants.find(name)
        if tenant is None:
            raise UnknownTenant(name)
        [shown] = await self._shown([tenant])
        return shown

    async def create(self, caller: Caller, name: str, assigned: Assigned) -> TenantShown:
        """Make a tenant. Raises TenantExists."""
        require_operator(caller)
        known = await self.admission.tenants.find(name)
        if known is not None:
            raise TenantExists(name, deleting=known.deleting_since is not None)
        # One of this name may have been deleted. Until the row is there, no caller has a key of it.
        await self.memory.tenants.reopen(name)
        [shown] = await self._shown([await self.admission.tenants.create(name, assigned)])
        await self.audit.record(replace(caller, tenant=name), what="tenant.created")
        return shown

    async def assign(self, caller: Caller, name: str, changes: Mapping[str, Any]) -> TenantShown:
        """Set values of a tenant, by their names in `Assigned`; None sets one back to the default. Raises UnknownTenant."""
        require_operator(caller)
        [shown] = await self._shown([await self.admission.tenants.assign(name, changes)])
        await self.audit.record(replace(caller, tenant=name), what="tenant.set", count=len(changes))
        return shown

    async def _shown(self, tenants: Sequence[Tenant]) -> Sequence[TenantShown]:
        turns = await self.memory.tenants.turns([tenant.name for tenant in tenants])
        return [
            TenantShown(
                tenant=tenant,
                terms=self.admission.tenants.defaults.with_assigned(tenant.assigned),
                turns=turns.get(tenant.name, 0),
                spent_nanousd=await self.admission.spending.today(tenant.name),
            )
            for tenant in tenants
        ]


def require_operator(caller: Caller) -> None:
    """Raise Forbidden, the same to everybody, unless an administrator of the tenant `default` calls."""
    if caller.tenant != OPERATORS_TENANT or caller.user_id is not None or "admin" not in caller.rights:
        raise Forbidden(f"admin of the tenant {OPERATORS_TENANT}")
