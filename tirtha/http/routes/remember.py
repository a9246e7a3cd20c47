"""POST /v1/remember: turns of one session as JSON, or a bulk as NDJSON."""

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope as AsgiScope

from tirtha.http.bulk import remember_stream
from tirtha.http.dependencies import CalledBy, Served
from tirtha.http.middleware import NDJSON
from tirtha.http.schemas.requests import RememberIn
from tirtha.http.schemas.responses import BulkOut, RememberOut
from tirtha.http.spool import spooled

__all__ = ["router"]

router = APIRouter()


class _NdjsonRoute(APIRoute):
    """A route that only answers to newline-delimited JSON, so that it can share a path."""

    def matches(self, scope: AsgiScope) -> tuple[Match, AsgiScope]:
        """Match on the content type as well."""
        headers = dict(scope.get("headers", ()))
        if not headers.get(b"content-type", b"").decode("latin-1").lower().startswith(NDJSON):
            return Match.NONE, {}
        return super().matches(scope)


async def _remember_bulk(request: Request, service: Served, caller: CalledBy) -> BulkOut:
    """Remember one turn a line; bad lines are left out and named."""
    async with spooled(request) as chunks:
        return await remember_stream(service, caller, chunks)


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
@router.post("/v1/remember", status_code=201)
async def remember(body: RememberIn, service: Served, caller: CalledBy) -> RememberOut:
    """Remember turns of one session; durable when answered. As application/x-ndjson: one turn a line, in bulk."""
    return RememberOut.of(await service.remember(caller, body.request()))
