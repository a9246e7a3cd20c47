"""The ASGI application: middleware, errors and routes over an open service."""

from typing import Any

from fastapi import APIRouter, FastAPI

import tirtha
from tirtha.http import errors
from tirtha.http.errors import Problem
from tirtha.http.middleware import RequestLimits
from tirtha.http.routes import decisions, feedback, health, memories, questions, remember
from tirtha.http.routing import Routing
from tirtha.service import Service
from tirtha.settings import LOOPBACK, Settings

__all__ = ["create_app"]

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "content": {"application/problem+json": {}}}
    for status in (400, 403, 404, 409, 413, 415, 422, 503, 507)
}
_STREAMED = frozenset({"/v1/remember", "/remember"})  # paths that take NDJSON of any length
_ROUTERS = (
    remember.router,
    questions.router,
    decisions.router,
    feedback.router,
    memories.router,
    health.router,
)


def create_app(service: Service, settings: Settings) -> FastAPI:
    """Build the application over an open service; whoever opened it closes it after the application has stopped."""
    app = FastAPI(
        title="Tirtha",
        version=tirtha.__version__,
        docs_url=None,  # their pages load scripts from the internet; /openapi.json is served
        redoc_url=None,
        redirect_slashes=False,  # `DELETE /v1/sessions/a/` must not become a DELETE of another id
    )
    app.state.service = service
    app.state.max_line_bytes = settings.max_body_bytes
    app.add_middleware(Routing)
    app.add_middleware(RequestLimits, hosts=LOOPBACK, max_body_bytes=settings.max_body_bytes, streamed=_STREAMED)
    errors.register(app)
    routes = APIRouter(responses=_PROBLEMS)
    for router in _ROUTERS:
        routes.include_router(router)
    app.include_router(routes)
    return app
