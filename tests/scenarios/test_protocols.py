"""Tiers that speak other protocols answer questions and code tasks, and are escalated between, over real HTTP."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from memory.encoding.encoder import Encoder
from tests.scenarios.test_cascade import CODE, QUESTION, TURNS, cited
from tests.support.chat_server import ChatServer, Reply, chat_server
from tests.support.messages import replies
from tests.support.server import serving

PROGRAM = "def add(a, b):\n    return a + b"


def in_response(request: dict[str, Any], text: str) -> Reply:
    body = {
        "object": "response",
        "model": request["model"],
        "status": "completed",
        "output": [{"type": "message", "content": [{"type": "output_text", "text": text}]}],
        "usage": {"input_tokens": 100, "output_tokens": 10, "total_tokens": 110},
    }
    return Reply(body=json.dumps(body).encode())


def tiers(local: ChatServer, frontier: ChatServer) -> dict[str, str]:
    return {
        "TIRTHA_LOCAL_URL": local.url,
        "TIRTHA_LOCAL_MODEL": "small",
        "TIRTHA_LOCAL_PROTOCOL": "responses",
        "TIRTHA_LOCAL_INPUT_USD_PER_MTOK": "1",
        "TIRTHA_LOCAL_OUTPUT_USD_PER_MTOK": "2",
        "TIRTHA_FRONTIER_URL": frontier.url,
        "TIRTHA_FRONTIER_MODEL": "claude",
        "TIRTHA_FRONTIER_PROTOCOL": "anthropic",
        "TIRTHA_FRONTIER_KEY": "sk-ant",
        "TIRTHA_FRONTIER_INPUT_USD_PER_MTOK": "10",
        "TIRTHA_FRONTIER_OUTPUT_USD_PER_MTOK": "20",
    }


def test_questions_and_programs_are_answered_in_every_protocol(tmp_path: Path, encoder: Encoder) -> None:
    with (
        chat_server("small") as local,
        chat_server("claude", key="sk-ant", anthropic=True) as frontier,
        serving(tmp_path / "home", encoder, **tiers(local, frontier)) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        body = {"user_id": "u1", "session_id": "s1", "turns": TURNS, "wait": "indexed"}
        assert client.post("/v1/remember", json=body).status_code == 201

        def written(request: dict[str, Any], name: str) -> str:
            messages = request.get("input") or request["messages"]
            return json.dumps({"answer": name, "citations": [cited({"messages": messages})]})

        local.script = lambda request: in_response(request, written(request, "Miso"))
        cheap = client.post("/v1/ask", json=QUESTION).json()
        assert (cheap["path"], cheap["answer"], cheap["verified"]) == ("local", "Miso", True)
        assert cheap["usage"] == {"prompt_tokens": 100, "completion_tokens": 10, "estimated": False}
        assert Decimal(cheap["cost_usd"]) == Decimal("0.00012")
        assert local.paths == ["/v1/responses"]

        local.script = lambda request: in_response(request, written(request, "Bella"))
        frontier.script = lambda request: replies(request, written(request, "Miso"))
        dear = client.post("/v1/ask", json=QUESTION | {"budget": 166}).json()
        assert (dear["path"], dear["answer"], dear["model"]) == ("frontier", "Miso", "claude")
        assert frontier.requests[-1]["output_config"]["format"]["type"] == "json_schema"
        assert set(frontier.paths) == {"/v1/messages"}

        local.script = lambda request: in_response(request, f"```python\n{PROGRAM}\n```")
        frontier.script = lambda request: replies(request, f"```python\n{PROGRAM}\n```")
        code = client.post("/v1/ask", json=CODE).json()
        assert code["answer"].strip() == PROGRAM, code


def test_a_chat_finds_the_tier_that_speaks_its_protocol_or_says_which_setting(tmp_path: Path, encoder: Encoder) -> None:
    with (
        chat_server("small") as local,
        chat_server("claude", key="sk-ant", anthropic=True) as frontier,
        serving(tmp_path / "home", encoder, **tiers(local, frontier)) as url,
    ):
        local.script = lambda request: in_response(request, "Hi.")
        frontier.script = lambda request: replies(request, "Hi.")
        asked: dict[str, Any] = {"model": "claude", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
        assert httpx.post(f"{url}/v1/messages", json=asked).json()["content"][0]["text"] == "Hi."
        of_cascade = httpx.post(f"{url}/v1/messages", json=asked | {"model": "tirtha"}).json()
        assert of_cascade["tirtha"]["tier"] == "frontier", "the cheaper tier speaks another protocol"
        refused = httpx.post(f"{url}/v1/chat/completions", json=asked)
        assert refused.status_code == 503
        assert "TIRTHA_FRONTIER_PROTOCOL" in refused.json()["error"]["message"]
        response = httpx.post(f"{url}/v1/responses", json={"model": "small", "input": "Hi"})
        assert response.json()["output"][0]["content"][0]["text"] == "Hi."
