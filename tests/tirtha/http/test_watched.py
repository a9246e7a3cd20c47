"""What every request is given: an id, a line in the log, a place in a trace; whatever becomes of it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tirtha.http.app import create_app
from tirtha.observation.logs import JsonFormatter
from tirtha.observation.request import REQUEST
from tirtha.observation.tracing import TRACE
from tirtha.service import Service
from tirtha.settings import Settings

TURN = {"user_id": "u1", "session_id": "s1", "turns": [{"id": "1", "role": "user", "text": "I live in Porto."}]}
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
async def app(service: Service, settings: Settings) -> FastAPI:
    return create_app(service, settings)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as opened:
        yield opened


def access(caplog: pytest.LogCaptureFixture) -> list[tuple[int, dict[str, Any]]]:
    lines = [one for one in caplog.records if one.name == "tirtha.http.watched"]
    return [(one.levelno, {**one.__dict__["fields"]}) for one in lines]


async def test_an_id_is_taken_or_made_and_given_back_whatever_the_answer(client: httpx.AsyncClient) -> None:
    for method, path in (
        ("GET", "/healthz"),
        ("GET", "/nowhere"),
        ("PUT", "/v1/ask"),
        ("POST", "/v1/ask"),
        ("OPTIONS", "/v1/ask"),
    ):
        answer = await client.request(method, path, headers={"x-request-id": "mine.1"})
        assert answer.headers.get_list("x-request-id") == ["mine.1"], (method, path)
    for wrong in (b"", b"a b", b"x" * 129, "caf\u00e9".encode("latin-1")):
        answer = await client.get("/healthz", headers=[(b"x-request-id", wrong)])
        assert len(answer.headers["x-request-id"]) == 32
    refused = await client.get("/healthz", headers={"host": "evil.example"})
    assert (refused.status_code, len(refused.headers["x-request-id"])) == (400, 32)


async def test_a_line_names_each_request_and_names_no_id(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="tirtha")
    await client.post("/v1/remember", json=TURN)
    await client.get("/v1/memories/1", params={"user_id": "u1"})
    await client.head("/readyz")
    await client.get("/v1/nowhere/u1")
    await client.patch("/v1/users/u1")
    lines = access(caplog)
    assert all(isinstance(fields.pop("ms"), int) for _, fields in lines)
    assert lines == [
        (logging.INFO, {"method": "POST", "route": "/v1/remember", "status": 201}),
        (logging.INFO, {"method": "GET", "route": "/v1/memories/{turn_id}", "status": 200}),
        (logging.DEBUG, {"method": "HEAD", "route": "/readyz", "status": 200}),
        (logging.INFO, {"method": "GET", "route": "", "status": 404}),
        (logging.INFO, {"method": "PATCH", "route": "/v1/users/{user_id}", "status": 405}),
    ]


async def test_an_unexpected_error_has_its_id_in_the_answer_and_its_line(
    app: FastAPI, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="tirtha")

    async def breaks() -> None:
        raise ValueError("I live in Porto")

    app.add_api_route("/breaks", breaks)
    answer = await client.get("/breaks", headers={"x-request-id": "mine.2"})
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] == "mine.2"
    assert "Porto" not in answer.text
    [(_, fields)] = access(caplog)
    assert (fields["status"], fields["route"]) == (500, "/breaks")
    assert "Porto" not in "".join(JsonFormatter().format(one) for one in caplog.records)


async def test_a_request_that_is_given_up_is_logged_as_such(
    app: FastAPI, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="tirtha")
    begun = asyncio.Event()

    async def waits() -> None:
        begun.set()
        await asyncio.sleep(60)

    app.add_api_route("/waits", waits)
    asked = asyncio.create_task(client.get("/waits"))
    await begun.wait()
    asked.cancel()
    await asyncio.wait([asked])
    assert [fields["status"] for _, fields in access(caplog)] == [499]


async def test_a_request_leaves_nothing_for_the_next(client: httpx.AsyncClient) -> None:
    await client.get("/healthz", headers={"traceparent": PARENT})
    assert REQUEST.get() is None
    assert TRACE.get() is None
