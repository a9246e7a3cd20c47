"""What is made of a server that refuses a parameter: asked again without it, remembered, told once, and in the record."""

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from cascade.call_trace import Trace
from cascade.errors import TierDown
from cascade.model import ChatRequest, Message, Usage
from cascade.ports import Chat
from cascade.tiers.deployment import Deployment, Dialect, OpenAIChat
from cascade.tiers.dialect import refused_parameter
from cascade.tiers.model import ModelTier
from cascade.tiers.recording import DecisionChat, RecordingChat, read_recordings
from tests.support.chat_server import ChatServer, Reply, chat_server, error, picky, says, status
from tests.support.tiers import Scripted, tier

ASK = ChatRequest(messages=(Message(role="user", content="Where?"),), max_tokens=50, schema='{"type": "object"}')
PARIS = says("Paris")
EVERYTHING = Dialect(logprobs=True)
SENT = EVERYTHING.parameters(ASK)


def openai_error(message: str, *, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


def vllm_error(message: str) -> dict[str, Any]:
    return {"object": "error", "message": message, "type": "BadRequestError", "param": None, "code": 400}


def forbidden(name: str) -> dict[str, Any]:
    return {"detail": [{"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted"}]}


ABOUT_SCHEMA = [
    openai_error("Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model."),
    openai_error("Unsupported value.", param="response_format.type"),
    openai_error("Invalid schema for the answer: must be an object", param="response_format"),
    {"error": "'response_format.type' must be 'json_object' or 'text'"},
    {"error": {"message": "response_format: Extra inputs are not permitted", "type": "invalid_request_error"}},
    {"error": {"message": "Provider returned error", "metadata": {"raw": '{"detail": "JSON mode is off"}'}}},
    vllm_error("Guided decoding is not available with this backend"),
    vllm_error("xgrammar could not compile the grammar"),
    vllm_error("This model does not support structured outputs"),
    {"message": {"detail": [{"loc": ["body", "response_format"], "msg": "Input should be 'text'"}]}},
    forbidden("response_format"),
    "json_schema is not implemented",
]
SAYING_NOTHING = [
    "",
    "Bad Request",
    "<html><head><title>400 Bad Request</title></head><body><center>nginx</center></body></html>",
    "null",
    {},
    {"error": {}},
    {"error": {"message": "", "type": "invalid_request_error", "code": 400}},
    {"error": {"message": "Provider returned error", "code": 400}},
    {"error": {"message": "Request contains an invalid argument.", "status": "INVALID_ARGUMENT"}},
    {"detail": "Unprocessable Entity"},
    openai_error("Invalid request"),
]
ABOUT_ELSE = [
    openai_error("This model's maximum context length is 8192 tokens. However, you requested 9000 tokens."),
    openai_error("max_tokens is too large: 50. This model supports at most 20 completion tokens.", param="max_tokens"),
    vllm_error("'max_tokens' or 'max_completion_tokens' is too large: 50. This model's maximum context length is 40."),
    openai_error("The model `scripted` does not exist", code="model_not_found"),
    openai_error("Your request was rejected by the content filter"),
    openai_error("Unrecognized request arguments supplied: temperature, logprobs"),
    openai_error("Unrecognized request argument supplied: max_completion_tokens"),
    openai_error("messages.0.role: Input should be 'user' or 'assistant'"),
    vllm_error("[{'type': 'missing', 'loc': ('body', 'messages'), 'input': {'response_format': {}}}]"),
    {"detail": [{"loc": ["body", "messages"], "msg": "Field required", "input": {"response_format": {}}}]},
    {"error": "参数错误：上下文过长"},
    {"error": {"message": "scripted"}},
]


@pytest.mark.parametrize("body", [*ABOUT_SCHEMA, *SAYING_NOTHING])
def test_errors_that_name_the_schema_or_nothing_are_about_the_schema(body: Any) -> None:
    assert refused_parameter(body, SENT) == "response_format"
    assert refused_parameter(body, Dialect(structured=False, logprobs=True).parameters(ASK)) == "", "it was not sent"


@pytest.mark.parametrize("body", ABOUT_ELSE)
def test_other_errors_are_about_no_parameter(body: Any) -> None:
    assert refused_parameter(body, SENT) == ""


def test_an_error_without_an_end_is_read_in_part() -> None:
    nested: Any = "response_format"
    for _ in range(5_000):
        nested = [nested]
    assert refused_parameter(nested, Dialect(structured=False).parameters(ASK)) == ""
    assert refused_parameter("<" * 100_000, SENT) == "response_format"


TOO_OLD = openai_error(
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    param="max_tokens",
    code="unsupported_parameter",
)
NAMED = [
    ("logprobs", openai_error("You are not allowed to request logprobs from this model")),
    ("logprobs", openai_error("property 'logprobs' is unsupported")),
    ("logprobs", forbidden("logprobs")),
    ("logprobs", vllm_error("[{'type': 'extra_forbidden', 'loc': ('body', 'logprobs'), 'input': True}]")),
    (
        "temperature",
        openai_error(
            "Unsupported value: 'temperature' does not support 0.0 with this model. Only the default (1) is supported.",
            param="temperature",
            code="unsupported_value",
        ),
    ),
    ("temperature", {"error": "`temperature` must be strictly positive", "error_type": "validation"}),
    ("temperature", {"error": {"message": "`temperature` may only be set to 1 when thinking is enabled."}}),
    ("max_tokens", TOO_OLD),
    ("max_tokens", {"error": {"message": TOO_OLD["error"]["message"], "code": "invalid_request_body"}}),
    ("max_tokens", forbidden("max_tokens")),
]


@pytest.mark.parametrize(("parameter", "body"), NAMED)
def test_a_parameter_that_an_error_names_alone_is_what_it_is_about(parameter: str, body: Any) -> None:
    assert refused_parameter(body, SENT) == parameter


def test_a_limit_is_renamed_once_and_not_back_and_forth() -> None:
    newer = Dialect(limit_field="max_completion_tokens").parameters(ASK)
    unknown = openai_error("Unrecognized request argument supplied: max_completion_tokens")
    assert refused_parameter(unknown, newer) == "max_completion_tokens"
    assert refused_parameter(unknown, newer, before=("max_tokens",)) == ""


@pytest.fixture
async def server() -> AsyncIterator[ChatServer]:
    with chat_server("scripted") as running:
        yield running


def over(chat: Chat, *, tries: int = 1) -> ModelTier:
    return replace(tier(Scripted("")), model="scripted", deployments=[Deployment(chat, name="a")], tries=tries)


async def ask(own: ModelTier, request: ChatRequest = ASK) -> Trace:
    trace = Trace(started_s=perf_counter(), deadline_s=5)
    await own.ask(request, trace, purpose="draft")
    return trace


@pytest.fixture
async def chat(server: ChatServer) -> AsyncIterator[OpenAIChat]:
    made = OpenAIChat(url=server.url, model="scripted", dialect=EVERYTHING, settings="TIRTHA_LOCAL_")
    yield made
    await made.close()


@pytest.mark.parametrize("code", [400, 422])
@pytest.mark.parametrize(
    ("parameter", "body", "setting"),
    [
        ("response_format", ABOUT_SCHEMA[0], "TIRTHA_LOCAL_STRUCTURED=false"),
        ("response_format", ABOUT_SCHEMA[-2], "TIRTHA_LOCAL_STRUCTURED=false"),
        ("response_format", "", "TIRTHA_LOCAL_STRUCTURED=false"),
        ("response_format", SAYING_NOTHING[2], "TIRTHA_LOCAL_STRUCTURED=false"),
        ("logprobs", NAMED[0][1], "TIRTHA_LOCAL_LOGPROBS=false"),
        ("temperature", NAMED[4][1], "TIRTHA_LOCAL_TEMPERATURE=false"),
        ("max_tokens", TOO_OLD, "TIRTHA_LOCAL_LIMIT_FIELD=max_completion_tokens"),
    ],
)
async def test_what_is_refused_is_left_out_from_then_on_and_told_once(
    server: ChatServer,
    chat: OpenAIChat,
    caplog: pytest.LogCaptureFixture,
    code: int,
    parameter: str,
    body: Any,
    setting: str,
) -> None:
    server.script = picky({parameter: error(code, body)}, lambda request: PARIS)
    own = over(chat)
    with caplog.at_level(logging.WARNING):
        first, second = await ask(own), await ask(own)
    assert [call.fault for call in first.calls] == [
        f"parameter: the server answered {code}; it seems not to take {parameter}",
        "",
    ]
    assert [call.usage for call in first.calls] == [Usage(), Usage(prompt_tokens=100, completion_tokens=10)]
    assert [call.fault for call in second.calls] == [""]
    assert [parameter in request for request in server.requests] == [True, False, False]
    others = set(SENT) - {parameter}
    assert others <= server.requests[-1].keys(), "nothing else is left out"
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(told) == 1
    assert setting in told[0]
    if parameter == "max_tokens":
        assert server.requests[-1]["max_completion_tokens"] == 50


async def test_several_parameters_are_given_up_one_after_another(server: ChatServer, chat: OpenAIChat) -> None:
    server.script = picky(
        {
            "response_format": error(400, ""),
            "logprobs": error(400, NAMED[0][1]),
            "temperature": error(400, NAMED[4][1]),
            "max_tokens": error(400, TOO_OLD),
        },
        lambda request: PARIS,
    )
    own = over(chat)
    assert len((await ask(own)).calls) == 5
    assert len((await ask(own)).calls) == 1
    assert server.requests[-1].keys() == {"model", "messages", "max_completion_tokens"}


@pytest.mark.parametrize("body", ["", ABOUT_SCHEMA[0], ABOUT_SCHEMA[6]])
async def test_nothing_is_remembered_if_it_does_not_help(
    server: ChatServer, chat: OpenAIChat, caplog: pytest.LogCaptureFixture, body: Any
) -> None:
    server.script = lambda request: error(400, body)
    own, trace = over(chat, tries=3), Trace(started_s=perf_counter(), deadline_s=5)
    with pytest.raises(TierDown, match="refused"):
        await own.ask(ASK, trace, purpose="draft")
    assert ["response_format" in request for request in server.requests] == [True, False]
    assert len(trace.calls) == len(server.requests), "no call is hidden"
    assert not caplog.records
    server.script = lambda request: PARIS
    await ask(own)
    assert "response_format" in server.requests[-1]


@pytest.mark.parametrize(
    "reply", [error(400, ABOUT_ELSE[0]), error(400, ABOUT_ELSE[1]), status(400), error(404, ""), error(401, "")]
)
async def test_other_refusals_are_not_tried_again(server: ChatServer, chat: OpenAIChat, reply: Reply) -> None:
    server.script = lambda request: reply
    with pytest.raises(TierDown):
        await ask(over(chat, tries=3))
    assert len(server.requests) == 1


async def test_a_request_without_a_schema_has_none_to_leave_out(server: ChatServer, chat: OpenAIChat) -> None:
    server.script = lambda request: error(400, "")
    with pytest.raises(TierDown):
        await ask(over(chat), replace(ASK, schema=None))
    assert len(server.requests) == 1


async def test_each_server_has_its_own_dialect_and_its_breaker_stays_shut(server: ChatServer, chat: OpenAIChat) -> None:
    server.script = picky({"response_format": error(400, "")}, lambda request: PARIS)
    own = over(chat)
    await ask(own)
    assert own.deployments[0].breaker.opens_in_s() == 0
    other = OpenAIChat(url=server.url, model="scripted")
    assert len((await ask(over(other))).calls) == 2
    await other.close()


async def test_a_retry_ends_with_the_time_of_its_request(server: ChatServer, chat: OpenAIChat) -> None:
    server.script = picky(
        {"response_format": replace(error(400, ""), wait_s=0.3)}, lambda request: replace(PARIS, wait_s=3)
    )
    with pytest.raises(TierDown, match="timeout"):  # and no answer, which would come after 3 s
        await over(chat).ask(ASK, Trace(started_s=perf_counter(), deadline_s=0.8), purpose="draft")


def recorded(folder: Path) -> list[str]:
    [file] = folder.iterdir()
    return file.read_text("utf-8").splitlines()


async def test_a_refused_call_is_recorded_and_replayed(server: ChatServer, chat: OpenAIChat, tmp_path: Path) -> None:
    server.script = picky({"response_format": error(400, "")}, lambda request: PARIS)
    trace = await ask(over(RecordingChat(chat, model="scripted", folder=tmp_path)))
    recordings = read_recordings(recorded(tmp_path))
    again = DecisionChat(trace.calls, recordings, tier="local", model="scripted")
    replayed = await ask(over(again))
    assert [replace(call, latency_ms=0) for call in replayed.calls] == [replace(c, latency_ms=0) for c in trace.calls]
    assert again.exhausted


def test_older_recordings_are_read_by_the_same_key(tmp_path: Path) -> None:
    row = {
        "key": "k",
        "sample": 0,
        "model": "m",
        "request": {"messages": [{"role": "user", "content": "Where?"}], "max_tokens": 50},
        "completion": {"text": "x", "model": "m", "finish_reason": "stop", "usage": {"prompt_tokens": 1}},
        "latency_s": 0.1,
        "at": "2026-01-01T00:00:00Z",
    }
    [read] = read_recordings([json.dumps(row)]).values()
    assert (read.request.without, read.completion.usage.estimated) == ((), False)
