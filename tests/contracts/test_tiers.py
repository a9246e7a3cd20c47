"""What a tier may rely on, on every kind of server: the scripted one of the tests in each protocol, a GGUF model's own, and one
that is named.

`TIRTHA_TEST_SERVER_URL` and `TIRTHA_TEST_SERVER_MODEL` name any OpenAI-compatible server, such as vLLM's.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from openai import AsyncOpenAI
from pydantic import SecretStr

from cascade.call_trace import Trace
from cascade.errors import ChatFailed, TierDown
from cascade.model import ChatRequest, Message, WireProtocol
from cascade.ports import Chat
from cascade.reading import silence
from cascade.tiers.deployment import Deployment, OpenAIChat
from cascade.tiers.dialect import Dialect
from cascade.tiers.gguf import GgufChat, GgufModel, gguf_server
from cascade.tiers.model import ModelTier
from cascade.tiers.names import same_model
from tests.support.chat_server import Reply, chat_server, error, says
from tests.support.gguf import ModelsOfTests, small_gguf
from tests.support.tiers import CHEAP, no_wait

PATIENCE_S = 240.0  # of a small model on a busy machine
FREE_AGAIN_S = 20.0
YES_OR_NO = json.dumps(
    {
        "type": "object",
        "properties": {"yes": {"type": "boolean"}},
        "required": ["yes"],
        "additionalProperties": False,
    }
)


@dataclass(frozen=True, kw_only=True)
class Served:
    """A running server: its address, model and window, and what makes a chat of it."""

    url: str
    key: str | None
    model: str
    window_tokens: int
    made: Callable[[Dialect], OpenAIChat | GgufChat]
    protocol: WireProtocol = "chat"

    def only_of_chat_completions(self, what: str) -> None:
        """Skip what the other protocols have not."""
        if self.protocol != "chat":
            pytest.skip(f"the protocol {self.protocol} has no {what}")

    @asynccontextmanager
    async def chat(self, dialect: Dialect | None = None) -> AsyncIterator[Chat]:
        """Call the model over connections of our own."""
        chat = self.made(dialect or Dialect())
        try:
            yield chat
        finally:
            await chat.close()


@dataclass(frozen=True, kw_only=True)
class Stopping(Dialect):
    """A dialect that has the server stop at a text: an answer that begins with it is empty."""

    at: str

    def parameters(self, request: ChatRequest) -> dict[str, Any]:
        return super().parameters(request) | {"stop": [self.at]}


def a_model(request: dict[str, Any]) -> Reply:
    """What a model's server does, as far as callers see it: its window, its limits, its schema, its stops."""
    words = sum(len(message["content"].split()) for message in request["messages"])
    limit = request.get("max_tokens", 16)
    if words > 2_048:
        return error(400, {"error": {"message": f"request ({words} tokens) exceeds the available context size"}})
    said = "yes and no " * 50
    if "stop" in request:
        return says("", model=request["model"], prompt=words, completion=1)
    if "response_format" in request:
        said = '{"yes": true}'
    tokens = said.split(" ")[:limit]
    finish = "length" if len(said.split(" ")) > limit else "stop"
    logprobs = [(token, -0.5) for token in tokens] if request.get("logprobs") else None
    wait_s = 5.0 if limit > 1_000 else 0.0
    if request.get("stream"):
        return streamed(tokens, finish, request["model"], words)
    return says(
        " ".join(tokens),
        model=request["model"],
        finish=finish,
        prompt=words,
        completion=len(tokens),
        logprobs=logprobs,
        wait_s=wait_s,
    )


def streamed(tokens: list[str], finish: str, model: str, prompt: int) -> Reply:
    """The same as events, the last one with the usage."""
    base = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": model}
    usage = {"prompt_tokens": prompt, "completion_tokens": len(tokens), "total_tokens": prompt + len(tokens)}
    chunks: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {"content": token}, "finish_reason": None}]} for token in tokens
    ]
    chunks += [{"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}, {"choices": [], "usage": usage}]
    events = "".join(f"data: {json.dumps(base | chunk)}\n\n" for chunk in chunks)
    return Reply(body=f"{events}data: [DONE]\n\n".encode(), headers={"content-type": "text/event-stream"})


@contextmanager
def scripted() -> Iterator[Served]:
    with chat_server("scripted") as server:
        server.script = a_model
        yield at(server.url, "scripted", 2_048)


def over_responses(request: dict[str, Any]) -> Reply:
    """The same model, asked over the Responses API."""
    instructions = [{"content": request["instructions"]}] if "instructions" in request else []
    chat = {
        "model": request["model"],
        "messages": [*instructions, *request["input"]],
        "max_tokens": request["max_output_tokens"],
        **({"response_format": request["text"]["format"]} if "text" in request else {}),
    }
    said = a_model(chat)
    answered = json.loads(said.body)
    if said.status != 200:
        return said
    [choice], usage = answered["choices"], answered["usage"]
    cut = choice["finish_reason"] == "length"
    body = {
        "id": "resp_1",
        "object": "response",
        "model": answered["model"],
        "status": "incomplete" if cut else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "output": [
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"type": "message", "content": [{"type": "output_text", "text": choice["message"]["content"]}]},
        ],
        "usage": {"input_tokens": usage["prompt_tokens"], "output_tokens": usage["completion_tokens"]},
    }
    return Reply(body=json.dumps(body).encode(), wait_s=said.wait_s)


def over_anthropic(request: dict[str, Any]) -> Reply:
    """The same model, asked over Anthropic's messages."""
    instructions = [{"content": request["system"]}] if "system" in request else []
    schema = request.get("output_config", {}).get("format")
    chat = {
        "model": request["model"],
        "messages": [*instructions, *request["messages"]],
        "max_tokens": request["max_tokens"],
        **({"response_format": schema} if schema else {}),
    }
    said = a_model(chat)
    answered = json.loads(said.body)
    if said.status != 200:
        return error(said.status, {"type": "error", **answered})
    [choice], usage = answered["choices"], answered["usage"]
    body = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": answered["model"],
        "content": [{"type": "text", "text": choice["message"]["content"]}],
        "stop_reason": {"length": "max_tokens", "stop": "end_turn"}[choice["finish_reason"]],
        "usage": {"input_tokens": usage["prompt_tokens"], "output_tokens": usage["completion_tokens"]},
    }
    return Reply(body=json.dumps(body).encode(), wait_s=said.wait_s)


@contextmanager
def responses() -> Iterator[Served]:
    with chat_server("scripted", key="k") as server:
        server.script = over_responses
        yield at(server.url, "scripted", 2_048, protocol="responses", key="k")


@contextmanager
def messages() -> Iterator[Served]:
    with chat_server("scripted", key="k", anthropic=True) as server:
        server.script = over_anthropic
        yield at(server.url, "scripted", 2_048, protocol="anthropic", key="k")


@contextmanager
def gguf() -> Iterator[Served]:
    file = small_gguf()
    model = GgufModel(file=file, name=file.name, context_tokens=2_048, threads=1)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(gguf_server(model)) as server:
        assert server.address
        yield Served(
            url=server.address.url,
            key=server.address.key.get_secret_value(),
            model=file.name,
            window_tokens=server.context_tokens,
            made=lambda dialect: GgufChat(server, dialect=dialect),
        )


@contextmanager
def named() -> Iterator[Served]:
    own = ModelsOfTests()
    assert own.server_url
    yield at(own.server_url, own.server_model, own.server_window_tokens)


def at(url: str, model: str, window_tokens: int, *, protocol: WireProtocol = "chat", key: str | None = None) -> Served:
    def made(dialect: Dialect) -> OpenAIChat:
        return OpenAIChat(url=url, model=model, key=SecretStr(key or "none"), dialect=dialect, protocol=protocol)

    return Served(url=url, key=key, model=model, window_tokens=window_tokens, made=made, protocol=protocol)


KINDS = {"scripted": scripted, "responses": responses, "anthropic": messages, "gguf": gguf, "named": named}


ASKED = [
    "scripted",
    "responses",
    "anthropic",
    pytest.param("gguf", marks=pytest.mark.slow),
    *(["named"] if ModelsOfTests().server_url else []),
]


@pytest.fixture(scope="module", params=ASKED)
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    with KINDS[request.param]() as opened:
        yield opened


def asking(text: str = "Is water wet? Say yes or no.", *, tokens: int = 5, schema: str | None = None) -> ChatRequest:
    return ChatRequest(messages=(Message(role="user", content=text),), max_tokens=tokens, schema=schema)


async def test_the_model_answers_under_its_name_with_its_usage(served: Served) -> None:
    async with served.chat() as chat:
        answered = await chat.complete(asking(), timeout_s=PATIENCE_S)
    assert answered.text.strip()
    assert same_model(served.model, answered.model)
    assert answered.usage.prompt_tokens > 0
    assert answered.usage.completion_tokens > 0
    assert not answered.usage.estimated
    assert answered.confidence is None, "nobody asked for token probabilities"


async def test_the_server_lists_the_model(served: Served) -> None:
    chat = OpenAIChat(url=served.url, model=served.model, key=SecretStr(served.key or "none"), protocol=served.protocol)
    assert served.model in await chat.models(timeout_s=PATIENCE_S)
    await chat.close()


async def test_an_answer_has_the_form_of_its_schema(served: Served) -> None:
    async with served.chat() as chat:
        answered = await chat.complete(asking(tokens=100, schema=YES_OR_NO), timeout_s=PATIENCE_S)
    assert answered.finish_reason == "stop"
    assert isinstance(json.loads(answered.text)["yes"], bool)


async def test_token_probabilities_are_returned_if_asked_for(served: Served) -> None:
    served.only_of_chat_completions("token probabilities")
    async with served.chat(Dialect(logprobs=True)) as chat:
        answered = await chat.complete(asking(), timeout_s=PATIENCE_S)
    assert answered.confidence is not None
    assert 0 < answered.confidence <= 1


async def test_an_answer_ends_at_its_limit_and_says_so(served: Served) -> None:
    async with served.chat() as chat:
        answered = await chat.complete(asking("Count from 1 to 500.", tokens=4), timeout_s=PATIENCE_S)
    assert answered.finish_reason == "length"
    assert answered.usage.completion_tokens == 4


async def test_a_prompt_that_no_window_holds_is_refused_for_good(served: Served) -> None:
    async with served.chat() as chat:
        with pytest.raises(ChatFailed) as caught:
            await chat.complete(asking("word " * served.window_tokens * 2), timeout_s=PATIENCE_S)
        assert (caught.value.kind, caught.value.lasting) == ("refused", True)
        assert (await chat.complete(asking(), timeout_s=PATIENCE_S)).text.strip(), "and the next one is answered"


async def test_who_goes_away_leaves_the_server_free(served: Served) -> None:
    async with served.chat() as chat:
        left = asyncio.create_task(chat.complete(asking("Tell a long story.", tokens=1_500), timeout_s=PATIENCE_S))
        await asyncio.sleep(1.0)
        assert not left.done()
        left.cancel()
        await asyncio.gather(left, return_exceptions=True)
        await chat.complete(asking(tokens=2), timeout_s=FREE_AGAIN_S)  # and not after a story that nobody reads


async def test_what_takes_too_long_is_given_up(served: Served) -> None:
    async with served.chat() as chat:
        with pytest.raises(ChatFailed) as caught:
            await chat.complete(asking("Tell a long story.", tokens=1_500), timeout_s=0.2)
    assert (caught.value.kind, caught.value.lasting) == ("timeout", False)


async def test_an_empty_answer_is_silence_and_the_tier_is_down(served: Served) -> None:
    served.only_of_chat_completions("stop texts that the cascade sends")
    async with served.chat() as chat:
        begins = (await chat.complete(asking(), timeout_s=PATIENCE_S)).text
    async with served.chat(Stopping(at=begins[0])) as chat:
        assert silence(await chat.complete(asking(), timeout_s=PATIENCE_S))
        trace = Trace(started_s=perf_counter(), deadline_s=PATIENCE_S)
        with pytest.raises(TierDown) as caught:
            await tier_over(chat, served).ask(asking(), trace, purpose="draft")
    assert caught.value.silent
    assert trace.calls[0].usage.prompt_tokens > 0, "what was said to nobody was billed all the same"


def tier_over(chat: Chat, served: Served) -> ModelTier:
    return ModelTier(
        name="local",
        model=served.model,
        price=CHEAP,
        window_tokens=served.window_tokens,
        max_tokens=5,
        timeout_s=PATIENCE_S,
        tries=2,
        deployments=[Deployment(chat, name="only")],
        count=lambda text: len(text.split()),
        sleep=no_wait,
    )


async def test_a_stream_ends_with_the_reason_and_the_usage(served: Served) -> None:
    served.only_of_chat_completions("chunks")
    async with AsyncOpenAI(base_url=served.url, api_key=served.key or "none", max_retries=0) as client:
        stream = await client.chat.completions.create(
            model=served.model,
            messages=[{"role": "user", "content": "Count from 1 to 500."}],
            max_tokens=4,
            stream=True,
            stream_options={"include_usage": True},
            timeout=PATIENCE_S,
        )
        chunks = [chunk async for chunk in stream]
    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert "".join(choice.delta.content or "" for choice in choices).strip()
    assert [choice.finish_reason for choice in choices if choice.finish_reason] == ["length"]
    usages = [chunk.usage for chunk in chunks if chunk.usage]
    assert usages[-1].completion_tokens == 4
    assert usages[-1].prompt_tokens > 0
