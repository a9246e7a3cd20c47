"""By what names a server may answer for the model that was asked for."""

from collections.abc import AsyncIterator
from dataclasses import replace
from time import perf_counter

import pytest

from cascade.call_trace import Trace
from cascade.guards.form import finish_fault
from cascade.model import ChatRequest, Draft, Message
from cascade.tiers.deployment import Deployment, OpenAIChat
from cascade.tiers.names import same_model
from tests.support.chat_server import ChatServer, chat_server, says
from tests.support.tiers import Scripted, tier

ASK = ChatRequest(messages=(Message(role="user", content="Where?"),), max_tokens=50)


@pytest.mark.parametrize(
    ("asked", "answered", "same"),
    [
        ("openai/gpt-oss-120b", "gpt-oss-120b", True),
        ("gpt-oss-120b", "openai/GPT-OSS-120B", True),
        ("gpt-4o", "gpt-4o-2024-08-06", True),
        ("gpt-4o", "openai/gpt-4o-20240806", True),
        ("mistral", "mistral-2024-08", True),
        ("gpt-oss", "gpt-oss-20b", False),
        ("gpt-oss", "gpt-oss-2024b", False),
        ("gpt-4o", "gpt-4o-mini-2024-07-18", False),
        ("gpt-4o-2024-08-06", "gpt-4o", False),
        ("qwen", "/models/qwen.gguf", False),
        ("gpt-oss-120b", "default", False),
        ("base", "my-lora", False),
    ],
)
def test_owners_and_dates_of_release_do_not_matter(asked: str, answered: str, same: bool) -> None:
    assert same_model(asked, answered) == same


@pytest.fixture
async def server() -> AsyncIterator[ChatServer]:
    with chat_server("scripted") as running:
        yield running


@pytest.mark.parametrize(
    ("answered", "passes"),
    [
        ("local", True),
        ("", True),
        (None, True),
        (7, True),
        ("default", True),
        ("/models/qwen.gguf", True),
        ("qwen.gguf", True),
        ("my-lora", True),
        ("azure/my-lora-2026-01-02", True),
        ("another", False),
    ],
)
async def test_accepted_names_are_the_models_own(server: ChatServer, answered: str, passes: bool) -> None:
    server.script = lambda request: says("Paris", model=answered)
    chat = OpenAIChat(url=server.url, model="local")
    accepted = ("default", "/models/qwen.gguf", "my-lora")
    own = replace(tier(Scripted("")), deployments=[Deployment(chat, name="a")], accepted=accepted)
    trace = Trace(started_s=perf_counter(), deadline_s=5)
    completion = await own.ask(ASK, trace, purpose="draft")
    await chat.close()
    draft = Draft(answer="Paris", citations=(), returned_model=completion.model, finish_reason=completion.finish_reason)
    assert (finish_fault(draft, own.model) == "") == passes
    if isinstance(answered, str) and answered:
        assert trace.calls[0].model == answered, "the record says what the server called it"


def test_a_wrong_name_is_told_with_the_setting_that_mends_it() -> None:
    draft = Draft(answer="Paris", citations=(), returned_model="default")
    fault = finish_fault(draft, "gpt-oss-120b")
    assert "'gpt-oss-120b' was asked and 'default' answered" in fault
    assert "accepted_models" in fault


def test_accepted_names_are_part_of_what_answers_depend_on() -> None:
    own = tier(Scripted(""))
    assert replace(own, accepted=("default",)).described != own.described
    assert own.described == "local local, 100 tokens, at 0.5 / 1.5 US$ a million tokens"
