"""Memories that leave and come: GET /v1/export, POST /v1/import."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response

from tirtha.http.bodies import NDJSON, is_ndjson
from tirtha.http.dependencies import CalledBy, Served
from tirtha.http.schemas.queries import ExportQuery, ImportQuery
from tirtha.http.schemas.transfer import ImportOut
from tirtha.http.strict_route import StrictRoute
from tirtha.transfer.envelope import Header
from tirtha.transfer.intake import Intake, import_export
from tirtha.transfer.response import ExportResponse
from tirtha.transfer.writer import export_blocks

__all__ = ["router"]

router = APIRouter(route_class=StrictRoute)


@router.get("/v1/export", response_class=ExportResponse)
async def export(query: Annotated[ExportQuery, Query()], service: Served, caller: CalledBy) -> Response:
    """Export all that is kept of a user, or, without one, of the tenant: NDJSON, the same bytes for the same memory."""
    kept = service.export(caller, query.request())
    header = Header.now(user_id=query.user_id, agent_id=query.agent_id)
    blocks = export_blocks(header, kept)
    return ExportResponse(blocks, folder=service.export.folder, threads=service.export.threads)


@router.post("/v1/import")
async def import_(
    query: Annotated[ImportQuery, Query()], request: Request, service: Served, caller: CalledBy
) -> ImportOut:
    """Import an export: lines that are there already are left alone, and what became of the others is told."""
    if not is_ndjson(request.headers.get("content-type", "")):
        raise HTTPException(415, f"send an export as Content-Type: {NDJSON}")
    limit: int = request.app.state.max_line_bytes
    intake = Intake(user_id=query.user_id, dry_run=query.dry_run)
    report = await import_export(service, caller, request.stream(), intake, max_line_bytes=limit)
    return ImportOut.of(report, dry_run=query.dry_run)
