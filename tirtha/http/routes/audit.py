"""GET /v1/audit: who changed what, and when."""

from typing import Annotated

from fastapi import APIRouter, Query

from tirtha.http.cursors import AUDIT
from tirtha.http.dependencies import Admin, Served
from tirtha.http.schemas.audit import AuditOut, AuditParameters, EntryOut
from tirtha.http.strict_route import StrictRoute

__all__ = ["router"]

router = APIRouter(route_class=StrictRoute)


@router.get("/v1/audit")
async def audit(query: Annotated[AuditParameters, Query()], service: Served, caller: Admin) -> AuditOut:
    """List what was changed in the tenant, the newest first."""
    filters = (caller.tenant, query.user_id, query.what, _text(query.since), _text(query.until))
    page = await service.audit_entries(caller, query.request(AUDIT.read(query.cursor, filters)))
    return AuditOut(entries=[EntryOut.of(entry) for entry in page.entries], next=AUDIT.write(page.end, filters))


def _text(moment: object) -> str | None:
    return None if moment is None else str(moment)
