"""Requests of callers of any tenant, over the real application; which caller it is stands in headers that only tests know."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import httpx
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from memory.encoding.encoder import Encoder
from tirtha.caller import Caller, Right
from tirtha.http.app import create_app
from tirtha.service import Service
from tirtha.settings import Settings
from tirtha.wiring.service import open_service

__all__ = ["as_caller", "house_of_tenants"]


def as_caller(tenant: str, rights: str = "read,write,admin") -> dict[str, str]:
    """The headers of a caller."""
    return {"x-test-tenant": tenant, "x-test-rights": rights}


class _ByHeader:
    """ASGI middleware, the innermost: the caller is now the one in the headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        rights = headers.get("x-test-rights", "read,write,admin").split(",")
        tenant = headers.get("x-test-tenant", "default")
        scope.setdefault("state", {})["caller"] = Caller(
            tenant=tenant, rights=frozenset(cast(Right, right) for right in rights)
        )
        await self._app(scope, receive, send)


@asynccontextmanager
async def house_of_tenants(settings: Settings, encoder: Encoder) -> AsyncIterator[tuple[Service, httpx.AsyncClient]]:
    """Open a service and a client of its application."""
    async with open_service(settings, encoder=encoder) as service:
        app = create_app(service, settings)
        app.user_middleware.append(Middleware(_ByHeader))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=120) as client:
            yield service, client
