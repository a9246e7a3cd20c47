"""Whether the process answers, whether it can do its work, and how it does."""

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

import tirtha
from tirtha.http.dependencies import CalledBy, Served
from tirtha.http.schemas.responses import HealthOut
from tirtha.http.strict_route import StrictRoute

__all__ = ["router"]

router = APIRouter(route_class=StrictRoute)


@router.get("/healthz", response_model_exclude_none=True)
async def healthz() -> HealthOut:
    """Answer, to show that the process lives."""
    return HealthOut(status="ok", version=tirtha.__version__)


@router.get("/readyz")
async def readyz(service: Served) -> HealthOut:
    """Try to store and find turns; 503 if that cannot be done."""
    counts = await service.ready()
    return HealthOut(status="ready", version=tirtha.__version__, turns=counts.turns, waiting=counts.waiting)


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request, service: Served, caller: CalledBy) -> Response:
    """Show the metrics as Prometheus reads them."""
    scrape = await service.metrics(caller, request.headers.get("accept", ""))
    return Response(scrape.text, media_type=scrape.media_type)
