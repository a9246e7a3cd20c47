"""What a call is booked with if the server tells its tokens in part, wrongly or not at all."""

import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from time import perf_counter
from types import SimpleNamespace
from typing import Any

import pytest

from cascade.call_trace import Trace
from cascade.decision import Call
from cascade.errors import ChatFailed, TierDown
from cascade.model import ChatRequest, Completion, Message, Usage
from cascade.pricing import cost_nanousd
from cascade.storage.ledger import decode_decision, encode_decision
from cascade.tiers.deployment import Deployment, OpenAIChat
from cascade.tiers.model import ModelTier
from cascade.tiers.usage import booked_usage, reported_usage
from tests.contracts.test_ledger import decision
from tests.support.chat_server import ChatServer, Reply, chat_server, says
from tests.support.tiers import CHEAP, Scripted, tier

ASK = ChatRequest(messages=(Message(role="user", content="Where is it now ?"),), max_tokens=50)
PROMPT = 5 + 8  # words, and what the chat format takes


@pytest.fixture
async def server() -> AsyncIterator[ChatServer]:
    with chat_server("scripted") as running:
        yield running


async def calls(own: ModelTier) -> list[Call]:
    trace = Trace(started_s=perf_counter(), deadline_s=5)
    with suppress(TierDown):
        await own.ask(ASK, trace, purpose="draft")
    return trace.calls


async def booked(server: ChatServer, reply: Reply) -> Call:
    server.script = lambda request: reply
    chat = OpenAIChat(url=server.url, model="scripted")
    try:
        [call] = await calls(replace(tier(Scripted("")), deployments=[Deployment(chat, name="a")], tries=1))
    finally:
        await chat.close()
    assert call.cost_nanousd == cost_nanousd(call.usage, CHEAP)
    return call


def used(prompt: int, completion: int, *, estimated: bool) -> Usage:
    return Usage(prompt_tokens=prompt, completion_tokens=completion, estimated=estimated)


@pytest.mark.parametrize(
    ("told", "booked_as"),
    [
        ("all", used(100, 10, estimated=False)),
        (None, used(PROMPT, 4, estimated=True)),
        ({}, used(PROMPT, 4, estimated=True)),
        ("none of your business", used(PROMPT, 4, estimated=True)),
        ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, used(PROMPT, 4, estimated=True)),
        ({"prompt_tokens": None, "completion_tokens": None}, used(PROMPT, 4, estimated=True)),
        ({"prompt_tokens": "100", "completion_tokens": [10]}, used(PROMPT, 4, estimated=True)),
        ({"prompt_tokens": -1, "completion_tokens": True}, used(PROMPT, 4, estimated=True)),
        ({"prompt_tokens": 100}, used(100, 4, estimated=True)),
        ({"prompt_tokens": 100, "completion_tokens": 0, "total_tokens": 100}, used(100, 4, estimated=True)),
        ({"completion_tokens": 10}, used(PROMPT, 10, estimated=True)),
        ({"total_tokens": 110}, used(106, 4, estimated=True)),
        ({"total_tokens": 3}, used(0, 3, estimated=True)),
        ({"prompt_tokens": 100, "total_tokens": 110}, used(100, 10, estimated=False)),
        ({"completion_tokens": 10, "total_tokens": 110}, used(100, 10, estimated=False)),
        ({"prompt_tokens": 100.0, "completion_tokens": 10.0}, used(100, 10, estimated=False)),
    ],
)
async def test_what_is_not_told_is_counted_and_marked(server: ChatServer, told: Any, booked_as: Usage) -> None:
    reply = says("In the attic", usage=told, more={"reasoning": "hm"})
    assert (await booked(server, reply)).usage == booked_as


async def test_a_word_of_usage_less_an_answer_is_not_refused_for(server: ChatServer) -> None:
    call = await booked(server, says("Paris", usage=["100"]))
    assert (call.fault, call.usage.estimated) == ("", True)


async def test_an_answer_without_a_word_has_its_prompt_counted_alone(server: ChatServer) -> None:
    assert (await booked(server, says("", usage=None))).usage == used(PROMPT, 0, estimated=True)
    assert (await booked(server, says("", prompt=7, completion=0))).usage == used(7, 0, estimated=False)


async def test_reasoning_of_any_shape_is_counted(server: ChatServer) -> None:
    call = await booked(server, says("In the attic", usage=None, more={"reasoning": [{"text": "hm"}]}))
    assert (call.fault, call.usage) == ("", used(PROMPT, 3 + 2, estimated=True))


async def test_cached_and_reasoning_tokens_are_kept(server: ChatServer) -> None:
    told = {
        "prompt_tokens": 100,
        "prompt_tokens_details": {"cached_tokens": 60},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
    call = await booked(server, says("In the attic", usage=told))
    assert call.usage == Usage(
        prompt_tokens=100, completion_tokens=3, cached_tokens=60, reasoning_tokens=2, estimated=True
    )


@pytest.mark.parametrize(
    ("body", "booked_as"),
    [
        ({"choices": [{"message": {"content": {"parts": 1}}}]}, used(PROMPT, 2, estimated=True)),
        ({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 1}}, used(9, 1, estimated=False)),
        ({"choices": [{}], "usage": {"prompt_tokens": 9, "completion_tokens": 1}}, used(9, 1, estimated=False)),
        ({"choices": [{"message": {"content": "In the attic"}, "logprobs": 7}]}, used(PROMPT, 3, estimated=True)),
        ({"choices": []}, Usage()),
        ({"error": {"message": "HarmonyError"}}, Usage()),
    ],
)
async def test_a_failed_call_costs_what_the_server_told_or_sent(
    server: ChatServer, body: dict[str, Any], booked_as: Usage
) -> None:
    call = await booked(server, Reply(body=json.dumps({"model": "scripted"} | body).encode()))
    assert call.fault.startswith("bad_response")
    assert call.usage == booked_as


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "text/event-stream"])
async def test_a_response_that_cannot_be_read_costs_what_it_says(server: ChatServer, kind: str) -> None:
    body = b'{"choices": [{"message": {"reasoning": "hm \\"so\\"", "content": "In the at'
    call = await booked(server, Reply(body=body, headers={"content-type": kind}))
    assert call.fault.startswith("bad_response")
    assert call.usage == used(PROMPT, 5, estimated=True)
    assert (await booked(server, Reply(body=b"nonsense", headers={"content-type": kind}))).usage == Usage()


async def test_a_call_that_nobody_answered_costs_nothing() -> None:
    [call] = await calls(tier(Scripted(ChatFailed("server", "500")), tries=1))
    assert (call.usage, call.cost_nanousd) == (Usage(), 0)


async def test_a_replayed_failure_keeps_its_booked_usage() -> None:
    then = used(13, 0, estimated=True)
    [call] = await calls(tier(Scripted(ChatFailed("bad_response", "x", usage=then)), tries=1))
    assert call.usage == then


async def test_any_model_without_usage_is_counted() -> None:
    silent = Completion(text="In the attic", model="", finish_reason="stop", usage=Usage(), reasoning="hm hm")
    [call] = await calls(tier(Scripted(silent)))
    assert call.usage == used(PROMPT, 5, estimated=True)


def test_a_complete_usage_is_not_counted_at_all() -> None:
    def count(*texts: str) -> int:
        raise AssertionError("nothing is to be counted")

    told = reported_usage(SimpleNamespace(prompt_tokens=3, completion_tokens=2))
    assert booked_usage(told, prompt_tokens=count, sent=("x",), count=count) == used(3, 2, estimated=False)


async def test_a_decision_is_estimated_if_any_call_is_and_older_records_are_not() -> None:
    made = await decision()
    [call] = made.calls
    assert not made.usage.estimated
    guessed = replace(call, usage=used(1, 1, estimated=True))
    assert replace(made, calls=(call, guessed)).usage == used(2, 1, estimated=True)
    older = json.loads(encode_decision(made))
    del older["calls"][0]["usage"]["estimated"]
    assert decode_decision(json.dumps(older)) == made
