"""Tenants over HTTP: who may manage them, what may be set, and what each limit answers with when it is reached."""

import json
from collections.abc import AsyncIterator
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from memory.encoding.encoder import Encoder
from tests.support.tenants import as_caller, house_of_tenants
from tirtha.settings import Settings

ACME = as_caller("acme")
QUESTION = {"user_id": "u1", "question": "What is my cat called?"}


@pytest.fixture
async def client(settings: Settings, encoder: Encoder) -> AsyncIterator[httpx.AsyncClient]:
    async with house_of_tenants(settings, encoder) as (_, opened):
        yield opened


async def made(client: httpx.AsyncClient, name: str = "acme", **values: Any) -> dict[str, Any]:
    response = await client.post("/v1/tenants", json={"name": name} | values)
    assert response.status_code == 201, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def say(client: httpx.AsyncClient, *texts: str, user: str = "u1") -> httpx.Response:
    turns = [{"id": text, "role": "user", "text": text} for text in texts]
    return await client.post("/v1/remember", json={"user_id": user, "session_id": "s1", "turns": turns}, headers=ACME)


def is_problem(response: httpx.Response, status: int, slug: str = "") -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["status"] == status
    assert slug in problem["type"]
    if status in {429, 503}:
        assert int(response.headers["retry-after"]) >= 1
    return problem


# managing


async def test_a_tenant_is_made_shown_set_and_deleted(client: httpx.AsyncClient) -> None:
    acme = await made(client, stored_turns=100, usd_per_day="2.50", max_tier="local")
    assert (acme["name"], acme["turns"], acme["spent_today_usd"], acme["deleting"]) == ("acme", 0, "0.000000", False)
    assert {key: value for key, value in acme["set"].items() if value is not None} == {
        "stored_turns": 100,
        "usd_per_day": "2.500000",
        "max_tier": "local",
    }
    assert acme["terms"]["requests_per_minute"] == 60_000, "the settings' default"
    assert acme["terms"]["max_tier"] == "local"
    assert (await client.get("/v1/tenants/acme")).json() == acme
    changes = {"stored_turns": None, "turns_days": 30, "usd_per_day": 0.25}
    changed = (await client.patch("/v1/tenants/acme", json=changes)).json()
    assert (changed["set"]["stored_turns"], changed["set"]["turns_days"]) == (None, 30)
    assert (changed["set"]["usd_per_day"], changed["set"]["max_tier"]) == ("0.250000", "local")
    is_problem(await client.post("/v1/tenants", json={"name": "acme"}), 409, "the-tenant-exists-already")
    gone = await client.delete("/v1/tenants/acme", params={"confirm": "acme"})
    assert (gone.status_code, gone.json()) == (200, {"turns": 0, "decisions": 0})
    is_problem(await client.get("/v1/tenants/acme"), 404)
    is_problem(await client.delete("/v1/tenants/acme", params={"confirm": "acme"}), 404)


async def test_tenants_are_listed_by_name_a_page_at_a_time(client: httpx.AsyncClient) -> None:
    for name in ("b", "a.c", "a-b"):
        await made(client, name)
    whole = (await client.get("/v1/tenants")).json()
    assert ([one["name"] for one in whole["tenants"]], whole["next"]) == (["a-b", "a.c", "b", "default"], None)
    seen: list[str] = []
    cursor = None
    while True:
        asked = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/v1/tenants", params=asked)).json()
        seen += [one["name"] for one in page["tenants"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == ["a-b", "a.c", "b", "default"]
    is_problem(await client.get("/v1/tenants", params={"cursor": "x"}), 422)


@pytest.mark.parametrize(
    ("values", "at"),
    [
        ({"stored_turns": 0}, "stored_turns"),
        ({"stored_turns": "7"}, "stored_turns"),
        ({"requests_per_minute": -1}, "requests_per_minute"),
        ({"turns_days": 0}, "turns_days"),
        ({"turns_days": 1.5}, "turns_days"),
        ({"usd_per_day": "-1"}, "usd_per_day"),
        ({"usd_per_day": "a lot"}, "usd_per_day"),
        ({"usd_per_day": True}, "usd_per_day"),
        ({"usd_per_day": "NaN"}, "usd_per_day"),
        ({"usd_per_day": [1]}, "usd_per_day"),
        ({"max_tier": "cloud"}, "max_tier"),
        ({"unverified": "always"}, "unverified"),
        ({"chat_checks": "never"}, "chat_checks"),
        ({"stored_turn": 1}, "stored_turn"),
    ],
)
async def test_a_wrong_value_is_named_and_changes_nothing(
    client: httpx.AsyncClient, values: dict[str, Any], at: str
) -> None:
    before = await made(client, audit_days=7)
    for response in (
        await client.patch("/v1/tenants/acme", json=values | {"decisions_days": 3}),
        await client.post("/v1/tenants", json={"name": "other"} | values),
    ):
        assert [fault["at"] for fault in is_problem(response, 422)["errors"]] == [at]
    assert (await client.get("/v1/tenants/acme")).json() == before
    is_problem(await client.get("/v1/tenants/other"), 404)


@pytest.mark.parametrize("name", ["", "Acme", "a b", "a/b", "ä", "x" * 65, 7])
async def test_names_are_plain(client: httpx.AsyncClient, name: object) -> None:
    problem = is_problem(await client.post("/v1/tenants", json={"name": name}), 422)
    assert problem["errors"][0]["at"] == "name"


async def test_deleting_wants_the_name_twice_and_never_takes_default(client: httpx.AsyncClient) -> None:
    await made(client)
    assert is_problem(await client.delete("/v1/tenants/acme"), 422)["errors"][0]["at"] == "confirm"
    is_problem(await client.delete("/v1/tenants/acme", params={"confirm": "ACME"}), 422)
    is_problem(await client.delete("/v1/tenants/default", params={"confirm": "default"}), 422)
    assert len((await client.get("/v1/tenants")).json()["tenants"]) == 2


@pytest.mark.parametrize("caller", [ACME, as_caller("default", "read,write"), as_caller("acme", "read")])
async def test_everybody_else_gets_the_same_403(client: httpx.AsyncClient, caller: dict[str, str]) -> None:
    await made(client)
    answers = [
        await client.request(method, path, headers=caller, params=query, json=body)
        for method, path, query, body in (
            ("GET", "/v1/tenants", {}, None),
            ("POST", "/v1/tenants", {}, {"name": "mine"}),
            ("GET", "/v1/tenants/acme", {}, None),
            ("GET", "/v1/tenants/nobody", {}, None),
            ("PATCH", "/v1/tenants/acme", {}, {"stored_turns": 1}),
            ("PATCH", "/v1/tenants/nobody", {}, {"stored_turns": 1}),
            ("DELETE", "/v1/tenants/acme", {"confirm": "acme"}, None),
            ("DELETE", "/v1/tenants/nobody", {"confirm": "nobody"}, None),
            ("DELETE", "/v1/tenants/default", {"confirm": "default"}, None),
        )
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1
    assert [one["name"] for one in (await client.get("/v1/tenants")).json()["tenants"]] == ["acme", "default"]


async def test_callers_of_a_tenant_that_is_not_there_are_refused(client: httpx.AsyncClient) -> None:
    for path, body in (("/v1/remember", {}), ("/v1/ask", QUESTION), ("/v1/forget", {"user_id": "u1"})):
        is_problem(await client.post(path, json=body, headers=ACME), 403, "the-tenant-is-gone")
    is_problem(await client.get("/v1/users", headers=ACME), 403, "the-tenant-is-gone")
    assert (await client.get("/healthz")).status_code == 200


async def test_deleting_forgets_everything_and_frees_the_name(client: httpx.AsyncClient) -> None:
    await made(client)
    assert (await say(client, "My cat is called Miso.", "I live by the sea.")).status_code == 201
    ours = {"user_id": "u1", "session_id": "s1", "turns": [{"role": "user", "text": "My cat is called Rex."}]}
    assert (await client.post("/v1/remember", json=ours)).status_code == 201
    asked = (await client.post("/v1/ask", json=QUESTION, headers=ACME)).json()
    assert "Miso" in asked["answer"]
    assert (await client.get("/v1/tenants/acme")).json()["turns"] == 2
    gone = await client.delete("/v1/tenants/acme", params={"confirm": "acme"})
    assert gone.json() == {"turns": 2, "decisions": 1}
    is_problem(await client.post("/v1/ask", json=QUESTION, headers=ACME), 403)
    assert (await made(client))["turns"] == 0
    assert (await client.get("/v1/users", headers=ACME)).json()["users"] == []
    assert (await client.get("/v1/stats", headers=ACME)).json()["n"] == 0
    is_problem(await client.get(f"/v1/decisions/{asked['decision_id']}", headers=ACME), 404)
    again = (await client.post("/v1/ask", json=QUESTION, headers=ACME)).json()
    assert (again["path"], again["cached"]) == ("abstain", False)
    assert (await say(client, "My cat is called Miso.")).json()["turns"][0]["stored"] is True
    assert "Rex" in (await client.post("/v1/ask", json=QUESTION)).json()["answer"]


# limits


async def test_requests_a_minute_are_the_tenants_own(client: httpx.AsyncClient) -> None:
    await made(client, requests_per_minute=3)
    answers = [await client.get("/v1/users", headers=ACME) for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    problem = is_problem(answers[-1], 429, "too-many-requests")
    assert "3 requests a minute of this tenant" in problem["detail"]
    assert (await client.get("/v1/users")).status_code == 200
    assert (await client.patch("/v1/tenants/acme", json={"requests_per_minute": 1_000})).status_code == 200
    assert (await client.get("/v1/users", headers=ACME)).status_code == 200, "what is set holds at once"


async def test_turns_a_minute_refuse_a_request_and_say_when_it_can_never_pass(client: httpx.AsyncClient) -> None:
    await made(client, turns_per_minute=3)
    never = is_problem(await say(client, *"abcd"), 413)
    assert "4 turns" in never["detail"]
    assert (await say(client, "a", "b")).status_code == 201
    problem = is_problem(await say(client, "c", "d"), 429)
    assert "3 turns a minute of this tenant" in problem["detail"]
    assert (await client.get("/v1/tenants/acme")).json()["turns"] == 2
    assert (await say(client, "c")).status_code == 201


async def test_a_user_has_limits_of_their_own(client: httpx.AsyncClient) -> None:
    await made(client, user_requests_per_minute=2, user_turns_per_minute=5)
    assert (await say(client, "a")).status_code == 201
    assert (await client.post("/v1/ask", json=QUESTION, headers=ACME)).status_code == 200
    for path in ("/v1/ask", "/v1/recall", "/v1/context"):
        problem = is_problem(await client.post(path, json=QUESTION, headers=ACME), 429)
        assert "2 requests a minute of this user" in problem["detail"]
    is_problem(await say(client, "b"), 429)
    assert (await say(client, "a", user="u2")).status_code == 201
    is_problem(await say(client, *"abcdef", user="u3"), 413)


async def test_a_quota_of_stored_turns(client: httpx.AsyncClient) -> None:
    await made(client, stored_turns=3)
    assert (await say(client, "a", "b")).status_code == 201
    problem = is_problem(await say(client, "c", "d"), 403, "quota-exceeded")
    assert "2 of 3" in problem["detail"]
    assert (await say(client, "a", "b")).status_code == 201, "what is there already takes no room"
    lines = [{"user_id": "u2", "id": str(n), "role": "user", "text": f"Line {n}."} for n in range(200)]
    body = "\n".join(map(json.dumps, lines))
    bulk = await client.post("/v1/remember", content=body, headers=ACME | {"content-type": "application/x-ndjson"})
    assert "0 turns of this bulk are stored" in is_problem(bulk, 403, "quota-exceeded")["detail"]
    assert (await client.get("/v1/tenants/acme")).json()["turns"] == 2
    assert (await client.delete("/v1/users/u1", headers=ACME)).status_code == 200
    assert (await say(client, "c", "d", "e")).status_code == 201


async def test_a_quota_holds_among_requests_that_come_together(client: httpx.AsyncClient) -> None:
    await made(client, stored_turns=10)
    answers: list[int] = []

    async def remember(n: int) -> None:
        answers.append((await say(client, f"a{n}", f"b{n}", user=f"u{n}")).status_code)

    async with anyio.create_task_group() as tasks:
        for n in range(12):
            tasks.start_soon(remember, n)
    assert sorted(answers) == [201] * 5 + [403] * 7
    assert (await client.get("/v1/tenants/acme")).json()["turns"] == 10


async def test_a_full_queue_of_questions_is_refused_and_others_are_answered(
    settings: Settings, encoder: Encoder
) -> None:
    narrow = settings.model_copy(update={"max_waiting_questions": 2})
    async with house_of_tenants(narrow, encoder) as (_, client):
        await made(client)
        assert (await say(client, "My cat is called Miso.")).status_code == 201
        flood: list[httpx.Response] = []

        async def ask() -> None:
            flood.append(await client.post("/v1/recall", json=QUESTION, headers=ACME))

        async with anyio.create_task_group() as tasks:
            for _ in range(30):
                tasks.start_soon(ask)
            await anyio.lowlevel.checkpoint()
            other = await client.post("/v1/recall", json=QUESTION)
        assert other.status_code == 200
        refused = [one for one in flood if one.status_code != 200]
        # The other tenant may have one of the two turns just then.
        assert 3 <= 30 - len(refused) < 30, "one or two at a time, and two that wait"
        for one in refused:
            assert "questions of this tenant wait" in is_problem(one, 503)["detail"]
