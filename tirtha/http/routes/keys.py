"""API keys, made, listed and revoked by administrators."""

from typing import Annotated

from fastapi import APIRouter, Query

from tirtha.http.cursors import KEYS
from tirtha.http.dependencies import Admin, Served
from tirtha.http.schemas.fields import ItemId
from tirtha.http.schemas.keys import KeyIn, KeyMadeOut, KeyOut, KeysOut, KeysQuery
from tirtha.http.strict_route import StrictRoute

__all__ = ["router"]

router = APIRouter(route_class=StrictRoute)


@router.post("/v1/keys", status_code=201)
async def create(body: KeyIn, service: Served, caller: Admin) -> KeyMadeOut:
    """Make a key. Its text is in this answer, and nowhere else."""
    return KeyMadeOut.of(await service.keys.create(caller, body.request()))


@router.get("/v1/keys")
async def keys(query: Annotated[KeysQuery, Query()], service: Served, caller: Admin) -> KeysOut:
    """List keys in the order they were made, without their secrets."""
    filters = (caller.tenant, query.tenant)
    page = await service.keys.page(caller, query.request(KEYS.read(query.cursor, filters)))
    return KeysOut.of(page, KEYS.write(page.end, filters))


@router.delete("/v1/keys/{key_id:id}")
async def revoke(key_id: ItemId, service: Served, caller: Admin) -> KeyOut:
    """Revoke a key for good."""
    return KeyOut.of(await service.keys.revoke(caller, key_id))
