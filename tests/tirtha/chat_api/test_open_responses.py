"""The seven cases of the Open Responses specification's acceptance test, against tiers that speak chat completions and responses.

Every response and every event is held to the openai package's own types, and to the fields that the specification requires.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel

from memory.encoding.encoder import Encoder
from tests.support.chat_server import ChatServer, Reply, Script, chat_server, cut
from tests.support.chats import chat_reply, responds
from tests.support.server import serving

# "required" of the specification's ResponseResource, as of 2026-04-24.
REQUIRED = frozenset(
    """id object created_at completed_at status incomplete_details model previous_response_id instructions output error tools
    tool_choice truncation parallel_tool_calls text top_p presence_penalty frequency_penalty top_logprobs temperature reasoning
    user usage max_output_tokens max_tool_calls store background service_tier metadata safety_identifier
    prompt_cache_key""".split()
)
NUMBERS = ("top_p", "presence_penalty", "frequency_penalty", "temperature", "top_logprobs")
EVENTS: dict[str, type[BaseModel]] = {
    kind: event
    for event in get_args(get_args(ResponseStreamEvent)[0])
    for kind in get_args(event.model_fields["type"].annotation)
}
WEATHER = {
    "type": "function",
    "name": "weather_at",
    "description": "Return the weather of a place.",
    "parameters": {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
}
CALL = {"id": "call_7", "type": "function", "function": {"name": "weather_at", "arguments": '{"place": "Tromsø"}'}}
DOT = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
)


class Tier:
    """A scripted tier, what it speaks, and the address of a Tirtha in front of it."""

    def __init__(self, url: str, server: ChatServer, protocol: str) -> None:
        self.url = url
        self.server = server
        self.protocol = protocol

    def says(self, text: str, *, calls: list[dict[str, Any]] | None = None) -> None:
        """Script what it says."""
        speak = chat_reply if self.protocol == "chat" else responds

        def run(request: dict[str, Any]) -> Reply:
            return speak(request, text, calls=calls)

        script: Script = run
        self.server.script = script
        self.server.requests.clear()

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages, or items, that came to it."""
        messages: list[dict[str, Any]] = self.server.requests[-1]["messages" if self.protocol == "chat" else "input"]
        return messages


@pytest.fixture(scope="module", params=["chat, after", "responses, after", "chat, before", "responses, before"])
def tier(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Tier]:
    """What the tier speaks, and when an answer is checked: one that is checked before is streamed from the whole of it."""
    home: Path = tmp_path_factory.mktemp("home")
    protocol, checks = request.param.split(", ")
    with (
        chat_server("small") as server,
        serving(
            home,
            encoder,
            TIRTHA_LOCAL_URL=server.url,
            TIRTHA_LOCAL_MODEL="small",
            TIRTHA_LOCAL_PROTOCOL=protocol,
            TIRTHA_POLICY_CHAT_CHECKS=checks,
            TIRTHA_LOCAL_INPUT_USD_PER_MTOK="1",
            TIRTHA_LOCAL_OUTPUT_USD_PER_MTOK="2",
        ) as url,
    ):
        yield Tier(url, server, protocol)


def answered(tier: Tier, said: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Ask for a response, and hold it to its type."""
    whole = httpx.post(f"{tier.url}/v1/responses", json={"model": "tirtha", "input": said, **more}, timeout=60)
    assert whole.status_code == 200, whole.text
    body: dict[str, Any] = whole.json()
    hold(body)
    return body


def hold(body: dict[str, Any]) -> None:
    Response.model_validate(body)
    assert body.keys() >= REQUIRED, REQUIRED - body.keys()
    assert all(isinstance(body[name], int | float) for name in NUMBERS)
    for tool in body["tools"]:
        assert tool.keys() >= {"type", "name", "description", "parameters", "strict"}
    assert body["id"].startswith("resp_")
    assert body["id"] != "resp_of_the_tier", "ids are ours: a client asks for a response by it"
    if body["status"] == "completed":
        assert body["output"]
        assert isinstance(body["completed_at"], int)
        assert body["usage"]["total_tokens"] > 0


def streamed(tier: Tier, said: list[dict[str, Any]], **more: Any) -> list[dict[str, Any]]:
    """Ask for a stream, and hold each event to its type, and their order to the specification."""
    body = {"model": "tirtha", "input": said, "stream": True, **more}
    heard_events: list[dict[str, Any]] = []
    with httpx.stream("POST", f"{tier.url}/v1/responses", json=body, timeout=60) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for block in "".join(stream.iter_text()).strip().split("\n\n"):
            name, data = block.split("\n")
            event = json.loads(data.removeprefix("data: "))
            assert name == f"event: {event['type']}"
            EVENTS[event["type"]].model_validate(event)
            heard_events.append(event)
    assert [event["sequence_number"] for event in heard_events] == list(range(len(heard_events)))
    assert [event["type"] for event in heard_events[:2]] == ["response.created", "response.in_progress"]
    assert heard_events[-1]["type"] == "response.completed"
    for event in (heard_events[0], heard_events[1], heard_events[-1]):
        hold(event["response"])
    assert {event["response"]["id"] for event in (heard_events[0], heard_events[1], heard_events[-1])} == {
        heard_events[0]["response"]["id"]
    }
    return heard_events


def kinds(events: list[dict[str, Any]]) -> list[str]:
    """The types of events, each once where it is repeated."""
    named = [event["type"].removeprefix("response.") for event in events]
    return [kind for place, kind in enumerate(named) if not place or named[place - 1] != kind]


def text(response: dict[str, Any]) -> str:
    return "".join(part["text"] for item in response["output"] if item["type"] == "message" for part in item["content"])


def user(said: object) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": said}


def test_basic_response(tier: Tier) -> None:
    tier.says("Hello to you.")
    response = answered(tier, [user("Greet me in three words.")])
    assert response["status"] == "completed"
    assert text(response) == "Hello to you."


def test_streaming_response(tier: Tier) -> None:
    tier.says("One two three four five")
    events = streamed(tier, [user("Count to five.")])
    assert kinds(events) == [
        "created", "in_progress", "output_item.added", "content_part.added", "output_text.delta", "output_text.done",
        "content_part.done", "output_item.done", "completed",
    ]  # fmt: skip
    deltas = [event["delta"] for event in events if event["type"] == "response.output_text.delta"]
    assert deltas
    assert "".join(deltas) == text(events[-1]["response"]) == "One two three four five"


def test_system_prompt(tier: Tier) -> None:
    tier.says("Ahoy.")
    rule = {"type": "message", "role": "system", "content": "Talk as sailors do."}
    assert text(answered(tier, [rule, user("Greet me.")])) == "Ahoy."
    assert tier.messages[0]["role"] == "system"
    assert tier.messages[0]["content"] == "Talk as sailors do."


def test_tool_calling(tier: Tier) -> None:
    tier.says("", calls=[CALL])
    response = answered(tier, [user("What is the weather in Tromsø?")], tools=[WEATHER])
    [called] = response["output"]
    assert called["type"] == "function_call"
    assert (called["name"], json.loads(called["arguments"])) == ("weather_at", {"place": "Tromsø"})
    assert called["call_id"] == "call_7"
    tier.says("It snows.")
    result = {"type": "function_call_output", "call_id": "call_7", "output": "snow, -3 degrees"}
    after = answered(tier, [user("What is the weather in Tromsø?"), called, result], tools=[WEATHER])
    assert text(after) == "It snows."


def test_tool_calling_streaming(tier: Tier) -> None:
    tier.says("", calls=[CALL])
    events = streamed(tier, [user("What is the weather in Tromsø?")], tools=[WEATHER])
    assert kinds(events) == [
        "created", "in_progress", "output_item.added", "function_call_arguments.delta", "function_call_arguments.done",
        "output_item.done", "completed",
    ]  # fmt: skip
    [added, done] = [event["item"] for event in events if event["type"].startswith("response.output_item.")]
    assert (added["type"], added["status"], added["arguments"]) == ("function_call", "in_progress", "")
    assert (done["type"], done["status"], json.loads(done["arguments"])) == (
        "function_call",
        "completed",
        {"place": "Tromsø"},
    )


def test_image_input(tier: Tier) -> None:
    tier.says("A dot.")
    parts = [{"type": "input_text", "text": "What is in this picture?"}, {"type": "input_image", "image_url": DOT}]
    assert text(answered(tier, [user(parts)])) == "A dot."
    picture = tier.messages[-1]["content"][-1]
    url = picture["image_url"]["url"] if tier.protocol == "chat" else picture["image_url"]
    assert url == DOT


def test_multi_turn(tier: Tier) -> None:
    tier.says("You are called Ruth.")
    said = [
        user("I am called Ruth."),
        {"type": "message", "role": "assistant", "content": "Good morning, Ruth. What can I do for you?"},
        user("How am I called?"),
    ]
    assert text(answered(tier, said)) == "You are called Ruth."
    assert [one["role"] for one in tier.messages] == ["user", "assistant", "user"]


def test_a_chain_of_responses(tier: Tier) -> None:
    tier.says("Good morning, Ruth.")
    first = answered(tier, [user("I am called Ruth.")])
    tier.says("You are called Ruth.")
    second = answered(tier, [user("How am I called?")], previous_response_id=first["id"])
    assert second["previous_response_id"] == first["id"]
    assert [one["role"] for one in tier.messages] == ["user", "assistant", "user"]
    stored = httpx.get(f"{tier.url}/v1/responses/{second['id']}").json()
    hold(stored)
    assert text(stored) == "You are called Ruth."


def test_a_stream_that_breaks_off(tier: Tier) -> None:
    """Where the words go out as they come, the last event says that it failed; else the request itself does."""
    speak = chat_reply if tier.protocol == "chat" else responds
    tier.server.script = lambda request: cut(speak(request, "One two three four five six seven eight nine ten"))
    body = {"model": "tirtha", "input": "Count to ten.", "stream": True}
    whole = httpx.post(f"{tier.url}/v1/responses", json=body, timeout=60)
    if whole.status_code != 200:
        assert whole.status_code == 503
        assert whole.json()["error"]["type"] == "server_error"
        return
    events = [json.loads(block.split("\ndata: ")[1]) for block in whole.text.strip().split("\n\n")]
    for event in events:
        EVENTS[event["type"]].model_validate(event)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert events[-1]["type"] == "response.failed"
    assert events[-1]["response"]["error"]["code"] == "server_error"
