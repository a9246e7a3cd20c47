"""A memory whose turns come faster than they are indexed, over HTTP: what is refused and what waits; others notice nothing."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from memory.encoding.encoder import Encoder
from tests.support.databases import new_home
from tirtha.http.app import create_app
from tirtha.settings import Settings
from tirtha.wiring.service import open_service

MOST_WAITING = 40
NDJSON = {"content-type": "application/x-ndjson"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=new_home(tmp_path / "home"), max_tail_turns=MOST_WAITING)


@pytest.fixture
async def client(settings: Settings, encoder: Encoder) -> AsyncIterator[httpx.AsyncClient]:
    async with open_service(settings, encoder=encoder) as service:
        transport = httpx.ASGITransport(create_app(service, settings), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as opened:
            yield opened


def facts(first: int, count: int) -> list[dict[str, str]]:
    return [
        {"id": str(n), "role": "user", "text": f"Fact number {n} about otters."} for n in range(first, first + count)
    ]


async def remember(client: httpx.AsyncClient, turns: list[dict[str, str]], user: str = "u1") -> httpx.Response:
    return await client.post("/v1/remember", json={"user_id": user, "session_id": "s1", "turns": turns})


async def waiting(client: httpx.AsyncClient) -> int:
    count: int = (await client.get("/readyz")).json()["waiting"]
    return count


async def test_what_is_too_far_ahead_is_refused_whole_and_may_be_sent_again(client: httpx.AsyncClient) -> None:
    first = facts(0, 400)
    assert (await remember(client, first)).status_code == 201, "one request is taken whatever its size"
    refused = await remember(client, facts(400, 3))
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) >= 1
    problem = refused.json()
    assert problem["status"] == 503
    assert "nothing was stored" in problem["detail"]
    assert f"{MOST_WAITING} may" in problem["detail"]
    again = await remember(client, first[:10])
    assert again.status_code == 201, "what is stored already needs no room"
    assert not any(turn["stored"] for turn in again.json()["turns"])
    assert (await remember(client, facts(0, 1), user="u2")).status_code == 201, "another memory is not refused"
    while await waiting(client) >= MOST_WAITING:
        pass
    assert (await remember(client, facts(400, 3))).status_code == 201


async def test_an_import_by_one_body_waits_for_the_index_and_holds_no_one_up(client: httpx.AsyncClient) -> None:
    """The body is pulled as the server takes it, so that a live user can act in the middle of it."""
    most: list[int] = []
    answered: list[dict[str, object]] = []

    async def body() -> AsyncIterator[bytes]:
        for number, fact in enumerate(facts(0, 600)):
            yield json.dumps({"user_id": "importer", "session_id": "s1"} | fact).encode() + b"\n"
            if number % 150 == 149:
                most.append(await waiting(client))
                turn = {"id": str(number), "role": "user", "text": f"The code of locker {number} is zq{number}x."}
                live = {"user_id": "live", "session_id": "s1", "turns": [turn], "wait": "indexed"}
                answered.append((await client.post("/v1/remember", json=live)).json())
                question = {"user_id": "live", "question": f"What is the code of locker {number}?"}
                context = (await client.post("/v1/context", json=question)).json()
                assert f"zq{number}x" in context["text"]

    answer = await client.post("/v1/remember", content=body(), headers=NDJSON)
    assert answer.status_code == 201
    assert answer.json()["stored"] == 600
    assert max(most) < MOST_WAITING + 128 + 32, "a batch of the bulk above the bound"
    assert all(one["indexed"] for one in answered)
