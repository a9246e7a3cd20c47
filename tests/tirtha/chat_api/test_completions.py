"""POST /v1/chat/completions, as the OpenAI package calls it: what reaches the model, what comes back, and what goes wrong."""

import json
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI

from tests.support.chat_server import ChatServer, error, status
from tests.support.chats import chat_reply, chats
from tests.tirtha.chat_api.conftest import Memories
from tests.tirtha.chat_api.conversations import ASKED, SISTER, ask, prompt, says, stream, told

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}


def test_what_a_user_wants_always_comes_to_his_next_request_for_work(client: OpenAI, model: ChatServer) -> None:
    rule = "Always show types when I write Python."
    model.script = chats("I will.")
    ask(client, rule)
    model.script = chats("def parse(text: str) -> date: ...")
    ask(client, "Write a function that parses dates.")
    assert rule in prompt(model)


def test_a_second_session_knows_what_a_first_one_told(client: OpenAI, model: ChatServer) -> None:
    model.script = chats("Nice.")
    ask(client, SISTER)
    model.script = chats("Your sister lives in Bergen.")
    raw = client.chat.completions.with_raw_response.create(model="tirtha", messages=[says("user", ASKED)])  # type: ignore[list-item]
    block = told(raw.parse())
    assert SISTER in prompt(model)
    assert prompt(model).endswith(ASKED)
    assert block["verified"] is True
    assert [one["quote"] for one in block["citations"]] == [SISTER]
    assert block["memory"] == "added"
    assert 0 < block["tokens_added"] <= 165
    assert block["cost_usd"] == "0.000120"
    assert raw.headers["x-tirtha-decision-id"] == block["decision_id"]
    assert raw.headers["x-tirtha-verified"] == "true"
    assert raw.headers["x-tirtha-session"] == block["session_id"]


def test_another_user_is_told_nothing(client: OpenAI, model: ChatServer) -> None:
    model.script = chats("Nice.")
    ask(client, SISTER)
    answer = ask(client, ASKED, extra_headers={"x-tirtha-user": "somebody-else"})
    assert told(answer)["memory"] == "empty"
    assert prompt(model) == ASKED


def test_a_chat_without_memories_costs_no_token(client: OpenAI, model: ChatServer) -> None:
    model.script = chats("Hello.")
    answer = ask(client, "Hello there!")
    assert told(answer)["tokens_added"] == 0
    assert model.requests[-1]["messages"] == [says("user", "Hello there!")]


def test_what_the_conversation_holds_itself_is_not_added(client: OpenAI, model: ChatServer) -> None:
    model.script = chats("Nice.")
    ask(client, SISTER)
    ask(client, SISTER, "Nice.", ASKED)
    assert prompt(model) == ASKED


def test_a_wrong_answer_is_repaired_before_it_is_shown(client: OpenAI, model: ChatServer, memories: Memories) -> None:
    memories.remember(SISTER)
    model.script = chats("Your sister lives in Oslo.", "Your sister lives in Bergen.")
    answer = ask(client, ASKED)
    assert answer.choices[0].message.content == "Your sister lives in Bergen."
    assert (told(answer)["path"], told(answer)["verified"]) == ("local_repaired", True)
    assert model.requests[-1]["messages"][-2] == says("assistant", "Your sister lives in Oslo.")


def test_an_answer_that_stays_wrong_is_marked_and_never_evidence(
    client: OpenAI, model: ChatServer, memories: Memories
) -> None:
    memories.remember(SISTER)
    model.script = chats("Your sister lives in Oslo.", "Your sister lives in Oslo.", "In Bergen.")
    answer = ask(client, ASKED)
    assert told(answer)["verified"] is False
    assert "Oslo" in told(answer)["reason"]
    assert ("assistant", "Your sister lives in Oslo.", "unchecked") in memories.turns()
    ask(client, "In which city does Ada live?")
    assert "Oslo" not in prompt(model)


def test_what_a_model_adds_of_its_own_to_a_verified_answer_is_no_evidence(
    client: OpenAI, model: ChatServer, memories: Memories
) -> None:
    memories.remember(SISTER)
    said = "Your sister lives in Bergen. Harbours smell of tar."
    model.script = chats(said, "Your sister lives in Bergen.")
    assert told(ask(client, ASKED))["verified"] is True
    assert ("assistant", said, "unchecked") in memories.turns()
    assert told(ask(client, "In which town does Ada live?"))["verified"] is True
    assert ("assistant", "Your sister lives in Bergen.", None) in memories.turns()


def test_a_stream_is_passed_on_as_it_comes_and_says_at_its_end_what_became_of_it(
    client: OpenAI, model: ChatServer, memories: Memories
) -> None:
    memories.remember(SISTER)
    model.script = chats("Your sister lives in Oslo.")
    chunks = stream(client, ASKED, stream_options={"include_usage": True})
    assert (
        "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        == "Your sister lives in Oslo."
    )
    assert len(chunks) > 4
    assert chunks[-1].usage.total_tokens == 110
    assert told(chunks[-1])["verified"] is False
    assert all("tirtha" not in (chunk.model_extra or {}) for chunk in chunks[:-1])
    assert len({chunk.id for chunk in chunks}) == 1
    assert ("assistant", "Your sister lives in Oslo.", "unchecked") in memories.turns()


def test_usage_is_only_sent_to_those_who_ask(client: OpenAI, model: ChatServer) -> None:
    model.script = chats("Hello.")
    chunks = stream(client, "Hi.")
    assert all(chunk.usage is None for chunk in chunks)
    assert told(chunks[-1])["cost_usd"] == "0.000120"
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_ids_are_unique(client: OpenAI, model: ChatServer) -> None:
    model.script = chats("Hello.")
    assert len({ask(client, "Hi.").id for _ in range(3)}) == 3


def test_tools_go_through_untouched_and_their_calls_are_remembered(
    client: OpenAI, model: ChatServer, memories: Memories
) -> None:
    def script(request: dict[str, Any]) -> Any:
        done = request["messages"][-1]["role"] == "tool"
        return chat_reply(request, "It rains in Oslo.") if done else chat_reply(request, "", calls=[CALL])

    model.script = script
    first = ask(client, "How is the weather in Oslo?", tools=[TOOL])
    call = first.choices[0].message.tool_calls[0]
    assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"city": "Oslo"})
    assert told(first)["verified"] is None
    assert model.requests[-1]["tools"] == [TOOL]
    conversation = [
        says("user", "How is the weather in Oslo?"),
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
    ]
    answer = ask(client, *conversation, tools=[TOOL])
    assert answer.choices[0].message.content == "It rains in Oslo."
    assert [role for role, _, _ in memories.turns()] == ["user", "assistant", "tool", "assistant"]
    assert memories.turns()[1][1] == '[tool call: weather({"city": "Oslo"})]'


def test_calls_of_tools_stream(client: OpenAI, model: ChatServer) -> None:
    model.script = lambda request: chat_reply(request, "", calls=[CALL])
    chunks = stream(client, "How is the weather?", tools=[TOOL])
    deltas = [call for chunk in chunks if chunk.choices for call in chunk.choices[0].delta.tool_calls or ()]
    assert "".join(call.function.arguments or "" for call in deltas) == CALL["function"]["arguments"]  # type: ignore[index]
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


def test_what_is_not_known_is_passed_on(client: OpenAI, model: ChatServer) -> None:
    model.script = chats("Hello.")
    schema = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}
    ask(client, "Hi.", seed=7, logprobs=True, n=1, response_format=schema, extra_body={"min_p": 0.1})
    sent = model.requests[-1]
    assert (sent["seed"], sent["logprobs"], sent["n"], sent["min_p"]) == (7, True, 1, 0.1)
    assert sent["response_format"] == schema
    assert "tirtha" not in sent
    assert sent["model"] == "small"


def test_notes_stand_before_the_parts_of_a_message(client: OpenAI, model: ChatServer, memories: Memories) -> None:
    memories.remember(SISTER)
    model.script = chats("In Bergen.")
    ask(client, {"role": "user", "content": [{"type": "text", "text": ASKED}]})
    first, second = model.requests[-1]["messages"][-1]["content"]
    assert SISTER in first["text"]
    assert second == {"type": "text", "text": ASKED}


def test_a_window_holds_the_last_turns_and_notes_of_the_others(
    client: OpenAI, model: ChatServer, memories: Memories
) -> None:
    model.script = chats("I see.")
    conversation: list[str] = []
    for place in range(12):
        told_now = SISTER if place == 0 else f"Item {place}: " + "some words about nothing much " * 12
        ask(client, *conversation, told_now)
        conversation += [told_now, "I see."]
    answer = ask(client, *conversation, ASKED, extra_body={"tirtha": {"window": 600}})
    sent = model.requests[-1]["messages"]
    assert len(sent) < len(conversation)
    assert SISTER in sent[-1]["content"]
    assert told(answer)["tokens_saved"] > 0
    assert len(memories.said()) == 13


def test_a_conversation_that_cannot_fit_is_told_so(client: OpenAI, model: ChatServer) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        ask(client, "word " * 3_000, extra_body={"tirtha": {"window": 600}})
    assert refused.value.code == "context_length_exceeded"


@pytest.mark.parametrize(
    ("sent", "code", "at"),
    [
        ({"model": "gpt-unknown", "messages": [says("user", "Hi")]}, 404, "model"),
        ({"model": "tirtha", "messages": []}, 400, "messages"),
        ({"model": "tirtha", "messages": [says("alien", "Hi")]}, 400, "messages[0].role"),
        ({"model": "tirtha", "messages": [says("user", "Hi")], "tirtha": {"bugdet": 9}}, 400, "tirtha.bugdet"),
        ({"messages": [says("user", "Hi")]}, 400, "model"),
    ],
)
def test_errors_have_the_shape_of_the_openai_api(tirtha_url: str, sent: Any, code: int, at: str) -> None:
    answer = httpx.post(f"{tirtha_url}/v1/chat/completions", json=sent, timeout=60)
    assert answer.status_code == code, answer.text
    told_error = answer.json()["error"]
    assert told_error.keys() == {"message", "type", "param", "code"}
    assert told_error["param"] == at
    assert answer.headers["content-type"] == "application/json"


def test_what_the_model_refuses_is_told_in_its_own_words(client: OpenAI, model: ChatServer) -> None:
    model.script = lambda _: error(400, {"error": {"message": "temperature is too high", "param": "temperature"}})
    with pytest.raises(openai.BadRequestError, match="temperature is too high") as refused:
        ask(client, "Hi.", temperature=9)
    assert refused.value.param == "temperature"


@pytest.mark.parametrize("code", [401, 500, 503])
def test_a_model_that_is_down_is_told_without_its_words(client: OpenAI, model: ChatServer, code: int) -> None:
    model.script = lambda _: status(code)
    with pytest.raises(openai.InternalServerError) as down:
        ask(client, "Hi, are you there?")
    assert down.value.status_code == 503
    assert "scripted" not in str(down.value)


def test_a_stream_that_breaks_off_ends_with_an_error(client: OpenAI, model: ChatServer, memories: Memories) -> None:
    def script(request: dict[str, Any]) -> Any:
        reply = chat_reply(request, "one two three four five six")
        return type(reply)(body=reply.body, headers=reply.headers, sent=len(reply.body) // 2)

    model.script = script
    chunks = iter(ask(client, "Count to six.", stream=True))
    assert next(chunks).choices
    with pytest.raises(openai.APIError):
        list(chunks)
    assert [role for role, _, _ in memories.turns()] == ["user"]


def test_the_models_are_listed(client: OpenAI) -> None:
    assert [one.id for one in client.models.list()] == ["tirtha", "small"]
    assert client.models.retrieve("small").owned_by == "local"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("other")


def test_a_tier_may_be_named(client: OpenAI, model: ChatServer) -> None:
    model.script = chats("Hello.")
    assert told(ask(client, "Hi.", model="small"))["tier"] == "local"


@pytest.mark.slow
def test_a_stream_that_nobody_listens_to_gives_its_place_back(
    client: OpenAI, model: ChatServer, memories: Memories, tirtha_url: str, user: str
) -> None:
    model.script = chats("word " * 2_000)
    for _ in range(20):  # more than the tier answers at a time
        raw = client.chat.completions.with_streaming_response.create(
            model="tirtha", messages=[{"role": "user", "content": "Count to a thousand."}], stream=True
        )
        with raw as response:
            assert response.status_code == 200
    model.script = chats("Hello.")
    assert ask(client, "Are you there?").choices[0].message.content == "Hello."
    decisions = httpx.get(f"{tirtha_url}/v1/decisions", params={"user_id": user}, timeout=60).json()["decisions"]
    assert len(decisions) == 21
