"""Which names the server answers to, and the headers that every answer has."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, NoReturn

import httpx

from tirtha.caller import Caller
from tirtha.http.app import create_app
from tirtha.operations.listing import ListUsers, UsersRequest
from tirtha.service import Service
from tirtha.settings import Settings

HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}


@asynccontextmanager
async def application(service: Service, **configured: Any) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(service, Settings(**configured)), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


async def answered(client: httpx.AsyncClient, host: str, **headers: str) -> int:
    return (await client.get("/v1/users", headers={"host": host} | headers)).status_code


async def test_names_count_once_keys_are_needed(service: Service) -> None:
    chosen = ("memory.example", "Other.Example.")
    async with (
        application(service) as usual,
        application(service, allowed_hosts=chosen, host="192.0.2.1") as some,
        application(service, allowed_hosts=("*",)) as every,
    ):
        for client in (usual, some, every):
            assert await answered(client, "memory.example") == 400, "without keys only loopback's names count"
            assert await answered(client, "localhost:8765") == 200
        made = (await usual.post("/v1/keys", json={"name": "first"})).json()
        shown = {"authorization": f"Bearer {made['key']}"}
        for host in ("memory.example", "memory.example:443", "other.example", "127.0.0.1", "192.0.2.1:8765"):
            for client in (usual, some, every):
                assert await answered(client, host, **shown) == 200, host
        assert await answered(usual, "evil.example", **shown) == 200
        assert await answered(every, "evil.example", **shown) == 200
        assert await answered(some, "evil.example", **shown) == 400
        assert await answered(some, "evil.example") == 401, "a caller without a key learns nothing else"
        assert await answered(usual, "") == 401


async def test_every_answer_has_security_headers(client: httpx.AsyncClient, service: Service) -> None:
    ask = {"user_id": "u1", "question": "Where?", "stream": True}
    broken = service.authentication.key_needed
    assert not broken
    for answer in (
        await client.get("/healthz"),
        await client.get("/none"),
        await client.put("/v1/ask"),
        await client.post("/v1/ask", json=ask),
        await client.post("/v1/ask", content=b"{"),
        await client.get("/healthz", headers={"host": "evil.example"}),
        await client.get("/healthz", headers={"forwarded": "for=x"}),
        await client.options("/v1/ask"),
    ):
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, answer.request.url
        assert "strict-transport-security" not in answer.headers


class Buggy(ListUsers):
    """An operation with a bug."""

    async def __call__(self, caller: Caller, request: UsersRequest) -> NoReturn:
        raise RuntimeError("as if it were a bug")


async def test_an_error_of_ours_has_them_too(service: Service) -> None:
    async with application(replace(service, users=Buggy(memory=service.memory))) as client:
        answer = await client.get("/v1/users")
    assert answer.status_code == 500
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


async def test_browsers_are_asked_to_use_tls_if_the_operator_says_so(service: Service) -> None:
    async with application(service, hsts_max_age_s=3_600) as client:
        assert (await client.get("/healthz")).headers["strict-transport-security"] == "max-age=3600"
