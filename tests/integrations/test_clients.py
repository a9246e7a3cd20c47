"""Other people's clients against a served Tirtha: each in an environment of its own, over real HTTP.

The story is the same each time. A first conversation states something; a second one asks for it, and the note is on the wire to the
model. Another user asks, and so does somebody whom the key does not name: for them there is none. Then a tool's loop and a stream.
"""

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from memory.encoding.encoder import Encoder
from tests.integrations.environments import node_environment, python_environment
from tests.support.chat_server import ChatServer, Reply, chat_server
from tests.support.chats import chat_reply
from tests.support.server import serving
from tirtha.keys.local_proof import local_proof

pytestmark = pytest.mark.integration
log = logging.getLogger(__name__)

PACKED = ("a lantern", "a kettle", "a compass", "a hammock", "a rope", "a stove", "a map", "a knife")
STORY: dict[str, str] = {
    "tell": "My sister Ada lives in Bergen and has a boat named Vega.",
    "ask": "Where does my sister Ada live?",
    "stream": "What is the boat of my sister Ada called?",
    "tool": "What is the weather in the town where my sister Ada lives?",
}
LONG = [
    *(
        f"{thing.capitalize()} is what I packed, as number {n}. {'It was a long day. ' * 20}"
        for n, thing in enumerate(PACKED)
    ),
    "Which number was the kettle when I packed?",
]
NOTES = re.compile(r"<(memory-[0-9a-f]{8})>\n(.*)\n</\1>", re.DOTALL)


@dataclass(slots=True)
class Model:
    """The scripted model: it knows what stands in its prompt, and nothing else. `asked` are the prompts it was sent."""

    asked: list[list[dict[str, Any]]] = field(default_factory=list)

    def __call__(self, request: dict[str, Any]) -> Reply:
        """Answer from the last message."""
        self.asked.append(request["messages"])
        last = request["messages"][-1]
        said = text(last)
        if last["role"] == "tool":
            return chat_reply(request, "It rains in Bergen.")
        if request.get("tools") and STORY["tool"] in said:
            place = "Bergen" if "Bergen" in said else "nowhere"
            function = {"name": "weather", "arguments": json.dumps({"place": place})}
            return chat_reply(request, "", calls=[{"id": "call_1", "type": "function", "function": function}])
        if STORY["ask"] in said:
            return chat_reply(request, "Your sister lives in Bergen." if "Bergen" in said else "I do not know.")
        if STORY["stream"] in said:
            return chat_reply(request, "Her boat is called Vega." if "Vega" in said else "I do not know.")
        return chat_reply(request, "Thank you, that is noted.")

    def notes(self, question: str) -> list[str]:
        """The notes of each prompt that ended with a question; "" where there were none."""
        found = [NOTES.search(text(prompt[-1])) for prompt in self.asked if text(prompt[-1]).endswith(question)]
        return [match[2] if match else "" for match in found]


def text(message: dict[str, Any]) -> str:
    content = message["content"]
    if isinstance(content, list):
        return "\n".join(part.get("text", "") for part in content)
    return str(content)


@dataclass(frozen=True, slots=True)
class House:
    """A served Tirtha: the address of its OpenAI API, a key for many users, and its model."""

    url: str
    key: str
    model: Model


@pytest.fixture
def house(tmp_path: Path, encoder: Encoder) -> Iterator[House]:
    with chat_server("small") as tier, serving(tmp_path, encoder, **_settings(tier)) as url:
        made = httpx.post(
            f"{url}/v1/keys",
            json={"name": "clients", "rights": ["read", "write"]},
            headers={"authorization": f"Tirtha-Local {local_proof(tmp_path)}"},
            timeout=60,
        )
        made.raise_for_status()
        model = Model()
        tier.script = model
        yield House(f"{url}/v1", made.json()["key"], model)


def _settings(tier: ChatServer) -> dict[str, str]:
    return {
        "TIRTHA_LOCAL_WINDOW_TOKENS": "2000",  # a long session is compacted to a quarter of it
        "TIRTHA_LOCAL_URL": tier.url,
        "TIRTHA_LOCAL_MODEL": "small",
        "TIRTHA_LOCAL_ACCEPTED_MODELS": "gpt-4.1,scripted",
        "TIRTHA_LOCAL_INPUT_USD_PER_MTOK": "1",
        "TIRTHA_LOCAL_OUTPUT_USD_PER_MTOK": "1",
    }


def hold(house: House, printed: str) -> dict[str, Any]:
    """Hold a client's story against what it heard, and what came to the model; returns what it reported."""
    result: dict[str, Any] = json.loads(printed)
    log.info("%s", result["versions"])
    assert result["stated"] == "Thank you, that is noted."
    assert result["known"] == "Your sister lives in Bergen."
    assert result["foreign"] == result["unnamed"] == "I do not know."
    known, foreign, unnamed = house.model.notes(STORY["ask"])
    assert "Bergen" in known
    assert foreign == unnamed == ""
    assert len(result["pieces"]) > 1, "a stream comes in pieces"
    assert "".join(result["pieces"]) == "Her boat is called Vega."
    assert result["asked_of_tool"] == ["Bergen"], "the tool is called with what the note says"
    assert result["tool_answer"] == "It rains in Bergen."
    return result


def test_openai_agents(house: House) -> None:
    result = hold(
        house,
        python_environment("openai-agents").run(
            "agents_sdk.py", house.url, house.key, json.dumps(STORY | {"long": LONG})
        ),
    )
    assert "compaction" in result["compacted"]["kinds"], "the session was shortened by /v1/responses/compact"
    assert len(result["compacted"]["kinds"]) < 2 * len(LONG)
    last = "\n".join(text(message) for message in house.model.asked[-1])
    assert "A kettle is what I packed, as number 1." in last


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_langchain(house: House, api: str) -> None:
    environment = python_environment("langchain-openai")
    result = hold(house, environment.run("langchain_client.py", house.url, house.key, json.dumps(STORY), api))
    assert result["memory_header"] == "added"


def test_litellm(house: House) -> None:
    hold(house, python_environment("litellm").run("litellm_client.py", house.url, house.key, json.dumps(STORY)))


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_pydantic_ai(house: House, api: str) -> None:
    environment = python_environment("pydantic-ai-slim[openai]")
    hold(house, environment.run("pydantic_ai_client.py", house.url, house.key, json.dumps(STORY), api))


@pytest.mark.parametrize("api", ["responses", "chat"])
@pytest.mark.parametrize("script", ["ai_sdk.mjs", "openai_node.mjs"])
def test_node(house: House, script: str, api: str) -> None:
    environment = node_environment("ai", "@ai-sdk/openai", "openai", "zod")
    hold(house, environment.run(script, house.url, house.key, json.dumps(STORY), api))
