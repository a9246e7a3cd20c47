"""A whole story in a real server whose log has all that it may have: no word of anybody is in it, and no key."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.chat_server import answers, chat_server, cut, says, status
from tests.support.server import COMMAND, environment

MODEL = "openai/gpt-oss-120b"
KEY = "sk-Zq771x-tier"
# Each in a place of its own, so that what is found says where it came from.
TURN, QUESTION, ANSWER, USER, SESSION, TURN_ID, QUERY, BROKEN, TESTS = (f"Zq{n}x" for n in range(101, 110))
SECRETS = (TURN, QUESTION, ANSWER, USER, SESSION, TURN_ID, QUERY, BROKEN, TESTS, KEY)


@contextmanager
def logged(home: Path, log: Path, **extra: str) -> Iterator[str]:
    """A server whose log goes to a file; gives its address."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            [COMMAND, "serve", "--port", "0"],
            env=environment(home, **extra),
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
        )
        assert process.stdout
        try:
            announced = process.stdout.readline()
            assert "listens on" in announced, log.read_text("utf-8")
            yield announced.split()[3]
        finally:
            process.terminate()
            process.wait(timeout=60)
            process.stdout.close()


def as_an_agent(client: httpx.Client) -> None:
    """The same over MCP, and what is no message of it."""
    headers = {"accept": "application/json, text/event-stream", "x-tirtha-user": USER}

    def sent(method: str, version: str = "2025-11-25", **params: object) -> httpx.Response:
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return client.post("/mcp", json=message, headers=headers | {"mcp-protocol-version": version})

    for name, arguments in (
        ("remember", {"text": f"My cat is called {TURN}.", "session_id": SESSION}),
        ("recall", {"question": f"What is my cat {QUESTION} called?"}),
        ("ask", {"question": f"What is my cat {QUESTION} called?"}),
        ("remember", {"turns": [{"id": TURN_ID, "role": BROKEN, "text": TURN}]}),
        ("forget", {"session_id": BROKEN, "confirm": True}),
        ("list_sessions", {"cursor": BROKEN}),
        (BROKEN, {BROKEN: BROKEN}),
    ):
        assert sent("tools/call", name=name, arguments=arguments).status_code == 200
    sent("resources/read", uri=f"tirtha://sessions/{BROKEN}?{BROKEN}")
    sent("tools/call", name=[BROKEN], arguments=BROKEN)
    sent("tools/call", version="2026-07-28", name=BROKEN)
    sent("tools/list", version=BROKEN)
    sent(BROKEN, user=USER)
    for content in (f'{{"{BROKEN}', f'[{{"{BROKEN}": 1}}]', f'{{"method": "{BROKEN}"}}'):
        assert client.post("/mcp", content=content, headers=headers | {"content-type": "application/json"}).is_error
    client.post("/mcp", json={}, headers=headers | {"origin": f"https://{BROKEN}.example"})


def story(client: httpx.Client) -> list[str]:
    """Remember, ask, forget, and do all of it wrongly, too; returns the decisions' ids."""
    turns = [{"id": TURN_ID, "role": "user", "text": f"My cat is called {TURN}."}]
    body = {"user_id": USER, "session_id": SESSION, "turns": turns, "wait": "indexed"}
    asked = {"user_id": USER, "question": f"What is my cat {QUESTION} called?"}
    assert client.post("/v1/remember", json=body).status_code == 201
    decisions = [client.post("/v1/ask", json=asked).json()["decision_id"]]
    client.post("/v1/ask", json=asked)
    client.post("/v1/ask", json=asked | {"stream": True, "budget": 100})
    code = {"task": "code", "question": f"Add {QUESTION}.", "entry_point": "add", "tests": f"assert '{TESTS}'"}
    client.post("/v1/ask", json=code)
    client.get(f"/v1/memories/{TURN_ID}", params={"user_id": USER, "session_id": SESSION})
    client.get("/v1/memories", params={"user_id": USER, "query": f"cat {QUERY}"})
    other = [{"id": TURN_ID, "role": "user", "text": f"Another {TURN}"}]
    assert client.post("/v1/remember", json=body | {"turns": other}).status_code == 409
    assert client.post("/v1/remember", json=body | {"turns": [{"role": BROKEN, "text": TURN}]}).status_code == 422
    assert client.post("/v1/ask", content=f'{{"question": "{BROKEN}'.encode()).status_code >= 400
    bulk = f'{{"user_id": "{USER}", "role": "user", "text": "{TURN}"}}\n{{"{BROKEN}\n'
    client.post("/v1/remember", content=bulk.encode(), headers={"content-type": "application/x-ndjson"})
    assert client.get(f"/v1/decisions/{BROKEN}").status_code == 404
    assert client.get(f"/{BROKEN}", params={"user_id": USER}).status_code == 404
    assert client.get("/v1/sessions", params={"user_id": USER, "cursor": BROKEN}).status_code == 422
    as_an_agent(client)
    client.get("/healthz", headers={"host": f"{BROKEN}.example"})
    client.get("/healthz", headers={"x-request-id": f"{BROKEN} {BROKEN}", "traceparent": BROKEN})
    assert client.delete(f"/v1/sessions/{SESSION}", params={"user_id": USER}).status_code == 200
    assert client.delete(f"/v1/users/{USER}").status_code == 200
    return decisions


@pytest.mark.parametrize("form", ["json", "text"])
def test_no_word_of_anybody_is_in_the_log(tmp_path: Path, form: str) -> None:
    replies = [
        lambda request: answers(ANSWER, 1, model=MODEL),
        lambda request: says(f"```python\n{ANSWER}\n```", model=MODEL),
        lambda request: status(500),
        lambda request: cut(answers(ANSWER, 1, model=MODEL)),
        lambda request: answers(f"{TURN}.", 1, model=MODEL),
    ]
    seen: list[object] = []

    def script(request: dict[str, object]) -> object:
        seen.append(request)
        return replies[(len(seen) - 1) % len(replies)](request)

    log = tmp_path / "log"
    with chat_server(MODEL, key=KEY) as local:
        local.script = script  # type: ignore[assignment]
        variables = {
            "TIRTHA_LOCAL_URL": local.url,
            "TIRTHA_LOCAL_KEY": KEY,
            "TIRTHA_LOG_LEVEL": "debug",
            "TIRTHA_LOG_FORMAT": form,
        }
        with (
            logged(tmp_path / "home", log, **variables) as url,
            httpx.Client(base_url=url, timeout=120, headers={"x-request-id": "story.1"}) as client,
        ):
            [decision_id] = story(client)
    assert seen, "the models were asked"
    written = log.read_text("utf-8")
    assert {secret for secret in SECRETS if secret.lower() in written.lower()} == set()
    for line in (
        "POST /v1/remember 201",
        "POST /v1/remember 409",
        "/v1/memories/{turn_id} 200",
        "/v1/users/{user_id} 200",
    ):
        assert line in written
    assert decision_id in written
    assert "story.1" in written
    if form == "json":
        lines = [json.loads(line) for line in written.splitlines()]
        [first] = [one for one in lines if one.get("decision_id") == decision_id and "ms" in one]
        assert (first["request_id"], first["tenant"], first["route"], first["status"]) == (
            "story.1", "default", "/v1/ask", 200,
        )  # fmt: skip
