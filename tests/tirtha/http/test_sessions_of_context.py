"""A context of one session, or without the session that the caller's prompt holds already; and flags over HTTP."""

from typing import Any

import httpx
import pytest

from memory import NewTurn, Remember, Scope
from tirtha.service import Service

ASKED = {"user_id": "u1", "question": "Where do I live?", "budget": 165, "asked_at": "2024-01-01T00:00:00Z"}


@pytest.fixture
async def remembered(client: httpx.AsyncClient) -> httpx.AsyncClient:
    for session, place, day in (("s1", "Oslo", "2023-05-08"), ("s2", "Bergen", "2023-09-01")):
        turn = {
            "id": "1",
            "role": "user",
            "text": f"I live in {place}, near the harbour.",
            "said_at": f"{day}T10:00:00Z",
        }
        body = {"user_id": "u1", "session_id": session, "turns": [turn]}
        (await client.post("/v1/remember", json=body)).raise_for_status()
    return client


async def sessions_of(client: httpx.AsyncClient, **fields: Any) -> set[str]:
    answer = (await client.post("/v1/context", json=ASKED | fields)).raise_for_status().json()
    return {line["session_id"] for line in answer["lines"]}


async def test_a_context_is_of_one_session_or_of_all_but_one(remembered: httpx.AsyncClient) -> None:
    assert await sessions_of(remembered) == {"s1", "s2"}
    assert await sessions_of(remembered, session_id=None, exclude_session_id=None) == {"s1", "s2"}
    assert await sessions_of(remembered, session_id="s1") == {"s1"}
    assert await sessions_of(remembered, exclude_session_id="s1") == {"s2"}
    assert await sessions_of(remembered, session_id="s1", exclude_session_id="s2") == {"s1"}
    assert await sessions_of(remembered, session_id="none") == set()
    early: dict[str, Any] = {"as_of": "asked_at", "asked_at": "2023-06-01T00:00:00Z"}
    assert await sessions_of(remembered, exclude_session_id="s1", **early) == set()
    assert await sessions_of(remembered, session_id="s2", **early) == set()


async def test_a_session_that_is_asked_about_and_left_out_is_refused(remembered: httpx.AsyncClient) -> None:
    refused = await remembered.post("/v1/context", json=ASKED | {"session_id": "s1", "exclude_session_id": "s1"})
    assert refused.status_code == 422
    assert "exclude_session_id" in refused.text


async def test_flags_are_shown_and_no_caller_sets_one(remembered: httpx.AsyncClient, service: Service) -> None:
    turn = NewTurn(id="2", role="assistant", text="You live in Rome, near the harbour.", flag="unchecked")
    scope = Scope(tenant="default", user_id="u1")
    await service.memory.remember(Remember(scope=scope, session_id="s1", turns=[turn]))
    shown = (await remembered.get("/v1/memories", params={"user_id": "u1"})).json()["turns"]
    assert [(one["session_id"], one["id"], one["flag"]) for one in shown] == [
        ("s1", "1", None),
        ("s2", "1", None),
        ("s1", "2", "unchecked"),
    ]
    one = await remembered.get("/v1/memories/2", params={"user_id": "u1", "session_id": "s1"})
    assert one.json()["flag"] == "unchecked"
    for session in ({}, {"session_id": "s1"}):
        query = {"user_id": "u1", "query": "Where do I live, near the harbour in Rome?"} | session
        found = (await remembered.get("/v1/memories", params=query)).json()["turns"]
        assert found
        assert "2" not in {turn["id"] for turn in found}
    for path in ("/v1/context", "/v1/ask"):
        assert "Rome" not in (await remembered.post(path, json=ASKED)).text
    body = {"user_id": "u1", "turns": [{"role": "user", "text": "x", "flag": "unchecked"}]}
    refused = await remembered.post("/v1/remember", json=body)
    assert refused.status_code == 422
    assert "flag" in refused.text
