"""One call over real HTTP: what is sent, how a reply is read, and what a server may do wrong."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from pydantic import SecretStr

from cascade.errors import ChatFailed
from cascade.model import ChatRequest, Message, Usage
from cascade.tiers.deployment import Dialect, OpenAIChat
from tests.support.chat_server import ChatServer, Reply, chat_server, cut, says, status

ASK = ChatRequest(messages=(Message(role="user", content="Where?"),), max_tokens=50, schema='{"type": "object"}')


@pytest.fixture
async def server() -> AsyncIterator[ChatServer]:
    with chat_server("scripted") as running:
        yield running


async def complete(
    server: ChatServer, *, timeout_s: float = 5.0, dialect: Dialect | None = None, key: str | None = None
) -> object:
    chat = OpenAIChat(url=server.url, model="scripted", key=SecretStr(key) if key else None, dialect=dialect)
    try:
        return await chat.complete(ASK, timeout_s=timeout_s)
    finally:
        await chat.close()


async def test_an_answer_is_read_with_its_usage_reasoning_and_confidence(server: ChatServer) -> None:
    tokens = [("<|channel|>", -9.0), ("<|message|>", -9.0), ("Pa", -0.1), ("ris", -0.3)]
    for field in ("reasoning", "reasoning_content"):
        reply = says("Paris", logprobs=tokens, more={field: "hm"})
        server.script = lambda request, reply=reply: reply  # type: ignore[misc]
        found = await complete(server, dialect=Dialect(logprobs=True, reasoning_effort="low"))
        assert (found.text, found.reasoning, found.model, found.finish_reason) == ("Paris", "hm", "scripted", "stop")  # type: ignore[attr-defined]
        assert found.usage == Usage(prompt_tokens=100, completion_tokens=10)  # type: ignore[attr-defined]
        assert found.confidence == pytest.approx(2.718281828**-0.2)  # type: ignore[attr-defined]
    sent = server.requests[-1]
    assert (sent["reasoning_effort"], sent["logprobs"], sent["max_tokens"]) == ("low", True, 50)
    assert sent["response_format"]["json_schema"]["schema"] == {"type": "object"}


async def test_servers_that_take_fewer_parameters_get_fewer(server: ChatServer) -> None:
    server.script = lambda request: says("Paris")
    await complete(server, dialect=Dialect(structured=False, temperature=False, limit_field="max_completion_tokens"))
    assert server.requests[0].keys() == {"model", "messages", "max_completion_tokens"}


@pytest.mark.parametrize(
    ("reply", "kind", "lasting"),
    [
        (status(429), "rate_limited", False),
        (status(500), "server", False),
        (status(503), "server", False),
        (status(400), "refused", True),
        (status(401), "refused", True),
        (status(404), "refused", True),
        (cut(says("Paris")), "connection", False),
        (Reply(body=b"{nonsense"), "bad_response", False),
        (Reply(body=b"[]"), "bad_response", False),
        (says([{"type": "text"}]), "bad_response", False),  # type: ignore[arg-type]
        (Reply(body=b'"text"'), "bad_response", False),
        (Reply(body=b'{"error": {"message": "HarmonyError"}}'), "bad_response", False),
        (Reply(body=json.dumps({"choices": []}).encode()), "bad_response", False),
        (Reply(body=json.dumps({"choices": [{}]}).encode()), "bad_response", False),
        (says("late", wait_s=2.0), "timeout", False),
    ],
)
async def test_what_goes_wrong_is_told_by_kind_and_in_time(
    server: ChatServer, reply: Reply, kind: str, lasting: bool
) -> None:
    server.script = lambda request: reply
    with pytest.raises(ChatFailed) as caught:
        await complete(server, timeout_s=0.5)
    assert (caught.value.kind, caught.value.lasting) == (kind, lasting)
    assert len(server.requests) == 1, "the package's own retries are off"


async def test_a_server_that_is_not_there_is_a_connection_fault() -> None:
    with chat_server("scripted") as gone:
        pass
    with pytest.raises(ChatFailed, match="connection"):
        await complete(gone)


async def test_a_key_is_sent_and_never_shown(server: ChatServer) -> None:
    server.key = "sk-secret"
    server.script = lambda request: says("Paris")
    await complete(server, key="sk-secret")
    with pytest.raises(ChatFailed) as caught:
        await complete(server, key="sk-wrong")
    assert "sk-wrong" not in str(caught.value)
    await complete(server, key="sk-secret\n")
    with pytest.raises(ChatFailed) as broken:
        await complete(server, key="sk-\nbroken")
    assert "broken" not in str(broken.value)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        (format_datetime(datetime.now(UTC) + timedelta(seconds=3_600), usegmt=True), 3_600.0),
        ("soon", None),
    ],
    ids=["whole seconds", "part of a second", "a date an hour ahead", "no time at all"],
)
async def test_retry_after_is_read_as_seconds_or_as_a_date(
    server: ChatServer, header: str, seconds: float | None
) -> None:
    server.script = lambda request: status(429, retry_after=header)
    with pytest.raises(ChatFailed) as caught:
        await complete(server)
    assert caught.value.retry_after_s == (pytest.approx(seconds, abs=1_200) if seconds else None)


@pytest.mark.parametrize(
    ("content", "finish", "more", "text", "ended"),
    [
        (None, "stop", {"reasoning_content": "hm"}, "", "stop"),
        (None, "length", {"reasoning": "hm"}, "", "length"),
        (None, "stop", {"refusal": "I cannot."}, "I cannot.", "refusal"),
        ("Paris", "stop", {"refusal": ""}, "Paris", "stop"),
        ("Paris", "stop", {"refusal": None}, "Paris", "stop"),
        ("", "content_filter", {}, "", "content_filter"),
        (None, "tool_calls", {}, "", "tool_calls"),
        ([{"type": "text", "text": "Pa"}, {"type": "text", "text": "ris"}], "stop", {}, "Paris", "stop"),
        (
            [{"type": "thinking", "thinking": [{"text": "Rome"}]}, {"type": "text", "text": "Paris"}],
            "stop",
            {},
            "Paris",
            "stop",
        ),
        ([], "stop", {}, "", "stop"),
    ],
)
async def test_a_reply_without_text_is_read_as_what_it_is(
    server: ChatServer, content: Any, finish: str, more: dict[str, Any], text: str, ended: str
) -> None:
    server.script = lambda request: says(content, finish=finish, more=more)
    found = await complete(server)
    assert (found.text, found.finish_reason) == (text, ended)  # type: ignore[attr-defined]


async def test_confidence_is_that_of_what_is_said_aloud(server: ChatServer) -> None:
    tokens = [("<think>", -9.0), ("hm", -9.0), ("</think>", -9.0), ("Paris", -0.2)]
    server.script = lambda request: says("<think>hm</think>Paris", logprobs=tokens)
    assert (await complete(server)).confidence == pytest.approx(2.718281828**-0.2)  # type: ignore[attr-defined]
