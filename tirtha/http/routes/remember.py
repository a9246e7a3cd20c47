"""POST /v1/remember: turns of one session as JSON, or a bulk as NDJSON."""

from fastapi import APIRouter, Request
from starlette.datastructures import Headers
from starlette.routing import Match
from starlette.types import Scope as AsgiScope

from tirtha.http.bodies import NDJSON, is_ndjson
from tirtha.http.bulk import remember_stream
from tirtha.http.dependencies import Served, Writer
from tirtha.http.schemas.requests import RememberIn
from tirtha.http.schemas.responses import BulkOut, RememberOut
from tirtha.http.spool import spooled
from tirtha.http.strict_route import StrictRoute

__all__ = ["router"]

router = APIRouter(route_class=StrictRoute)

_LINES = {"requestBody": {"content": {NDJSON: {"schema": {"type": "string", "description": "one turn a line"}}}}}


class _NdjsonRoute(StrictRoute):
    """A route that only answers to newline-delimited JSON, so that it can share a path."""

    def matches(self, scope: AsgiScope) -> tuple[Match, AsgiScope]:
        """Match on the content type as well."""
        if not is_ndjson(Headers(scope=scope).get("content-type", "")):
            return Match.NONE, {}
        return super().matches(scope)


async def _remember_bulk(request: Request, service: Served, caller: Writer) -> BulkOut:
    """Remember one turn a line; bad lines are left out and named."""
    limit: int = request.app.state.max_line_bytes
    async with spooled(request) as chunks:
        return await remember_stream(service, caller, chunks, max_line_bytes=limit)


for _path in ("/v1/remember", "/remember"):
    router.add_api_route(
        _path,
        _remember_bulk,
        methods=["POST"],
        status_code=201,
        include_in_schema=False,
        route_class_override=_NdjsonRoute,
    )


@router.post("/remember", status_code=201, include_in_schema=False)
@router.post("/v1/remember", status_code=201, response_model=RememberOut | BulkOut, openapi_extra=_LINES)
async def remember(body: RememberIn, service: Served, caller: Writer) -> RememberOut:
    """Remember turns of one session; durable when answered. As application/x-ndjson: one turn a line, in bulk."""
    return RememberOut.of(await service.remember(caller, body.request()))
