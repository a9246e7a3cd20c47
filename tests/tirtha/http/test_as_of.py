"""As of: what was said after the question does not exist for it."""

import httpx
import pytest

TURNS = [
    {"id": "1", "role": "user", "text": "I live in Oslo, near the harbour.", "said_at": "2023-05-08T10:00:00Z"},
    {"id": "2", "role": "user", "text": "I moved, I live in Bergen now.", "said_at": "2023-09-01T10:00:00Z"},
]
ASKED = {"user_id": "u1", "question": "Where do I live?", "asked_at": "2023-06-01T00:00:00Z"}


@pytest.fixture
async def remembered(client: httpx.AsyncClient) -> httpx.AsyncClient:
    body = {"user_id": "u1", "session_id": "s1", "turns": TURNS}
    (await client.post("/v1/remember", json=body)).raise_for_status()
    return client


async def turns_of(client: httpx.AsyncClient, path: str, **extra: str) -> set[str]:
    answer = (await client.post(path, json=ASKED | extra)).raise_for_status().json()
    context = answer.get("context", answer)
    found = context["lines"] if "lines" in context else answer["evidence"]
    return {one["turn_id"] for one in found}


@pytest.mark.parametrize("path", ["/v1/recall", "/v1/context", "/v1/ask"])
async def test_later_turns_do_not_exist(remembered: httpx.AsyncClient, path: str) -> None:
    assert "2" in await turns_of(remembered, path)
    assert await turns_of(remembered, path, as_of="asked_at") == {"1"}
    assert "2" in await turns_of(remembered, path), "an answer as of then is not served for now"


async def test_another_word_is_refused(remembered: httpx.AsyncClient) -> None:
    refused = await remembered.post("/v1/context", json=ASKED | {"as_of": "yesterday"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["at"] == "as_of"
