"""Whether the process answers, whether it can do its work, how it does, and what can be asked of it."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

import tirtha
from tirtha.http.dependencies import OPEN, Known, Reader, ReaderIfAny, Served
from tirtha.http.schemas.responses import HealthOut
from tirtha.http.strict_route import StrictRoute

__all__ = ["router"]

router = APIRouter(route_class=StrictRoute)


@router.get("/healthz", response_model_exclude_none=True, dependencies=[OPEN])
async def healthz() -> HealthOut:
    """Answer, to show that the process lives."""
    return HealthOut(status="ok", version=tirtha.__version__)


@router.get("/readyz", response_model_exclude_none=True)
async def readyz(service: Served, reader: ReaderIfAny) -> HealthOut:
    """Try to store and find turns; 503 if that cannot be done. A caller who may read gets how many, or why not."""
    counts = await service.ready(reader)
    held = {"turns": counts.turns, "waiting": counts.waiting} if counts else {}
    return HealthOut(status="ready", version=tirtha.__version__, **held)


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request, service: Served, caller: Reader) -> Response:
    """Show the metrics as Prometheus reads them."""
    scrape = await service.metrics(caller, request.headers.get("accept", ""))
    return Response(scrape.text, media_type=scrape.media_type)


@router.get("/openapi.json", include_in_schema=False)
async def schema(request: Request, caller: Known) -> dict[str, Any]:  # noqa: ARG001 - any caller with a key
    """Describe this API as an OpenAPI document."""
    document: dict[str, Any] = request.app.openapi()
    return document
