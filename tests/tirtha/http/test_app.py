"""The contract of the HTTP surface, request by request."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import event
from sqlalchemy.pool import Pool

import tirtha
from compaction import count_tokens
from memory.encoding.encoder import BUNDLED_MODEL
from memory.recall.neighbour_features import PARTS
from memory.recall.reranker import RecallModels
from tirtha.settings import Settings

TURNS = [
    {
        "id": "D1:3",
        "role": "user",
        "speaker": "Caroline",
        "text": "I went to a support group yesterday.",
        "said_at": "2023-05-08T13:56:00Z",
    },
    {
        "id": "D1:4",
        "role": "assistant",
        "speaker": "Mel",
        "text": "Lovely! I adopted a cat named Miso. She sleeps all day.",
        "said_at": "2023-05-08T13:57:00Z",
    },
]
WHEN = "When did Caroline go to the support group?"

OF_CHATS = ("/v1/chat/", "/v1/responses", "/v1/messages", "/v1/models")  # whose errors are those of other APIs


async def remember(client: httpx.AsyncClient, **fields: Any) -> httpx.Response:
    return await client.post("/v1/remember", json={"user_id": "u1", "session_id": "s1", "turns": TURNS} | fields)


async def context(client: httpx.AsyncClient, question: str, **fields: Any) -> dict[str, Any]:
    response = await client.post("/v1/context", json={"user_id": "u1", "question": question} | fields)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def test_remember_answers_turn_by_turn(client: httpx.AsyncClient) -> None:
    first = await remember(client)
    assert first.status_code == 201
    stored = [{"id": "D1:3", "stored": True}, {"id": "D1:4", "stored": True}]
    assert first.json() == {"session_id": "s1", "turns": stored, "epoch": 1, "indexed": False}
    again = await remember(client)
    assert again.status_code == 201
    assert [turn["stored"] for turn in again.json()["turns"]] == [False, False]
    assert again.json()["epoch"] == 1


async def test_wait_indexed_waits_for_the_index(client: httpx.AsyncClient) -> None:
    answer = (await remember(client, wait="indexed")).json()
    assert answer["indexed"] is True
    ready = (await client.get("/readyz")).json()
    assert ready == {"status": "ready", "version": tirtha.__version__, "turns": 2, "waiting": 0}


async def test_session_and_ids_are_given_where_the_caller_gave_none(client: httpx.AsyncClient) -> None:
    body = {"user_id": "u1", "turns": [{"role": "user", "text": "hello there"}]}
    one, two = [(await client.post("/remember", json=body)).json() for _ in range(2)]
    assert one["session_id"] != two["session_id"]
    assert one["turns"][0]["id"]


async def test_a_turn_is_found_by_the_very_next_query(client: httpx.AsyncClient) -> None:
    for number, city in enumerate(["Lisbon", "Oslo", "Kyoto", "Quito", "Perth"]):
        turns = [{"id": str(number), "role": "user", "text": f"My cousin Ana lives in {city} now."}]
        await remember(client, turns=turns)
        found = await context(client, "Where does my cousin Ana live?")
        assert str(number) in {line["turn_id"] for line in found["lines"]}


async def test_a_context_is_what_it_says(client: httpx.AsyncClient) -> None:
    await remember(client)
    found = await context(client, WHEN, budget=165, asked_at="2023-06-01T00:00:00Z")
    assert found["tokens"] == count_tokens(found["text"]) <= found["budget"] == 165
    assert "yesterday (7 May 2023)" in found["text"]
    assert found["text"].startswith("8 May 2023\n[1] Caroline: ")
    line = found["lines"][0]
    assert (line["n"], line["turn_id"], line["session_id"], line["speaker"]) == (1, "D1:3", "s1", "Caroline")
    assert line["quote"] == "I went to a support group yesterday."
    assert line["said_at"] == "2023-05-08T13:56:00Z"
    assert 0 <= found["answerable"] <= 1


async def test_the_same_question_gets_the_same_context(client: httpx.AsyncClient) -> None:
    await remember(client, wait="indexed")
    asked = {"asked_at": "2023-06-01T00:00:00Z"}
    assert await context(client, WHEN, **asked) == await context(client, WHEN, **asked)


async def test_nothing_remembered_is_an_empty_context(client: httpx.AsyncClient) -> None:
    assert await context(client, WHEN) == {
        "text": "",
        "tokens": 0,
        "budget": 165,
        "lines": [],
        "answerable": 0.0,
        "complete": True,
    }


async def test_recall_gives_one_entry_a_turn_best_first(client: httpx.AsyncClient) -> None:
    await remember(client)
    body = {"user_id": "u1", "question": "What is the cat called?", "limit": 10}
    entries = (await client.post("/v1/recall", json=body)).json()["evidence"]
    assert [entry["turn_id"] for entry in entries] == ["D1:4", "D1:3"]
    assert entries[0]["text"] == TURNS[1]["text"], "the whole turn, word for word"
    assert 1 > entries[0]["score"] >= entries[1]["score"] > 0, "probabilities"
    weights = RecallModels.load(BUNDLED_MODEL).reranker
    for entry in entries:
        assert set(entry["features"]) >= {"fusion", *(name for part in PARTS.values() for name in part)}
        odds = float(weights({name: np.array(value) for name, value in entry["features"].items()}))
        assert entry["score"] == pytest.approx(1 / (1 + np.exp(-odds))), "the features explain the score"
    assert len((await client.post("/v1/recall", json=body | {"limit": 1})).json()["evidence"]) == 1


async def test_ask_answers_a_when_question_with_the_resolved_date(client: httpx.AsyncClient) -> None:
    await remember(client)
    response = await client.post("/v1/ask", json={"user_id": "u1", "question": WHEN, "session_id": "s9"})
    answer = response.json()
    assert answer["answer"] == "On 7 May 2023."
    assert [citation["turn_id"] for citation in answer["citations"]] == ["D1:3"]
    assert (answer["path"], answer["tier"], answer["model"]) == ("extractive", "extractive", "extractive")
    assert (answer["abstained"], answer["cached"]) == (False, False)
    assert answer["usage"] == {"prompt_tokens": 0, "completion_tokens": 0, "estimated": False}
    assert answer["cost_usd"] == "0.000000"
    assert {verdict["status"] for verdict in answer["verdicts"]} == {"pass"}
    assert set(answer["context"]) == {"text", "tokens", "budget", "lines", "answerable", "complete"}


async def test_ask_abstains_where_nothing_is_remembered(client: httpx.AsyncClient) -> None:
    answer = (await client.post("/ask", json={"user_id": "nobody", "question": WHEN})).json()
    assert (answer["path"], answer["abstained"], answer["citations"]) == ("abstain", True, [])
    assert (answer["tier"], answer["model"]) == (None, None), "nobody gave that answer"
    assert answer["answer"] == "That is not in memory."


async def test_a_decision_is_read_back(client: httpx.AsyncClient) -> None:
    await remember(client)
    answer = (await client.post("/v1/ask", json={"user_id": "u1", "question": WHEN})).json()
    again = await client.get(f"/v1/decisions/{answer['decision_id']}")
    assert {name: again.json()[name] for name in answer} == answer
    assert again.json()["question"] == WHEN
    assert (await client.get("/v1/decisions/none")).status_code == 404


async def test_a_streamed_answer_ends_with_its_decision(client: httpx.AsyncClient) -> None:
    await remember(client)
    response = await client.post("/v1/ask", json={"user_id": "u1", "question": WHEN, "stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    events = [
        dict(field.split(": ", 1) for field in frame.split("\n")) for frame in response.text.strip().split("\n\n")
    ]
    said = "".join(json.loads(event["data"])["text"] for event in events if event["event"] == "delta")
    assert events[-1]["event"] == "decision"
    assert said == json.loads(events[-1]["data"])["answer"] == "On 7 May 2023."


async def test_sessions_are_listed_with_a_cursor(client: httpx.AsyncClient) -> None:
    for number in range(3):
        await remember(client, session_id=f"s{number}")
    first = (await client.get("/v1/sessions", params={"user_id": "u1", "limit": 2})).json()
    rest = (await client.get("/v1/sessions", params={"user_id": "u1", "limit": 2, "cursor": first["next"]})).json()
    assert [one["session_id"] for one in first["sessions"] + rest["sessions"]] == ["s0", "s1", "s2"]
    assert first["sessions"][0] == {
        "session_id": "s0",
        "started_at": "2023-05-08T13:56:00Z",
        "last_at": "2023-05-08T13:57:00Z",
        "turns": 2,
    }
    assert rest["next"] is None


async def test_users_and_agents_never_see_each_other(client: httpx.AsyncClient) -> None:
    await remember(client)
    for other in ({"user_id": "u2"}, {"user_id": "u1", "agent_id": "a1"}):
        found = await client.post("/v1/context", json={"question": WHEN} | other)
        assert found.json()["lines"] == []
        assert (await client.get("/v1/sessions", params=other)).json()["sessions"] == []


async def test_bulk_stores_good_lines_and_names_bad_ones(client: httpx.AsyncClient) -> None:
    lines = [
        {"user_id": "u1", "session_id": "s1", **TURNS[0]},
        {"user_id": "u1", "session_id": "s1", **TURNS[1]},
        {"user_id": "u1", "session_id": "s1", **TURNS[0]},
        {"user_id": "u1", "session_id": "s1", "id": "D1:3", "role": "user", "text": "other words"},
        {"user_id": "u2", "role": "user", "text": " "},
        {"user_id": "u2", "role": "user", "text": "fine"},
        {"user_id": "u2", "role": "user", "txt": "typo", "text": "x"},
    ]
    body = "\n".join([json.dumps(line) for line in lines] + ["", "{broken"])
    response = await client.post("/v1/remember", content=body, headers={"content-type": "application/x-ndjson"})
    assert response.status_code == 201
    answer = response.json()
    assert {name: answer[name] for name in ("received", "stored", "duplicates", "rejected_lines")} == {
        "received": 8,
        "stored": 3,
        "duplicates": 1,
        "rejected_lines": 4,
    }
    assert sorted((one["line"], one["at"]) for one in answer["rejected"]) == [
        (4, "id"),
        (5, "text"),
        (7, "txt"),
        (9, "line"),
    ]
    assert (await context(client, WHEN))["lines"][0]["turn_id"] == "D1:3"


async def test_bulk_twice_stores_once(client: httpx.AsyncClient) -> None:
    line = {"user_id": "u1", "session_id": "s1", "role": "user"}
    body = "\n".join(json.dumps(line | {"id": str(n), "text": f"Fact number {n}."}) for n in range(700))
    headers = {"content-type": "application/x-ndjson; charset=utf-8"}
    first, again = [(await client.post("/remember", content=body, headers=headers)).json() for _ in range(2)]
    assert (first["stored"], first["duplicates"]) == (700, 0)
    assert (again["stored"], again["duplicates"]) == (0, 700)


async def test_health_and_schema(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok", "version": tirtha.__version__}
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert {
        "/v1/remember",
        "/v1/recall",
        "/v1/context",
        "/v1/ask",
        "/v1/sessions",
        "/v1/decisions/{decision_id}",
    } <= set(paths)


async def test_the_schema_says_what_middleware_and_error_handlers_answer(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    answers, kinds = document["components"]["responses"], document["components"]["schemas"]
    assert "HTTPValidationError" not in kinds
    for path, operations in document["paths"].items():
        for operation in operations.values():
            faults = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
            assert set(faults) == {f"{n}" for n in (400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 503, 507)}
            for status, answer in faults.items():
                shown = {"$ref": f"#/components/responses/Problem{status}"}
                assert (answer == shown) == (not path.startswith(OF_CHATS)), path
            [succeeded] = [answer for status, answer in operation["responses"].items() if status < "400"]
            assert succeeded["headers"]["X-Request-Id"]["required"]
    assert answers["Problem429"]["headers"].keys() == {"X-Request-Id", "Retry-After"}
    for status, sent in {
        404: await client.get("/v1/memories/none?user_id=u1"),
        405: await client.put("/v1/users"),
        415: await client.post("/v1/recall", content=b"{}", headers={"content-type": "text/plain"}),
        422: await client.get("/v1/users?limit=0"),
    }.items():
        assert sent.status_code == status
        [(kind, shown)] = answers[f"Problem{status}"]["content"].items()
        assert (sent.headers["content-type"], shown) == (kind, {"schema": {"$ref": "#/components/schemas/Problem"}})
        assert {name.lower() for name in answers[f"Problem{status}"]["headers"]} <= set(sent.headers)
    remember = document["paths"]["/v1/remember"]["post"]
    assert set(remember["requestBody"]["content"]) == {"application/json", "application/x-ndjson"}
    assert set(document["paths"]["/v1/ask"]["post"]["responses"]["200"]["content"]) == {
        "application/json",
        "text/event-stream",
    }
    assert document["paths"]["/v1/import"]["post"]["requestBody"]["required"]


@contextmanager
def full_disk(database: Path) -> Iterator[None]:
    """Let the database grow no further, as if its disk were full."""
    with closing(sqlite3.connect(database)) as connection:
        [pages] = connection.execute("PRAGMA page_count").fetchone()

    def limit(connection: sqlite3.Connection, record: object, proxy: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")

    event.listen(Pool, "checkout", limit)
    try:
        yield
    finally:
        event.remove(Pool, "checkout", limit)


async def test_a_full_disk_is_a_problem_for_writers_and_none_for_readers(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    await remember(client, wait="indexed")
    with full_disk(settings.folder / "memory.sqlite3"):
        long = [{"role": "user", "text": "x" * 50_000}] * 5
        remembered = await remember(client, turns=long)
        asked = await client.post(
            "/v1/ask", json={"user_id": "u1", "question": WHEN, "budget": 131_072, "session_id": "s" * 200}
        )
        for response in (remembered, *([asked] if asked.is_error else [])):
            assert response.status_code == 507
            assert response.json()["title"] == "The disk is full"
            assert response.headers["retry-after"]
        assert (await context(client, WHEN))["lines"][0]["turn_id"] == "D1:3"
        assert (await client.get("/readyz")).status_code == 503, "no turn could be stored now"
