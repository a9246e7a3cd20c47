"""Whatever is wrong with a request: a problem document that says what and where, and nothing changed."""

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from memory.encoding.encoder import Encoder
from tests.support.tenants import house_of_tenants
from tirtha.settings import Settings

GOOD = {"id": "1", "role": "user", "text": "My sister lives in Porto."}
ASKED = {"user_id": "u1", "question": "Where does my sister live?"}

BAD_TURNS = [
    ({"text": ""}, "text"),
    ({"text": " \n\t"}, "text"),
    ({"text": 5}, "text"),
    ({"text": None}, "text"),
    ({"text": ["a"]}, "text"),
    ({"text": "a\x00b"}, "text"),
    ({"text": "half \ud800 a pair"}, "text"),
    ({"role": "robot"}, "role"),
    ({"role": 1}, "role"),
    ({"id": ""}, "id"),
    ({"id": 7}, "id"),
    ({"id": "x" * 257}, "id"),
    ({"id": "a\nb"}, "id"),
    ({"speaker": ""}, "speaker"),
    ({"speaker": "two\nlines"}, "speaker"),
    ({"said_at": "2023-05-08T13:56:00"}, "said_at"),
    ({"said_at": "2023-05-08"}, "said_at"),
    ({"said_at": "yesterday"}, "said_at"),
    ({"said_at": 1683554160}, "said_at"),
    ({"said_at": "1683554160"}, "said_at"),
    ({"said_at": "0001-01-01T00:00:00Z"}, "said_at"),
    ({"said_at": "9999-12-31T23:59:59Z"}, "said_at"),
    ({"said_at": "99999-01-01T00:00:00Z"}, "said_at"),
    ({"sad_at": "2023-05-08T13:56:00Z"}, "sad_at"),
]

BAD_REQUESTS: list[tuple[str, dict[str, Any], int, str]] = [
    ("/v1/remember", {"turns": [GOOD]}, 422, "user_id"),
    ("/v1/remember", {"user_id": "", "turns": [GOOD]}, 422, "user_id"),
    ("/v1/remember", {"user_id": "x" * 129, "turns": [GOOD]}, 422, "user_id"),
    ("/v1/remember", {"user_id": 3, "turns": [GOOD]}, 422, "user_id"),
    ("/v1/remember", {"user_id": "u1", "agent_id": "", "turns": [GOOD]}, 422, "agent_id"),
    ("/v1/remember", {"user_id": "u1", "turns": []}, 422, "turns"),
    ("/v1/remember", {"user_id": "u1", "turns": GOOD}, 422, "turns"),
    ("/v1/remember", {"user_id": "u1", "turns": [GOOD], "wait": "forever"}, 422, "wait"),
    ("/v1/remember", {"user_id": "u1", "turns": [GOOD], "session": "s1"}, 422, "session"),
    ("/v1/remember", {"user_id": "u1", "turns": [GOOD | {"id": "2", "text": "x" * 10_000_000}]}, 413, "turns[0].text"),
    ("/v1/remember", {"user_id": "u1", "turns": [{"role": "user", "text": "x"}] * 10_001}, 413, "turns"),
    ("/v1/context", ASKED | {"budget": 0}, 422, "budget"),
    ("/v1/context", ASKED | {"budget": -1}, 422, "budget"),
    ("/v1/context", ASKED | {"budget": 10**9}, 422, "budget"),
    ("/v1/context", ASKED | {"budget": "165"}, 422, "budget"),
    ("/v1/context", ASKED | {"budget": 165.5}, 422, "budget"),
    ("/v1/context", ASKED | {"budget": True}, 422, "budget"),
    ("/v1/context", ASKED | {"budget": 5}, 422, "budget"),
    ("/v1/context", ASKED | {"buget": 165}, 422, "buget"),
    ("/v1/context", ASKED | {"asked_at": "2023-06-01T00:00:00"}, 422, "asked_at"),
    ("/v1/context", {"user_id": "u1"}, 422, "question"),
    ("/v1/context", ASKED | {"question": " "}, 422, "question"),
    ("/v1/context", ASKED | {"question": "why\x00"}, 422, "question"),
    ("/v1/context", ASKED | {"question": "x" * 100_000}, 413, "question"),
    ("/v1/ask", ASKED | {"question": "x" * 100_000}, 413, "question"),
    ("/v1/ask", ASKED | {"max_tier": "human"}, 422, "max_tier"),
    ("/v1/ask", ASKED | {"stream": "yes"}, 422, "stream"),
    ("/v1/recall", ASKED | {"question": "x" * 100_000}, 413, "question"),
    ("/v1/recall", ASKED | {"limit": 0}, 422, "limit"),
    ("/v1/recall", ASKED | {"limit": 101}, 422, "limit"),
]


async def checked(client: httpx.AsyncClient, response: httpx.Response, status: int, at: str) -> None:
    problem = response.json()
    assert response.status_code == problem["status"] == status, problem
    assert response.headers["content-type"] == "application/problem+json"
    assert at in {error["at"] for error in problem["errors"]}
    assert problem["type"]
    assert problem["title"]
    assert problem["detail"]
    assert all(error["why"] for error in problem["errors"])
    ready = (await client.get("/readyz")).json()
    assert ready["turns"] == 1, "only the turn that the test began with"


@pytest.fixture(scope="module")
async def holding(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> AsyncIterator[httpx.AsyncClient]:
    """A service that holds one turn, for all tests: none may change it, and each looks that it has not."""
    settings = Settings(home=tmp_path_factory.mktemp("holding") / "home")
    async with house_of_tenants(settings, encoder) as (_, client):
        response = await client.post("/v1/remember", json={"user_id": "u1", "session_id": "s1", "turns": [GOOD]})
        assert response.status_code == 201
        yield client


@pytest.mark.parametrize(("fault", "at"), BAD_TURNS)
async def test_one_bad_turn_stores_nothing(holding: httpx.AsyncClient, fault: dict[str, Any], at: str) -> None:
    bad = {"role": "user", "text": "fine"} | fault
    body = {"user_id": "u1", "session_id": "s1", "turns": [{"role": "user", "text": "a good turn"}, bad]}
    response = await holding.post(
        "/v1/remember", content=json.dumps(body), headers={"content-type": "application/json"}
    )
    await checked(holding, response, 422, f"turns[1].{at}")


@pytest.mark.parametrize(("path", "body", "status", "at"), BAD_REQUESTS)
async def test_a_bad_request_changes_nothing(
    holding: httpx.AsyncClient, path: str, body: dict[str, Any], status: int, at: str
) -> None:
    await checked(holding, await holding.post(path, json=body), status, at)


async def test_an_id_of_other_words_is_a_conflict(holding: httpx.AsyncClient) -> None:
    turns = [{"role": "user", "text": "new"}, GOOD | {"text": "My sister lives in Rome."}]
    response = await holding.post("/v1/remember", json={"user_id": "u1", "session_id": "s1", "turns": turns})
    await checked(holding, response, 409, "turns[1].id")


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"not json", "application/json", 400),
        (b'{"user_id": "u1", "question": "\xff\xfe"}', "application/json", 400),
        (b'{"user_id": "u1"', "application/json", 400),
        (b'{"user_id": "u1", "question": "hi"}', "text/plain", 415),
        (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
        (b"", "application/json", 422),
    ],
)
async def test_a_body_that_cannot_be_read(holding: httpx.AsyncClient, content: bytes, kind: str, status: int) -> None:
    response = await holding.post("/v1/ask", content=content, headers={"content-type": kind})
    await checked(holding, response, status, "body")


async def test_a_body_above_the_limit_names_both_sizes(holding: httpx.AsyncClient) -> None:
    size = 64 * 1_024 * 1_024 + 1
    response = await holding.post("/v1/ask", content=b" " * size, headers={"content-type": "application/json"})
    await checked(holding, response, 413, "body")
    assert f"{size:,}" in response.json()["detail"]
    assert f"{size - 1:,}" in response.json()["detail"]


async def test_an_endless_body_is_cut_off(holding: httpx.AsyncClient) -> None:
    async def endless() -> Any:
        for _ in range(100):
            yield b" " * 1_024 * 1_024

    response = await holding.post("/v1/ask", content=endless(), headers={"content-type": "application/json"})
    await checked(holding, response, 413, "body")


async def test_a_foreign_host_is_refused(holding: httpx.AsyncClient) -> None:
    response = await holding.post("/v1/ask", json=ASKED, headers={"host": "evil.example"})
    await checked(holding, response, 400, "host")


async def test_a_bulk_line_above_its_limit_is_named(holding: httpx.AsyncClient) -> None:
    long = json.dumps({"user_id": "u1", "session_id": "s1", "role": "user", "text": "x" * 10_000_000}).encode()
    repeated = json.dumps({"user_id": "u1", "session_id": "s1"} | GOOD).encode()
    response = await holding.post(
        "/v1/remember", content=long + b"\n" + repeated, headers={"content-type": "application/x-ndjson"}
    )
    answer = response.json()
    assert (answer["duplicates"], answer["stored"]) == (1, 0)
    assert [one["line"] for one in answer["rejected"]] == [1]


@pytest.mark.parametrize("query", ["", "?user_id=", "?user_id=u1&limit=0", "?user_id=u1&user=u2"])
async def test_a_bad_query_string(holding: httpx.AsyncClient, query: str) -> None:
    response = await holding.get(f"/v1/sessions{query}")
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"


async def test_an_unknown_path_is_a_problem_too(holding: httpx.AsyncClient) -> None:
    for response in (await holding.get("/v1/nothing"), await holding.get("/v1/ask")):
        assert response.status_code in {404, 405}
        assert response.headers["content-type"] == "application/problem+json"


async def test_a_compressed_body_is_not_unpacked(client: httpx.AsyncClient) -> None:
    packed = gzip.compress(json.dumps({"user_id": "u1", "turns": [GOOD]}).encode())
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    assert (await client.post("/v1/remember", content=packed, headers=headers)).status_code == 400
    assert (await client.get("/v1/memories", params={"user_id": "u1"})).json()["turns"] == []
