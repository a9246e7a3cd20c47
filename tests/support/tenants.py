"""Requests of callers of any tenant, over the real application; which caller it is stands in headers that only tests know."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import httpx
from fastapi import Request

from memory.encoding.encoder import Encoder
from tirtha.caller import Caller, Right
from tirtha.http import dependencies
from tirtha.http.app import create_app
from tirtha.service import Service
from tirtha.settings import Settings
from tirtha.wiring.service import open_service

__all__ = ["as_caller", "house_of_tenants"]


def as_caller(tenant: str, rights: str = "read,write,admin") -> dict[str, str]:
    """The headers of a caller."""
    return {"x-test-tenant": tenant, "x-test-rights": rights}


def _by_header(request: Request) -> Caller:
    rights = request.headers.get("x-test-rights", "read,write,admin").split(",")
    tenant = request.headers.get("x-test-tenant", "default")
    return Caller(tenant=tenant, rights=frozenset(cast(Right, right) for right in rights))


@asynccontextmanager
async def house_of_tenants(settings: Settings, encoder: Encoder) -> AsyncIterator[tuple[Service, httpx.AsyncClient]]:
    """Open a service and a client of its application."""
    async with open_service(settings, encoder=encoder) as service:
        app = create_app(service, settings)
        app.dependency_overrides[dependencies._caller] = _by_header
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=120) as client:
            yield service, client
