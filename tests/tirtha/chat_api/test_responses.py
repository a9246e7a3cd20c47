"""POST /v1/responses and what is stored of them; compaction. The shapes of each event are in test_open_responses."""

import json
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI

from tests.support.chat_server import ChatServer
from tests.support.chats import chat_reply, chats
from tests.tirtha.chat_api.conftest import Memories

SISTER = "My sister Ada lives in Bergen."
ASKED = "Where does my sister Ada live?"
TOOL = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}, "strict": False}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}


def ask(client: OpenAI, given: Any, **more: Any) -> Any:
    return client.responses.create(model="tirtha", input=given, **more)


def sent(model: ChatServer) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = model.requests[-1]["messages"]
    return messages


def test_a_second_session_knows_what_a_first_one_heard(client: OpenAI, model: ChatServer) -> None:
    model.script = chats("Nice.", "Your sister lives in Bergen.")
    ask(client, SISTER)
    answer = ask(client, ASKED)
    assert answer.output_text == "Your sister lives in Bergen."
    assert SISTER in sent(model)[-1]["content"]
    assert answer.model_extra["tirtha"]["verified"] is True


def test_a_response_goes_on_from_another_by_its_id(client: OpenAI, model: ChatServer, memories: Memories) -> None:
    model.script = chats("Noted.", "Miso.", "Yes.")
    first = ask(client, "My cat is called Miso.", instructions="Be brief.")
    second = ask(client, "What is the cat called?", previous_response_id=first.id)
    assert [message["content"] for message in sent(model)] == [
        "My cat is called Miso.",
        "Noted.",
        "What is the cat called?",
    ]
    assert second.previous_response_id == first.id
    ask(client, "Sure?", previous_response_id=second.id)
    assert len(sent(model)) == 5
    assert [role for role, _, _ in memories.turns()] == ["user", "assistant"] * 3


def test_one_may_go_on_twice_from_the_same_response(client: OpenAI, model: ChatServer) -> None:
    model.script = chats("Noted.", "One.", "Two.")
    first = ask(client, "Let us count.")
    ask(client, "First way.", previous_response_id=first.id)
    ask(client, "Second way.", previous_response_id=first.id)
    assert [message["content"] for message in sent(model)] == ["Let us count.", "Noted.", "Second way."]


def test_a_conversation_goes_on_by_its_name(client: OpenAI, model: ChatServer, user: str) -> None:
    model.script = chats("Noted.", "Miso.")
    ask(client, "My cat is called Miso.", conversation=f"c-{user}")
    answer = ask(client, "What is it called?", conversation={"id": f"c-{user}"})
    assert len(sent(model)) == 3
    assert answer.conversation.id == f"c-{user}"


def test_who_names_no_one_goes_on_as_the_user_of_the_response(
    tirtha_url: str, model: ChatServer, memories: Memories, user: str
) -> None:
    model.script = chats("Noted.", "Yes.")
    with OpenAI(base_url=f"{tirtha_url}/v1", api_key="none", max_retries=0) as unnamed:
        first = ask(unnamed, "My cat is called Miso.", user=user)
        ask(unnamed, "She is four.", previous_response_id=first.id)
    assert memories.said() == ["My cat is called Miso.", "She is four."]


def test_a_response_of_another_user_does_not_exist(client: OpenAI, model: ChatServer) -> None:
    model.script = chats("Noted.")
    first = ask(client, "My cat is called Miso.")
    with pytest.raises(openai.NotFoundError):
        ask(client, "And?", previous_response_id=first.id, extra_headers={"x-tirtha-user": "somebody-else"})
    for unknown in ("resp_0123", "other"):
        with pytest.raises(openai.NotFoundError):
            ask(client, "And?", previous_response_id=unknown)


def test_a_stored_response_is_read_and_removed(client: OpenAI, model: ChatServer) -> None:
    model.script = chats("Noted.")
    first = ask(client, "My cat is called Miso.")
    assert client.responses.retrieve(first.id).output_text == "Noted."
    client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)
    unstored = ask(client, "My dog is called Rex.", store=False)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(unstored.id)


def test_a_streamed_response_is_stored_too(client: OpenAI, model: ChatServer) -> None:
    model.script = chats("Noted and kept.")
    events = list(ask(client, "My cat is called Miso.", stream=True))
    last = events[-1].response
    assert last.model_extra["tirtha"]["decision_id"]
    assert client.responses.retrieve(last.id).output_text == "Noted and kept."


@pytest.mark.parametrize("what", ["user", "session", "turn"])
def test_what_is_forgotten_is_gone_from_stored_responses(
    client: OpenAI, model: ChatServer, tirtha_url: str, user: str, what: str
) -> None:
    model.script = chats("Noted.")
    first = ask(client, "My cat is called Miso.")
    session = first.model_extra["tirtha"]["session_id"]
    turns = httpx.get(f"{tirtha_url}/v1/memories", params={"user_id": user}, timeout=60).json()["turns"]
    named = {"user": {}, "session": {"session_id": session}, "turn": {"session_id": session, "turn_id": turns[0]["id"]}}
    answer = httpx.post(f"{tirtha_url}/v1/forget", json={"user_id": user, **named[what]}, timeout=60)
    assert answer.status_code == 200, answer.text
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)


def test_tools_are_called_and_their_results_come_back(client: OpenAI, model: ChatServer, memories: Memories) -> None:
    def script(request: dict[str, Any]) -> Any:
        done = request["messages"][-1]["role"] == "tool"
        return chat_reply(request, "It rains in Oslo.") if done else chat_reply(request, "", calls=[CALL])

    model.script = script
    first = ask(client, "How is the weather in Oslo?", tools=[TOOL])
    [call] = first.output
    assert (call.type, call.name, json.loads(call.arguments)) == ("function_call", "weather", {"city": "Oslo"})
    assert model.requests[-1]["tools"] == [
        {"type": "function", "function": {name: value for name, value in TOOL.items() if name != "type"}}
    ]
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "rain"}
    answer = ask(client, [output], previous_response_id=first.id, tools=[TOOL])
    assert answer.output_text == "It rains in Oslo."
    assert [message["role"] for message in sent(model)] == ["user", "assistant", "tool"]
    assert sent(model)[1]["tool_calls"][0]["id"] == sent(model)[2]["tool_call_id"] == "call_1"
    assert [role for role, _, _ in memories.turns()] == ["user", "assistant", "tool", "assistant"]


def test_a_conversation_that_is_sent_whole_is_remembered_once(
    client: OpenAI, model: ChatServer, memories: Memories
) -> None:
    model.script = chats("One.", "Two.")
    first = ask(client, [{"role": "user", "content": "I have a dog."}], store=False)
    whole = [
        {"role": "user", "content": "I have a dog."},
        *[item.model_dump(exclude_none=True) for item in first.output],
        {"role": "user", "content": "I have a cat."},
    ]
    ask(client, whole, store=False)
    assert memories.said() == ["I have a dog.", "I have a cat."]


def test_schemas_are_written_for_a_model_that_speaks_chat(client: OpenAI, model: ChatServer) -> None:
    model.script = chats("{}")
    form = {"type": "json_schema", "name": "a", "schema": {"type": "object"}, "strict": True}
    ask(client, "Hi.", text={"format": form}, max_output_tokens=50, extra_body={"min_p": 0.1})
    request = model.requests[-1]
    assert request["response_format"]["json_schema"] == {"name": "a", "schema": {"type": "object"}, "strict": True}
    assert (request["max_tokens"], request["min_p"]) == (50, 0.1)
    assert not {"input", "text", "store", "tirtha"} & request.keys()


@pytest.mark.parametrize(
    ("given", "at"),
    [
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"background": True}, "background"),
        ({"input": [{"type": "alien"}]}, "input[0].type"),
        ({"input": None}, "input"),
    ],
)
def test_what_cannot_be_done_is_refused(client: OpenAI, given: dict[str, Any], at: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(**({"model": "tirtha", "input": "Hi."} | given))
    assert refused.value.param == at


def test_compaction_keeps_the_last_turns_and_gives_evidence_of_the_others(
    client: OpenAI, model: ChatServer, memories: Memories
) -> None:
    talk = [{"role": "user", "content": SISTER}, {"role": "assistant", "content": "I see."}]
    for place in range(10):
        words = f"Item {place}: " + "some words about nothing much " * 15
        talk += [{"role": "user", "content": words}, {"role": "assistant", "content": "I see."}]
    talk = [{"role": "developer", "content": "Be brief."}, *talk, {"role": "user", "content": ASKED}]
    compacted = client.responses.compact(model="tirtha", input=talk, extra_body={"tirtha": {"window": 600}})  # type: ignore[arg-type]
    kinds = [item.type for item in compacted.output]
    assert compacted.object == "response.compaction"
    assert kinds.count("compaction") == 1
    assert len(kinds) < len(talk)
    first, *_, last = compacted.output
    assert first.role == "developer"  # type: ignore[union-attr]
    assert last.content[0].text == ASKED  # type: ignore[union-attr, index]
    assert len(memories.turns()) == len(talk) - 1
    model.script = chats("In Bergen.")
    items = [item.model_dump(exclude_none=True, warnings=False) for item in compacted.output]
    ask(client, items)
    assert any(SISTER in str(message["content"]) for message in sent(model))
    assert len(memories.turns()) == len(talk), "nothing was remembered twice"


def test_compaction_keeps_calls_with_their_results(client: OpenAI) -> None:
    talk: list[dict[str, Any]] = []
    for place in range(8):
        talk += [
            {"role": "user", "content": f"Question {place}: " + "what about it " * 20},
            {"type": "function_call", "call_id": f"call_{place}", "name": "look", "arguments": "{}"},
            {"type": "function_call_output", "call_id": f"call_{place}", "output": "something"},
            {"role": "assistant", "content": "That."},
        ]
    compacted = client.responses.compact(model="tirtha", input=talk, extra_body={"tirtha": {"window": 300}})  # type: ignore[arg-type]
    calls = {item.call_id for item in compacted.output if item.type == "function_call"}
    results = {item.call_id for item in compacted.output if item.type == "function_call_output"}
    assert calls == results != set()


def test_a_short_conversation_is_not_compacted(client: OpenAI) -> None:
    compacted = client.responses.compact(model="tirtha", input="Hello.")
    assert [item.type for item in compacted.output] == ["message"]


def test_a_threshold_compacts_what_the_model_is_sent(client: OpenAI, model: ChatServer) -> None:
    model.script = chats("I see.")
    previous: str | None = None
    for place in range(8):
        text = SISTER if place == 0 else f"Item {place}: " + "some words about nothing much " * 15
        previous = ask(client, text, previous_response_id=previous).id
    management = [{"type": "compaction", "compact_threshold": 500}]
    ask(client, ASKED, previous_response_id=previous, context_management=management)
    assert len(sent(model)) < 12
    assert SISTER in sent(model)[-1]["content"]


def test_an_item_of_compaction_that_was_written_elsewhere_is_refused(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError):
        ask(
            client, [{"type": "compaction", "id": "x", "encrypted_content": "gAAAA"}, {"role": "user", "content": "Hi"}]
        )
