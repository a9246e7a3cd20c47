"""GET /v1/audit: every change of a memory is noted, and a log that cannot be written undoes none."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tirtha.settings import Settings

SAID = "My cat is called Miso."
TURNS = [{"id": f"t{n}", "role": "user", "text": f"{SAID} That is note {n}."} for n in range(3)]


async def remember(client: httpx.AsyncClient, user: str = "u1", **fields: Any) -> httpx.Response:
    body = {"user_id": user, "session_id": "s1", "turns": TURNS} | fields
    return await client.post("/v1/remember", json=body, headers={"x-request-id": f"sent-{user}"})


async def entries(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    response = await client.get("/v1/audit", params=query)
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["entries"]
    return found


def shown(found: list[dict[str, Any]]) -> list[tuple[str, str | None, int]]:
    return [(one["what"], one["user_id"], one["count"]) for one in found]


async def test_what_was_done_is_noted_with_its_request(client: httpx.AsyncClient) -> None:
    await remember(client)
    await remember(client)
    [entry] = await entries(client)
    assert set(entry) == {
        "at", "tenant", "key_id", "what", "user_id", "user_hash", "agent_id", "count", "request_id",
    }  # fmt: skip
    assert shown([entry]) == [("remember", "u1", 3)], "a request that stored nothing changed nothing"
    assert (entry["tenant"], entry["key_id"], entry["request_id"]) == ("default", None, "sent-u1")


async def test_every_kind_of_forgetting_is_noted(client: httpx.AsyncClient) -> None:
    await remember(client)
    await remember(client, agent_id="a1")
    await client.delete("/v1/memories/t0", params={"user_id": "u1", "session_id": "s1"})
    await client.delete("/v1/sessions/s1", params={"user_id": "u1"})
    await client.delete("/v1/users/u1", params={"agent_id": "a1"})
    assert (await client.delete("/v1/sessions/s1", params={"user_id": "u1"})).status_code == 404
    found = await entries(client)
    assert shown(found)[:3] == [("forget.user", "u1", 3), ("forget.session", "u1", 2), ("forget.turn", "u1", 1)]
    assert [one["agent_id"] for one in found] == ["a1", None, None, "a1", None]
    assert SAID not in json.dumps(found)


async def test_a_forgotten_user_is_a_hash(client: httpx.AsyncClient) -> None:
    await remember(client)
    await remember(client, "u2")
    await client.post("/v1/forget", json={"user_id": "u1"})
    found = await entries(client)
    assert shown(found) == [("forget.user", None, 3), ("remember", "u2", 3), ("remember", None, 3)]
    assert found[0]["user_hash"] == found[2]["user_hash"]
    assert shown(await entries(client, user_id="u1")) == [("forget.user", None, 3), ("remember", None, 3)]
    assert (await client.delete("/v1/users/u1")).status_code == 404
    assert len(await entries(client)) == 3


async def test_a_bulk_is_noted_by_user(client: httpx.AsyncClient) -> None:
    lines = [{"user_id": f"u{n % 2}", "role": "user", "text": f"Fact number {n}."} for n in range(5)]
    body = "\n".join(json.dumps(line) for line in lines)
    response = await client.post("/v1/remember", content=body, headers={"content-type": "application/x-ndjson"})
    assert response.json()["stored"] == 5
    assert sorted(shown(await entries(client))) == [("remember", "u0", 3), ("remember", "u1", 2)]


async def test_pages_and_their_cursors(client: httpx.AsyncClient) -> None:
    for number in range(3):
        await remember(client, f"u{number}")
    first = (await client.get("/v1/audit", params={"limit": 2, "what": "remember"})).json()
    query = {"limit": 2, "what": "remember", "cursor": first["next"]}
    rest = (await client.get("/v1/audit", params=query)).json()
    assert [one["user_id"] for one in first["entries"] + rest["entries"]] == ["u2", "u1", "u0"]
    assert rest["next"] is None
    for other in ({}, {"what": "forget.user"}, {"what": "remember", "user_id": "u1"}):
        refused = await client.get("/v1/audit", params=other | {"cursor": first["next"]})
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["at"] == "cursor"


@pytest.mark.parametrize(
    ("query", "at"),
    [
        ({"what": "remembered"}, "what"),
        ({"since": "yesterday"}, "since"),
        ({"until": "2023-05-08T12:00:00"}, "until"),
        ({"limit": 0}, "limit"),
        ({"user": "u1"}, "user"),
    ],
)
async def test_a_wrong_query_is_refused(client: httpx.AsyncClient, query: dict[str, Any], at: str) -> None:
    refused = await client.get("/v1/audit", params=query)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["at"] == at


async def test_times_may_be_given_in_any_zone(client: httpx.AsyncClient) -> None:
    await remember(client)
    assert await entries(client, since="2020-01-01T02:00:00+02:00", until="2020-01-02T00:00:00Z") == []
    assert len(await entries(client, since="2020-01-01T02:00:00+02:00")) == 1


@contextmanager
def no_audit_table(database: Path) -> Iterator[None]:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("ALTER TABLE audit_entry RENAME TO away")
    yield
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("ALTER TABLE away RENAME TO audit_entry")


async def test_what_cannot_be_noted_is_done_and_logged(client: httpx.AsyncClient, settings: Settings) -> None:
    with no_audit_table(settings.folder / "memory.sqlite3"):
        assert (await remember(client)).status_code == 201
        listed = await client.get("/v1/memories", params={"user_id": "u1"})
        assert len(listed.json()["turns"]) == 3
        ready = await client.get("/readyz")
        assert ready.status_code == 503
        assert "cannot be noted in the audit log" in ready.json()["detail"]
        assert "tirtha_audit_failures_total 1.0" in (await client.get("/metrics")).text
        assert (await client.delete("/v1/sessions/s1", params={"user_id": "u1"})).status_code == 200
    assert (await client.get("/readyz")).status_code == 200
    assert await entries(client) == []


async def test_a_user_whose_name_stays_is_not_forgotten_yet(client: httpx.AsyncClient, settings: Settings) -> None:
    await remember(client)
    with no_audit_table(settings.folder / "memory.sqlite3"):
        assert (await client.delete("/v1/users/u1")).status_code == 503
    await client.delete("/v1/users/u1")
    assert shown(await entries(client)) == [("remember", None, 3)], "the second try forgot the name"
