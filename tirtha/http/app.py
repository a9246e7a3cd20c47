"""The ASGI application: middleware, errors and routes over an open service."""

from collections.abc import Callable, Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, APIRouter
from starlette.types import ASGIApp

import tirtha
from cascade.errors import RelayRefused
from tirtha.chat_api import completions, models
from tirtha.chat_api.errors import ErrorShape, refused
from tirtha.chat_api.messages import routes as messages
from tirtha.chat_api.responses import routes as responses
from tirtha.http import errors
from tirtha.http.dependencies import declared
from tirtha.http.middleware import Callers, RequestLimits, SecurityHeaders
from tirtha.http.routes import (
    audit,
    decisions,
    feedback,
    health,
    keys,
    memories,
    questions,
    remember,
    tenants,
    transfer,
)
from tirtha.http.routing import Routing
from tirtha.http.schemas.description import described
from tirtha.http.timeouts.bodies import BodyTimeouts
from tirtha.http.watched import Watched
from tirtha.keys.authentication import Authentication
from tirtha.mcp_server.route import mcp_router
from tirtha.service import Service
from tirtha.settings import LOOPBACK, Settings

__all__ = ["create_app"]

_STREAMED = frozenset({"/v1/remember", "/remember", "/v1/import"})  # paths that take NDJSON of any length
_FILES = frozenset({"/v1/import"})  # paths that take files of any type, and hold them to a limit of their own
_ROUTERS = (
    remember.router,
    questions.router,
    decisions.router,
    feedback.router,
    memories.router,
    transfer.router,
    keys.router,
    tenants.router,
    audit.router,
    health.router,
    completions.router,
    responses.router,
    messages.router,
    models.router,
)
_ANY_HOST = "*"


class _Application(FastAPI):
    """The framework's application, watched and with its security headers: its answer to errors of ours, too."""

    def build_middleware_stack(self) -> ASGIApp:
        """Build what a request goes through, from the outermost on."""
        inside = SecurityHeaders(ErrorShape(super().build_middleware_stack()), hsts_max_age_s=self.state.hsts_max_age_s)
        return Watched(inside, observer=self.state.service.observer)

    def openapi(self) -> dict[str, Any]:
        """Return the description of the API, made when it is first asked for."""
        if self.openapi_schema is None:
            described(super().openapi())
        return super().openapi()


def create_app(service: Service, settings: Settings) -> FastAPI:
    """Build the application over an open service; the code that opened it closes it after the application has stopped."""
    app = _Application(
        title="Tirtha",
        version=tirtha.__version__,
        openapi_url=None,  # a route of our own serves it, for which a key is needed as for all others
        docs_url=None,  # their pages load scripts from the internet
        redoc_url=None,
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
        },  # the framework's own names paths, and so ids
        redirect_slashes=False,  # `DELETE /v1/sessions/a/` must not become a DELETE of another id
    )
    app.state.service = service
    app.state.hsts_max_age_s = settings.hsts_max_age_s
    app.state.max_line_bytes = settings.max_body_bytes
    errors.register(app)
    app.add_exception_handler(RelayRefused, refused)
    routers = (*_ROUTERS, mcp_router(service, max_body_bytes=settings.max_body_bytes))
    for router in routers:
        app.include_router(router)
    app.add_middleware(Routing)  # the innermost: what is added later stands before it
    app.add_middleware(
        BodyTimeouts, pause_s=settings.body_pause_s, whole_s=settings.body_timeout_s, streamed=_STREAMED | _FILES
    )
    app.add_middleware(
        RequestLimits,
        is_ours=_our_hosts(settings, service.authentication),
        max_body_bytes=settings.max_body_bytes,
        streamed=_STREAMED,
        files=_FILES,
    )
    app.add_middleware(Callers, authentication=service.authentication, open_paths=_open_paths(routers))
    return app


def _open_paths(routers: Iterable[APIRouter]) -> frozenset[str]:
    """Return the paths of the routes that declare that they need no key; no router is included under a prefix.

    The routes of the application itself would be built for this, which the framework otherwise does when one is first asked for.
    """
    routes = [route for router in routers for route in router.routes]
    return frozenset(r.path for r in routes if isinstance(r, APIRoute) and declared(r.dependant) == "open")


def _our_hosts(settings: Settings, authentication: Authentication) -> Callable[[str], bool]:
    """Return whether the server answers to a name: to loopback's, and once keys are needed to those of the settings, or to any.

    A page that reaches us under a name of its own can do nothing without a key, and a browser has none to send along.
    """
    named = {name.lower().removesuffix(".") for name in settings.allowed_hosts}
    any_host = not named or _ANY_HOST in named
    allowed = named | {settings.host.lower()}

    def is_ours(host: str) -> bool:
        return host in LOOPBACK or (authentication.key_needed and (any_host or host in allowed))

    return is_ours
