"""/v1/tenants: tenants are made, shown, set and deleted by the administrator of the tenant `default`."""

from typing import Annotated

from fastapi import APIRouter, Query

from tirtha.http.cursors import TENANTS
from tirtha.http.dependencies import Admin, Served
from tirtha.http.schemas.fields import ItemId
from tirtha.http.schemas.tenants import (
    DeletedTenantOut,
    DeleteTenantQuery,
    TenantIn,
    TenantOut,
    TenantsOut,
    TenantsQuery,
    TenantValuesIn,
)
from tirtha.http.strict_route import StrictRoute

__all__ = ["router"]

router = APIRouter(route_class=StrictRoute)


@router.get("/v1/tenants")
async def tenants(query: Annotated[TenantsQuery, Query()], service: Served, caller: Admin) -> TenantsOut:
    """List tenants by name."""
    filters = [caller.tenant]
    page = await service.tenants.list(caller, limit=query.limit, after=TENANTS.read(query.cursor, filters))
    return TenantsOut(tenants=[TenantOut.of(one) for one in page.items], next=TENANTS.write(page.end, filters))


@router.post("/v1/tenants", status_code=201)
async def create_tenant(body: TenantIn, service: Served, caller: Admin) -> TenantOut:
    """Make a tenant."""
    return TenantOut.of(await service.tenants.create(caller, body.name, body.assigned()))


@router.get("/v1/tenants/{name:id}")
async def tenant(name: ItemId, service: Served, caller: Admin) -> TenantOut:
    """Show a tenant."""
    return TenantOut.of(await service.tenants.read(caller, name))


@router.patch("/v1/tenants/{name:id}")
async def set_tenant(name: ItemId, body: TenantValuesIn, service: Served, caller: Admin) -> TenantOut:
    """Set values of a tenant; null sets one back to the default, and what is left out stays."""
    return TenantOut.of(await service.tenants.assign(caller, name, body.changes()))


@router.delete("/v1/tenants/{name:id}")
async def delete_tenant(
    name: ItemId, query: Annotated[DeleteTenantQuery, Query()], service: Served, caller: Admin
) -> DeletedTenantOut:
    """Delete a tenant and forget everything of it; `confirm` is its name once more."""
    return DeletedTenantOut.of(await service.delete_tenant(caller, name, confirm=query.confirm))
