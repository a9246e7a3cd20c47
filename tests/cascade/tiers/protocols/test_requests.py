"""The cascade's own requests to servers of other protocols: how they are written, read, and made again without what is refused."""

import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from time import perf_counter
from typing import Any

import pytest
from openai.types.responses import ResponseCreateParams
from pydantic import SecretStr, TypeAdapter

from cascade.call_trace import Trace
from cascade.errors import ChatFailed, TierDown
from cascade.model import ChatRequest, Message, Usage, WireProtocol
from cascade.tiers.deployment import Deployment, OpenAIChat
from cascade.tiers.dialect import Dialect
from cascade.tiers.model import ModelTier
from cascade.tiers.protocols import speech
from tests.support.chat_server import ChatServer, Reply, chat_server, error
from tests.support.tiers import Scripted, tier

SCHEMA = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
ASK = ChatRequest(
    messages=(
        Message(role="system", content="Be brief."),
        Message(role="user", content="Where?"),
        Message(role="assistant", content="Oslo."),
        Message(role="user", content="No."),
    ),
    max_tokens=50,
    temperature=0.5,
    schema=json.dumps(SCHEMA),
)
OTHERS: list[WireProtocol] = ["responses", "anthropic"]


@contextmanager
def server(protocol: WireProtocol) -> Iterator[ChatServer]:
    with chat_server("scripted", key="k", anthropic=protocol == "anthropic") as opened:
        yield opened


@asynccontextmanager
async def chat(opened: ChatServer, protocol: WireProtocol, dialect: Dialect | None = None) -> AsyncIterator[OpenAIChat]:
    made = OpenAIChat(
        url=opened.url,
        model="scripted",
        key=SecretStr("k"),
        dialect=dialect,
        settings="TIRTHA_LOCAL_",
        protocol=protocol,
    )
    yield made
    await made.close()


def answered(protocol: WireProtocol, text: str, *, end: str = "", usage: Any = "all", **more: Any) -> Reply:
    """A response of either protocol that says `text`."""
    told = {"input_tokens": 100, "output_tokens": 10}
    if protocol == "anthropic":
        body: dict[str, Any] = {
            "type": "message",
            "model": "scripted",
            "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": text}],
            "stop_reason": end or "end_turn",
        }
        told |= {"cache_read_input_tokens": 40}
    else:
        body = {
            "object": "response",
            "model": "scripted",
            "status": "incomplete" if end else "completed",
            "incomplete_details": {"reason": end} if end else None,
            "output": [{"type": "message", "content": [{"type": "output_text", "text": text}]}],
        }
        told |= {"total_tokens": 110}
    return Reply(body=json.dumps(body | ({"usage": told} if usage == "all" else {}) | more).encode())


def test_a_request_to_anthropic_is_one_of_its_own_types() -> None:
    from anthropic.types import MessageCreateParams  # noqa: PLC0415 - every other test would wait for it

    body = speech("anthropic").body(ASK, Dialect(reasoning_effort="low"))
    assert body == {
        "messages": [
            {"role": "user", "content": "Where?"},
            {"role": "assistant", "content": "Oslo."},
            {"role": "user", "content": "No."},
        ],
        "system": "Be brief.",
        "max_tokens": 50,
        "temperature": 0.5,
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
    }
    kinds: TypeAdapter[Any] = TypeAdapter(MessageCreateParams)
    kinds.validate_python({**body, "model": "claude"})


def test_a_request_for_a_response_is_one_of_openais_own_types() -> None:
    body = speech("responses").body(ASK, Dialect(reasoning_effort="low"))
    assert body == {
        "input": [
            {"type": "message", "role": "user", "content": "Where?"},
            {"type": "message", "role": "assistant", "content": "Oslo."},
            {"type": "message", "role": "user", "content": "No."},
        ],
        "instructions": "Be brief.",
        "max_output_tokens": 50,
        "store": False,
        "temperature": 0.5,
        "reasoning": {"effort": "low"},
        "text": {"format": {"type": "json_schema", "name": "answer", "strict": True, "schema": SCHEMA}},
    }
    kinds: TypeAdapter[Any] = TypeAdapter(ResponseCreateParams)
    kinds.validate_python({**body, "model": "gpt"})


@pytest.mark.parametrize("protocol", OTHERS)
async def test_an_answer_is_read_with_its_cost(protocol: WireProtocol) -> None:
    with server(protocol) as opened:
        opened.script = lambda request: answered(protocol, "Oslo.")
        async with chat(opened, protocol) as made:
            said = await made.complete(ASK, timeout_s=5)
            assert await made.models(timeout_s=5) == ["scripted"]
    assert (said.text, said.model, said.finish_reason) == ("Oslo.", "scripted", "stop")
    cached = 40 if protocol == "anthropic" else 0
    assert said.usage == Usage(prompt_tokens=100 + cached, completion_tokens=10, cached_tokens=cached)
    assert said.reasoning == ("Hm." if protocol == "anthropic" else "")
    assert opened.paths == ["/v1/messages" if protocol == "anthropic" else "/v1/responses"]
    assert ("authorization" in opened.headers[0]) == (protocol == "responses")
    assert opened.headers[0].get("x-api-key") == ("k" if protocol == "anthropic" else None)


@pytest.mark.parametrize(
    ("protocol", "end", "finish"),
    [
        ("responses", "max_output_tokens", "length"),
        ("responses", "content_filter", "content_filter"),
        ("anthropic", "max_tokens", "length"),
        ("anthropic", "model_context_window_exceeded", "length"),
        ("anthropic", "stop_sequence", "stop"),
        ("anthropic", "refusal", "refusal"),
    ],
)
async def test_why_an_answer_ended_is_told_in_one_language(protocol: WireProtocol, end: str, finish: str) -> None:
    with server(protocol) as opened:
        opened.script = lambda request: answered(protocol, "Os", end=end)
        async with chat(opened, protocol) as made:
            assert (await made.complete(ASK, timeout_s=5)).finish_reason == finish


async def test_a_refusal_of_the_responses_api_is_one() -> None:
    refusal = [{"type": "message", "content": [{"type": "refusal", "refusal": "I can't help with that."}]}]
    with server("responses") as opened:
        opened.script = lambda request: answered("responses", "", output=refusal)
        async with chat(opened, "responses") as made:
            said = await made.complete(ASK, timeout_s=5)
            assert (said.finish_reason, said.text) == ("refusal", "I can't help with that.")
            own, trace = one_try(made), Trace(started_s=perf_counter(), deadline_s=5)
            with pytest.raises(TierDown) as down:
                await own.ask(ASK, trace, purpose="draft")
    assert down.value.silent
    assert trace.calls[0].usage.prompt_tokens == 100, "it was billed all the same"


@pytest.mark.parametrize("protocol", OTHERS)
@pytest.mark.parametrize("body", [b"[]", b"no json", b"{}", b'"words"'])
async def test_what_is_no_answer_is_a_bad_response(protocol: WireProtocol, body: bytes) -> None:
    with server(protocol) as opened:
        opened.script = lambda request: Reply(body=body)
        async with chat(opened, protocol) as made:
            with pytest.raises(ChatFailed) as caught:
                await made.complete(ASK, timeout_s=5)
    assert (caught.value.kind, caught.value.lasting) == ("bad_response", False)


@pytest.mark.parametrize("protocol", OTHERS)
async def test_usage_that_is_not_told_is_counted(protocol: WireProtocol) -> None:
    with server(protocol) as opened:
        opened.script = lambda request: answered(protocol, "one two three", usage=None)
        async with chat(opened, protocol) as made:
            trace = Trace(started_s=perf_counter(), deadline_s=5)
            await one_try(made).ask(ASK, trace, purpose="draft")
    [call] = trace.calls
    assert call.usage.estimated
    assert call.usage.completion_tokens >= 3


@pytest.mark.parametrize(
    ("protocol", "held", "message", "setting"),
    [
        ("responses", lambda r: "text" in r, "Unsupported parameter: 'text.format'", "STRUCTURED=false"),
        ("responses", lambda r: "temperature" in r, "Unsupported parameter: 'temperature'", "TEMPERATURE=false"),
        ("anthropic", lambda r: "output_config" in r, "output_config.format: Extra inputs", "STRUCTURED=false"),
        ("anthropic", lambda r: "temperature" in r, "`temperature` is deprecated for this model.", "TEMPERATURE=false"),
    ],
)
async def test_what_a_server_refuses_is_left_out_from_then_on(
    protocol: WireProtocol,
    held: Callable[[dict[str, Any]], bool],
    message: str,
    setting: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    refusal = {"type": "error", "error": {"type": "invalid_request_error", "message": message}}
    with server(protocol) as opened:
        opened.script = lambda request: error(400, refusal) if held(request) else answered(protocol, "Oslo.")
        async with chat(opened, protocol) as made:
            own, trace = one_try(made), Trace(started_s=perf_counter(), deadline_s=5)
            with caplog.at_level(logging.WARNING):
                assert (await own.ask(ASK, trace, purpose="draft")).text == "Oslo."
            await own.ask(ASK, trace, purpose="draft")
    assert [bool(call.fault) for call in trace.calls] == [True, False, False]
    assert [held(request) for request in opened.requests] == [True, False, False]
    assert setting in caplog.text


@pytest.mark.parametrize("protocol", OTHERS)
async def test_a_limit_that_is_too_high_is_no_unknown_name(protocol: WireProtocol) -> None:
    about = "max_tokens: 50 > 20, which is the maximum allowed number of output tokens"
    refusal = {"type": "error", "error": {"type": "invalid_request_error", "message": about}}
    with server(protocol) as opened:
        opened.script = lambda request: error(400, refusal)
        async with chat(opened, protocol) as made:
            with pytest.raises(ChatFailed) as caught:
                await made.complete(ASK, timeout_s=5)
    assert (caught.value.kind, caught.value.lasting) == ("refused", True)


def one_try(made: OpenAIChat) -> ModelTier:
    return replace(tier(Scripted(""), tries=1), deployments=[Deployment(made, name="only")], model="scripted")
