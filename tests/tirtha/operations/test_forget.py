"""Forgetting over HTTP: gone from memory, from answers, from decision records."""

import httpx
import pytest

SENT = {
    "user_id": "u1",
    "session_id": "s1",
    "turns": [
        {"id": "t1", "role": "user", "text": "My cat is called Miso."},
        {"id": "t2", "role": "user", "text": "I live in a small house by the sea."},
    ],
}
ASKED = {"user_id": "u1", "question": "What is my cat called?"}


async def remember(client: httpx.AsyncClient) -> str:
    assert (await client.post("/v1/remember", json=SENT)).status_code == 201
    answer = (await client.post("/v1/ask", json=ASKED)).json()
    assert "Miso" in answer["answer"]
    assert (await client.post("/v1/ask", json=ASKED)).headers["x-tirtha-cache"] == "hit"
    return str(answer["decision_id"])


@pytest.mark.parametrize(
    ("path", "query", "turns"),
    [
        ("/v1/memories/t1", {"user_id": "u1", "session_id": "s1"}, 1),
        ("/v1/sessions/s1", {"user_id": "u1"}, 2),
        ("/v1/users/u1", {}, 2),
    ],
)
async def test_what_is_forgotten_is_gone_from_answers_and_records(
    client: httpx.AsyncClient, path: str, query: dict[str, str], turns: int
) -> None:
    decision_id = await remember(client)
    before = (await client.get("/v1/stats")).json()
    forgot = await client.delete(path, params=query)
    assert forgot.status_code == 200, forgot.text
    assert forgot.json()["turns"] == turns
    assert forgot.json()["decisions"] == 2
    answer = await client.post("/v1/ask", json=ASKED)
    assert answer.headers["x-tirtha-cache"] == "miss"
    assert "Miso" not in answer.text
    assert (await client.get(f"/v1/decisions/{decision_id}")).status_code == 404
    assert (await client.get("/v1/stats")).json()["n"] == before["n"] + 1, "what was spent stays counted"


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/v1/memories/t9", {"user_id": "u1", "session_id": "s1"}, 404),
        ("/v1/memories/t1", {"user_id": "u2", "session_id": "s1"}, 404),
        ("/v1/memories/t1", {"user_id": "u1"}, 422),
        ("/v1/sessions/s9", {"user_id": "u1"}, 404),
        ("/v1/users/u9", {}, 404),
        ("/v1/users/u1", {"agent_id": "a9"}, 404),
        ("/v1/sessions/s1", {"user": "u1"}, 422),
    ],
)
async def test_what_is_not_there_is_not_forgotten_and_nothing_else_is(
    client: httpx.AsyncClient, path: str, query: dict[str, str], status: int
) -> None:
    await remember(client)
    assert (await client.delete(path, params=query)).status_code == status
    assert (await client.post("/v1/ask", json=ASKED)).headers["x-tirtha-cache"] == "hit"


async def test_a_repetition_of_the_forgotten_is_found_in_its_place(client: httpx.AsyncClient) -> None:
    repeated = {"id": "t3", "role": "assistant", "text": "You told me: My cat is called Miso."}
    await remember(client)
    body = SENT | {"session_id": "s2", "turns": [repeated], "wait": "indexed"}
    assert (await client.post("/v1/remember", json=body)).status_code == 201
    await client.delete("/v1/memories/t1", params={"user_id": "u1", "session_id": "s1"})
    found = (await client.post("/v1/recall", json=ASKED | {"limit": 3})).json()["evidence"]
    assert "t3" in [one["turn_id"] for one in found]
    assert "t1" not in [one["turn_id"] for one in found]
