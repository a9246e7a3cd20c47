"""Memories that leave and come: GET /v1/export, POST /v1/import."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response

from tirtha.caller import Caller
from tirtha.http.bodies import NDJSON, is_ndjson
from tirtha.http.dependencies import Reader, Served, Writer
from tirtha.http.schemas.queries import ExportQuery, ImportQuery
from tirtha.http.schemas.transfer import FileImportOut, ImportOut
from tirtha.http.strict_route import StrictRoute
from tirtha.http.upload import uploaded
from tirtha.service import Service
from tirtha.transfer.envelope import Header
from tirtha.transfer.intake import Intake, import_export
from tirtha.transfer.response import ExportResponse
from tirtha.transfer.writer import export_blocks

__all__ = ["router"]

router = APIRouter(route_class=StrictRoute)

_EXPORTED: dict[int | str, dict[str, Any]] = {
    200: {"headers": {"Content-Disposition": {"schema": {"type": "string"}, "required": True}}}
}
_BODIES = {
    "requestBody": {
        "required": True,
        "content": {
            NDJSON: {"schema": {"type": "string", "description": "an export of Tirtha"}},
            "application/octet-stream": {"schema": {"description": "with `format`: a file, whatever its content type"}},
        },
    }
}


@router.get("/v1/export", response_class=ExportResponse, status_code=200, responses=_EXPORTED)
async def export(query: Annotated[ExportQuery, Query()], service: Served, caller: Reader) -> Response:
    """Export all that is kept of a user, or, without one, of the tenant: NDJSON, the same bytes for the same memory."""
    kept = service.export(caller, query.request())
    header = Header.now(user_id=query.user_id, agent_id=query.agent_id)
    blocks = export_blocks(header, kept)
    return ExportResponse(blocks, folder=service.export.folder, threads=service.export.threads)


@router.post("/v1/import", openapi_extra=_BODIES)
async def import_(
    query: Annotated[ImportQuery, Query()], request: Request, service: Served, caller: Writer
) -> ImportOut | FileImportOut:
    """Import an export, or, with `format`, a file: what is there already is left alone, and what became of the rest is reported."""
    if query.format is None:
        if not is_ndjson(request.headers.get("content-type", "")):
            raise HTTPException(415, f"send an export as Content-Type: {NDJSON}, or name the format of a file")
        return await _import_export(query, request, service, caller, request.stream())
    importing = service.import_file
    async with uploaded(request, importing.folder, importing.max_bytes) as upload:
        if query.format == "auto" and upload.is_export:
            return await _import_export(query, request, service, caller, upload.chunks())
        report = await importing(caller, query.request(upload.source))
    return FileImportOut.of(report, dry_run=query.dry_run)


async def _import_export(
    query: ImportQuery, request: Request, service: Service, caller: Caller, chunks: AsyncIterator[bytes]
) -> ImportOut:
    limit: int = request.app.state.max_line_bytes
    intake = Intake(user_id=query.user_id, dry_run=query.dry_run)
    report = await import_export(service, caller, chunks, intake, max_line_bytes=limit)
    return ImportOut.of(report, dry_run=query.dry_run)
