"""What a person sees of what is remembered: users, sessions, turns, page by page."""

from collections.abc import Callable
from typing import Any

import httpx

from memory import NewTurn
from tirtha.caller import local_caller
from tirtha.operations.remember import RememberRequest
from tirtha.service import Service

SAID = "2023-05-{:02}T13:56:00+02:00"
LATER = "2023-05-{:02}T15:00:00+02:00"
U1 = {"user_id": "u1"}


async def store_turns(client: httpx.AsyncClient, session_id: str, *turns: dict[str, Any], **owner: str) -> None:
    sent = [{"role": "user"} | turn for turn in turns]
    body = U1 | owner | {"session_id": session_id, "turns": sent}
    assert (await client.post("/v1/remember", json=body)).status_code == 201


async def store_pets(client: httpx.AsyncClient) -> None:
    """Three sessions of two turns, sent in another order than they were said in."""
    pets = [("s3", "Rex", "dog"), ("s1", "Miso", "cat"), ("s2", "Kiwi", "parrot")]
    for session_id, name, kind in pets:
        day = int(session_id[1:])
        await store_turns(
            client,
            session_id,
            {"id": "1", "text": f"My {kind} is called {name}.", "said_at": SAID.format(day), "speaker": "Ana"},
            {"id": "2", "role": "assistant", "text": f" {name}!\n\tLovely. ", "said_at": LATER.format(day + 1)},
        )


async def get(client: httpx.AsyncClient, path: str, **query: Any) -> dict[str, Any]:
    response = await client.get(path, params=query)
    assert response.status_code == 200, response.text
    read: dict[str, Any] = response.json()
    return read


async def every_page(client: httpx.AsyncClient, path: str, of: str, **query: Any) -> list[dict[str, Any]]:
    """All items of a listing, followed to its end; no page is empty, and none but the last has less than it may."""
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = await get(client, path, **query, **cursor)
        assert page[of]
        items += page[of]
        if page["next"] is None:
            return items
        assert len(page[of]) == query["limit"]
        cursor = {"cursor": page["next"]}


async def refused(client: httpx.AsyncClient, path: str, at: str, **query: Any) -> str:
    response = await client.get(path, params=query)
    assert response.status_code == 422, response.text
    assert [error["at"] for error in response.json()["errors"]] == [at]
    return str(response.json()["detail"])


async def test_turns_are_shown_as_they_were_sent_oldest_first(client: httpx.AsyncClient) -> None:
    await store_pets(client)
    shown = await get(client, "/v1/memories", **U1)
    assert shown["next"] is None
    assert [(turn["session_id"], turn["id"]) for turn in shown["turns"]] == [
        ("s1", "1"), ("s2", "1"), ("s1", "2"), ("s3", "1"), ("s2", "2"), ("s3", "2"),
    ]  # fmt: skip
    assert shown["turns"][0] == {
        "id": "1",
        "session_id": "s1",
        "role": "user",
        "speaker": "Ana",
        "text": "My cat is called Miso.",
        "said_at": SAID.format(1),
        "flag": None,
    }
    assert (shown["turns"][2]["speaker"], shown["turns"][2]["text"]) == (None, " Miso!\n\tLovely. ")
    of_session = await get(client, "/v1/memories", **U1, session_id="s2")
    assert [turn["text"] for turn in of_session["turns"]] == ["My parrot is called Kiwi.", " Kiwi!\n\tLovely. "]


async def test_one_turn_is_read_by_its_id(client: httpx.AsyncClient) -> None:
    await store_pets(client)
    await store_turns(client, "s9", {"id": "only", "text": "I live by the sea."})
    assert (await get(client, "/v1/memories/only", **U1))["text"] == "I live by the sea."
    assert (await get(client, "/v1/memories/1", **U1, session_id="s2"))["text"] == "My parrot is called Kiwi."
    why = await refused(client, "/v1/memories/1", "session_id", **U1)
    assert "more than one session" in why
    for path, query in (
        ("/v1/memories/none", U1),
        ("/v1/memories/only", U1 | {"session_id": "s1"}),
        ("/v1/memories/only", {"user_id": "u2"}),
        ("/v1/memories/only", U1 | {"agent_id": "a"}),
    ):
        assert (await client.get(path, params=query)).status_code == 404


async def test_a_turn_is_never_forgotten_by_an_id_that_may_mean_another(client: httpx.AsyncClient) -> None:
    await store_pets(client)
    for response in (
        await client.delete("/v1/memories/1", params=U1),
        await client.post("/v1/forget", json=U1 | {"turn_id": "1"}),
    ):
        assert response.status_code == 422
        assert [error["at"] for error in response.json()["errors"]] == ["session_id"]
    assert len((await get(client, "/v1/memories", **U1))["turns"]) == 6


async def test_a_forget_that_is_not_clear_forgets_nothing(client: httpx.AsyncClient) -> None:
    await store_pets(client)
    for body, at in (
        ({}, "user_id"),
        ({"session_id": "s1"}, "user_id"),
        (U1 | {"turn": "1"}, "turn"),
        (U1 | {"session_id": ""}, "session_id"),
        (U1 | {"session_id": 1}, "session_id"),
    ):
        response = await client.post("/v1/forget", json=body)
        assert response.status_code == 422
        assert at in [error["at"] for error in response.json()["errors"]]
    assert (await client.get("/readyz")).json()["turns"] == 6


async def test_forgetting_by_body_is_forgetting_by_path(client: httpx.AsyncClient) -> None:
    await store_pets(client)
    await store_turns(client, "s1", {"text": "The agent's own."}, agent_id="a")
    for body, turns, sessions in (
        (U1 | {"session_id": "s1", "turn_id": "1"}, 1, 0),
        (U1 | {"session_id": "s1"}, 1, 1),
        (U1 | {"agent_id": "a"}, 1, 1),
        (U1, 4, 2),
    ):
        forgot = (await client.post("/v1/forget", json=body)).json()
        assert (forgot["turns"], forgot["sessions"]) == (turns, sessions)
        again = await client.post("/v1/forget", json=body)
        assert (again.status_code, again.json()["detail"]) == (404, "nothing of that is remembered")


async def test_users_are_listed_by_name(client: httpx.AsyncClient) -> None:
    for user in ("u2", "u1", "Zoë/日本語"):
        await store_turns(client, "s1", {"text": "One."}, {"text": "Two."}, user_id=user)
    await store_turns(client, "s1", {"text": "Three."}, user_id="u1", agent_id="helper")
    users = await every_page(client, "/v1/users", "users", limit=1)
    assert {"user_id": "u1", "agents": ["helper"], "turns": 3} in users
    assert sorted(user["user_id"] for user in users) == ["Zoë/日本語", "u1", "u2"]
    await client.post("/v1/forget", json={"user_id": "u2"})
    assert "u2" not in [user["user_id"] for user in (await get(client, "/v1/users"))["users"]]


async def test_every_listing_is_read_to_its_end(client: httpx.AsyncClient) -> None:
    await store_pets(client)
    for limit in (1, 2, 3, 5, 6, 1_000):
        turns = await every_page(client, "/v1/memories", "turns", **U1, limit=limit)
        assert [turn["session_id"] for turn in turns] == ["s1", "s2", "s1", "s3", "s2", "s3"]
        sessions = await every_page(client, "/v1/sessions", "sessions", **U1, limit=limit)
        assert [session["session_id"] for session in sessions] == ["s1", "s2", "s3"], "by when they began"
        found = await every_page(client, "/v1/memories", "turns", **U1, limit=limit, query="my parrot Kiwi")
        assert len({(turn["session_id"], turn["id"]) for turn in found}) == len(found) == 6
        assert found[0]["text"] == "My parrot is called Kiwi."


async def test_a_listing_goes_on_when_what_its_cursor_stands_at_is_forgotten(client: httpx.AsyncClient) -> None:
    await store_pets(client)
    for user in ("v1", "v2", "v3"):
        await store_turns(client, "s1", {"text": "Hello."}, user_id=user)
    sessions = await get(client, "/v1/sessions", **U1, limit=1)
    turns = await get(client, "/v1/memories", **U1, limit=2)
    users = await get(client, "/v1/users", limit=2)
    for body in (U1 | {"session_id": "s1"}, U1 | {"session_id": "s2", "turn_id": "1"}, {"user_id": "v1"}):
        assert (await client.post("/v1/forget", json=body)).status_code == 200
    rest = await get(client, "/v1/sessions", **U1, cursor=sessions["next"])
    assert [one["session_id"] for one in rest["sessions"]] == ["s3", "s2"], "s2 begins later now"
    left = await get(client, "/v1/memories", **U1, cursor=turns["next"])
    assert [(one["session_id"], one["id"]) for one in left["turns"]] == [("s3", "1"), ("s2", "2"), ("s3", "2")]
    others = await get(client, "/v1/users", cursor=users["next"])
    assert [one["user_id"] for one in others["users"]] == ["v2", "v3"]


async def test_a_search_neither_repeats_nor_skips_when_the_memory_changes(client: httpx.AsyncClient) -> None:
    await store_pets(client)
    asked = U1 | {"query": "What is my pet called?", "limit": 2}
    first = await get(client, "/v1/memories", **asked)
    seen = {(turn["session_id"], turn["id"]) for turn in first["turns"]}
    gone = first["turns"][0]
    await client.post("/v1/forget", json=U1 | {"session_id": gone["session_id"], "turn_id": gone["id"]})
    await store_turns(client, "s9", {"id": "new", "text": "My new pet is called Ziggy."})
    rest: list[dict[str, Any]] = []
    page = first
    while page["next"]:
        page = await get(client, "/v1/memories", **asked, cursor=page["next"])
        rest += page["turns"]
    others = [(turn["session_id"], turn["id"]) for turn in rest]
    assert len(others) == len(set(others))
    every = {(session, turn) for session in ("s1", "s2", "s3") for turn in ("1", "2")} | {("s9", "new")}
    assert set(others) == every - seen


async def test_a_search_of_a_session_finds_what_a_louder_memory_would_drown(client: httpx.AsyncClient) -> None:
    loud = [{"text": f"My cat number {n} is called Miso, and my cat likes fish and sleep."} for n in range(400)]
    await store_turns(client, "loud", *loud)
    await store_turns(
        client, "quiet", {"id": "q1", "text": "The weather is fine."}, {"id": "q2", "text": "Our cat ran off."}
    )
    found = await get(client, "/v1/memories", **U1, session_id="quiet", query="What is my cat called?")
    assert [turn["id"] for turn in found["turns"]] == ["q2", "q1"]
    found = await get(client, "/v1/memories", **U1, session_id="loud", query="cat number 123", limit=5)
    assert {turn["session_id"] for turn in found["turns"]} == {"loud"}
    assert "123" in found["turns"][0]["text"]
    for nothing in ({"session_id": "none"}, {"user_id": "u2"}):
        asked = U1 | nothing | {"query": "cat"}
        assert await get(client, "/v1/memories", **asked) == {"turns": [], "next": None}


CURSORS: list[tuple[str, Callable[[str], dict[str, str]], str]] = [
    ("/v1/sessions", lambda cursor: {"user_id": "u2", "cursor": cursor}, "another user"),
    ("/v1/sessions", lambda cursor: U1 | {"agent_id": "a", "cursor": cursor}, "other filters"),
    ("/v1/memories", lambda cursor: U1 | {"cursor": cursor}, "another listing"),
    ("/v1/users", lambda cursor: {"cursor": cursor}, "another listing"),
    ("/v1/sessions", lambda cursor: U1 | {"cursor": cursor[:-2]}, "is no cursor"),
    ("/v1/sessions", lambda cursor: U1 | {"cursor": "s1"}, "is no cursor"),
    ("/v1/sessions", lambda cursor: U1 | {"cursor": "\x00"}, "is no cursor"),
    ("/v1/memories", lambda cursor: U1 | {"cursor": "..", "query": "cat"}, "is no cursor"),
    ("/v1/users", lambda cursor: {"cursor": "\U0001f600"}, "is no cursor"),
    ("/v1/sessions", lambda cursor: U1 | {"cursor": "A" * 20_000}, "at most"),
]


async def test_a_cursor_of_anything_else_is_refused_in_words(client: httpx.AsyncClient) -> None:
    await store_pets(client)
    cursor = (await get(client, "/v1/sessions", **U1, limit=1))["next"]
    for path, query, words in CURSORS:
        assert words in await refused(client, path, "cursor", **query(cursor)), query(cursor)
    turns = (await get(client, "/v1/memories", **U1, limit=1))["next"]
    found = (await get(client, "/v1/memories", **U1, limit=1, query="my cat"))["next"]
    for wrong in ({"cursor": turns, "query": "my cat"}, {"cursor": found, "query": "my dog"}, {"cursor": found}):
        assert "other filters" in await refused(client, "/v1/memories", "cursor", **U1, **wrong)
    assert "other filters" in await refused(client, "/v1/memories", "cursor", **U1, cursor=turns, session_id="s1")
    assert len((await get(client, "/v1/memories", **U1, limit=1_000, cursor=turns))["turns"]) == 5, "limit may change"


BAD_QUERIES: list[tuple[str, dict[str, str], str]] = [
    ("/v1/memories", {}, "user_id"),
    ("/v1/memories", U1 | {"query": " "}, "query"),
    ("/v1/memories", U1 | {"session_id": ""}, "session_id"),
    ("/v1/memories", U1 | {"sesion_id": "s1"}, "sesion_id"),
    ("/v1/memories/1", {}, "user_id"),
    ("/v1/memories/1", U1 | {"limit": "1"}, "limit"),
    ("/v1/users", {"user_id": "u1"}, "user_id"),
    ("/v1/users", {"cursor": ""}, "cursor"),
    *[
        (path, query | {"limit": limit}, "limit")
        for path, query in (("/v1/memories", U1), ("/v1/sessions", U1), ("/v1/users", {}))
        for limit in ("0", "-1", "1001", "ten", "1.5", "", "9" * 30)
    ],
]


async def test_a_bad_listing_is_refused(client: httpx.AsyncClient) -> None:
    for path, query, at in BAD_QUERIES:
        await refused(client, path, at, **query)


async def test_a_query_above_its_limit_is_named(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/memories", params=U1 | {"query": "x" * 40_000})
    assert (response.status_code, response.json()["errors"][0]["at"]) == (413, "query")


async def test_nothing_of_another_tenant_is_listed(client: httpx.AsyncClient, service: Service) -> None:
    theirs = RememberRequest(
        user_id="u1", session_id="s1", turns=[NewTurn(id="1", role="user", text="My cat is called Miso.")]
    )
    await service.remember(local_caller("other"), theirs)
    assert (await get(client, "/v1/users"))["users"] == []
    assert (await get(client, "/v1/sessions", **U1))["sessions"] == []
    for query in (U1, U1 | {"session_id": "s1"}, U1 | {"query": "cat"}, U1 | {"session_id": "s1", "query": "cat"}):
        assert (await get(client, "/v1/memories", **query))["turns"] == []
    for method, path in (("GET", "/v1/memories/1"), ("DELETE", "/v1/memories/1"), ("DELETE", "/v1/sessions/s1")):
        query = U1 if path.startswith("/v1/sessions") else U1 | {"session_id": "s1"}
        answers = [await client.request(method, one, params=query) for one in (path, path + "x")]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].content == answers[1].content
    assert (await client.get("/readyz")).json()["turns"] == 1
