"""What a user wants always, over HTTP: listed, switched off, and brought to contexts within a quarter of the budget."""

from typing import Any

import httpx
import pytest

from tests.tirtha.http.test_memories import every_page, get, refused, store_turns
from tirtha.service import Service

LIST = {"user_id": "u1", "kind": "instruction"}
TYPES, MEAT = "Always show types when I ask for code.", "I don't eat meat."
WRITE = "Write a function that parses dates."


async def store_all(client: httpx.AsyncClient) -> None:
    await store_turns(
        client,
        "s1",
        {"id": "1", "text": f"Hello there. {TYPES}", "said_at": "2023-05-01T10:00:00Z"},
        {"id": "2", "text": "The code of the blue locker is 4471.", "said_at": "2023-05-01T10:01:00Z"},
        {"id": "3", "role": "assistant", "text": "Always answer in French.", "said_at": "2023-05-01T10:02:00Z"},
    )
    await store_turns(client, "s2", {"id": "1", "text": MEAT, "said_at": "2023-05-02T10:00:00Z"})
    await store_turns(client, "s3", {"id": "1", "text": "Call me Sam.", "said_at": "2023-05-03T10:00:00Z"})
    await store_turns(client, "s4", {"id": "1", "text": "Call me Samuel.", "said_at": "2023-05-04T10:00:00Z"})


async def context(client: httpx.AsyncClient, question: str, **more: Any) -> dict[str, Any]:
    response = await client.post("/v1/context", json={"user_id": "u1", "question": question} | more)
    read: dict[str, Any] = response.raise_for_status().json()
    return read


async def test_they_are_listed_newest_first_with_what_became_of_them(client: httpx.AsyncClient) -> None:
    await store_all(client)
    listed = (await get(client, "/v1/memories", **LIST))["instructions"]
    assert [(one["text"], one["active"]) for one in listed] == [
        ("Call me Samuel.", True),
        ("Call me Sam.", False),
        (MEAT, True),
        (TYPES, True),
    ]
    assert listed[1]["replaced_by"] == {"session_id": "s4", "turn_id": "1"}
    assert listed[3] == {
        "turn_id": "1", "session_id": "s1", "said_at": "2023-05-01T10:00:00Z", "text": TYPES, "active": True, "replaced_by": None,
    }  # fmt: skip
    of_session = (await get(client, "/v1/memories", **LIST, session_id="s2"))["instructions"]
    assert [one["text"] for one in of_session] == [MEAT]
    assert await every_page(client, "/v1/memories", "instructions", **LIST, limit=2) == listed


async def test_a_cursor_is_of_this_listing_and_outlives_what_stood_there(client: httpx.AsyncClient) -> None:
    await store_all(client)
    first = await get(client, "/v1/memories", **LIST, limit=2)
    await client.delete("/v1/sessions/s3", params={"user_id": "u1"})
    rest = await get(client, "/v1/memories", **LIST, cursor=first["next"])
    assert [one["text"] for one in rest["instructions"]] == [MEAT, TYPES]
    assert "another listing" in await refused(client, "/v1/memories", "cursor", user_id="u1", cursor=first["next"])
    await refused(client, "/v1/memories", "query", **LIST, query="types")


async def test_one_is_switched_off_and_its_turn_stays(client: httpx.AsyncClient, service: Service) -> None:
    await store_all(client)
    assert TYPES in (await context(client, WRITE))["text"]
    before = (await client.post("/v1/ask", json={"user_id": "u1", "question": WRITE})).raise_for_status().json()
    off = await client.delete("/v1/memories/1", params=LIST | {"session_id": "s1"})
    assert off.status_code == 200
    assert off.json()["instructions"] == 1
    assert TYPES not in (await context(client, WRITE))["text"]
    again = (await client.post("/v1/ask", json={"user_id": "u1", "question": WRITE})).raise_for_status().json()
    assert not again["cached"]
    assert TYPES not in str(again["context"])
    assert TYPES in str(before["context"])
    assert (await get(client, "/v1/memories/1", user_id="u1", session_id="s1"))["text"].endswith(TYPES)
    listed = (await get(client, "/v1/memories", **LIST, session_id="s1"))["instructions"]
    assert [one["active"] for one in listed] == [False]
    noted = (await get(client, "/v1/audit"))["entries"][0]
    assert (noted["what"], noted["user_id"], noted["count"]) == ("instructions.off", "u1", 1)


async def test_forgetting_by_name_does_the_same(client: httpx.AsyncClient) -> None:
    await store_all(client)
    body = {"user_id": "u1", "session_id": "s2", "turn_id": "1", "kind": "instruction"}
    assert (await client.post("/v1/forget", json=body)).json()["instructions"] == 1
    assert (await get(client, "/v1/memories", **LIST, session_id="s2"))["instructions"][0]["active"] is False
    del body["turn_id"]
    assert (await client.post("/v1/forget", json=body)).status_code == 422


@pytest.mark.parametrize(
    ("turn_id", "owner"),
    [("2", {}), ("3", {}), ("9", {}), ("1", {"user_id": "u2"}), ("1", {"session_id": "s9"}), ("1", {"agent_id": "a1"})],
)
async def test_what_is_no_instruction_of_the_user_is_not_found(
    client: httpx.AsyncClient, turn_id: str, owner: dict[str, str]
) -> None:
    await store_all(client)
    params = LIST | {"session_id": "s1"} | owner
    response = await client.delete(f"/v1/memories/{turn_id}", params=params)
    assert response.status_code == 404
    assert response.json()["detail"] == "no instruction of that turn is remembered"


async def test_a_forgotten_turn_takes_its_instruction_along(client: httpx.AsyncClient) -> None:
    await store_all(client)
    (await client.delete("/v1/memories/1", params={"user_id": "u1", "session_id": "s1"})).raise_for_status()
    assert TYPES not in (await context(client, WRITE))["text"]
    assert [one["session_id"] for one in (await get(client, "/v1/memories", **LIST))["instructions"]] == [
        "s4",
        "s3",
        "s2",
    ]
    (await client.delete("/v1/users/u1")).raise_for_status()
    assert (await get(client, "/v1/memories", **LIST)) == {"instructions": [], "next": None}


async def test_a_context_cites_them_and_leaves_room_for_the_facts(client: httpx.AsyncClient) -> None:
    await store_all(client)
    topics = ("cost", "safety", "weather", "people", "history", "colour", "noise", "place")
    many = [
        {"id": f"m{n}", "text": f"Always mention the {topic} when I ask for reports."} for n, topic in enumerate(topics)
    ]
    await store_turns(client, "s5", *many)
    made = await context(client, "Write a report on the code of the blue locker.", budget=165)
    assert made["tokens"] <= 165
    assert "4471" in made["text"]
    lines = [line for line in made["lines"] if line["session_id"] == "s5"]
    assert lines
    assert all(line["quote"] in many[int(line["turn_id"][1:])]["text"] for line in lines)
    few = await context(client, "Write a report on the code of the blue locker.", budget=60)
    assert "4471" in few["text"]


async def test_a_question_for_a_fact_is_answered_as_if_there_were_none(client: httpx.AsyncClient) -> None:
    await store_all(client)
    fact = await context(client, "What is the code of the blue locker?")
    assert "4471" in fact["lines"][-1]["quote"] or "4471" in fact["text"]
    for session_id in ("s2", "s3", "s4"):
        await client.delete(f"/v1/sessions/{session_id}", params={"user_id": "u1"})
    assert (await context(client, "What is the code of the blue locker?"))["lines"][0]["quote"] == fact["lines"][0][
        "quote"
    ]


async def test_recall_names_them_last_and_says_how_near_they_are(client: httpx.AsyncClient) -> None:
    await store_all(client)
    found = (await client.post("/v1/recall", json={"user_id": "u1", "question": WRITE, "limit": 4})).json()["evidence"]
    assert (found[-1]["turn_id"], found[-1]["session_id"], found[-1]["score"]) == ("1", "s1", 0.0)
    assert list(found[-1]["features"]) == ["standing"]
    assert all("standing" not in one["features"] for one in found[:-1])


async def test_an_export_holds_what_is_off(client: httpx.AsyncClient) -> None:
    await store_all(client)
    (await client.delete("/v1/memories/1", params=LIST | {"session_id": "s2"})).raise_for_status()
    export = (await client.get("/v1/export", params={"user_id": "u1"})).raise_for_status().content
    assert export.count(b'"instructions_off":true') == 1
    (await client.delete("/v1/users/u1")).raise_for_status()
    headers = {"content-type": "application/x-ndjson"}
    taken = await client.post("/v1/import", params={"user_id": "u9"}, content=export, headers=headers)
    assert taken.raise_for_status().json()["turns"]["stored"] == 6
    listed = (await get(client, "/v1/memories", user_id="u9", kind="instruction"))["instructions"]
    assert {one["text"]: one["active"] for one in listed}[MEAT] is False
    assert {one["text"]: one["active"] for one in listed}[TYPES] is True
