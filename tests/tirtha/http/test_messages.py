"""Messages of the OpenAI API are turns: the words are kept, bytes never, and what is no message is named by its place."""

import json
from typing import Any

import httpx
import pytest
from openai.types.chat import ChatCompletionMessage
from openai.types.chat.chat_completion_audio import ChatCompletionAudio
from openai.types.chat.chat_completion_message import Annotation, AnnotationURLCitation, FunctionCall
from openai.types.chat.chat_completion_message_custom_tool_call import ChatCompletionMessageCustomToolCall, Custom
from openai.types.chat.chat_completion_message_function_tool_call import (
    ChatCompletionMessageFunctionToolCall,
    Function,
)
from openai.types.responses import ResponseOutputMessage, ResponseOutputRefusal, ResponseOutputText

from memory import NewTurn
from tirtha.http.schemas.messages import TurnIn

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ" * 100
ARGUMENTS = '{"city": "Oslo",\n "days":3}'
CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": ARGUMENTS}}
CUSTOM_CALL = {"id": "call_2", "type": "custom", "custom": {"name": "sh", "input": "ls"}}


def turn_of(**message: Any) -> NewTurn:
    return TurnIn.model_validate({"role": "user"} | message).turn()


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": "  My sister lives in Porto.\n"}, "  My sister lives in Porto.\n"),
        ({"content": [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]}, "One.\nTwo."),
        ({"content": [{"type": "input_text", "text": "Said."}]}, "Said."),
        (
            {
                "content": [
                    {"type": "text", "text": "Look:"},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}", "detail": "low"}},
                ]
            },
            "Look:\n[image]",
        ),
        ({"content": [{"type": "input_image", "image_url": f"data:;base64,{PIXEL}", "detail": "auto"}]}, "[image]"),
        ({"content": [{"type": "input_image", "file_id": "file-1", "image_url": None}]}, "[image]"),
        ({"content": [{"type": "input_audio", "input_audio": {"data": PIXEL, "format": "wav"}}]}, "[audio]"),
        ({"content": [{"type": "file", "file": {"filename": "a b.pdf", "file_data": PIXEL}}]}, "[file: a b.pdf]"),
        ({"content": [{"type": "file", "file": {"file_id": "file-9"}}]}, "[file: file-9]"),
        ({"content": [{"type": "file", "file": {"file_data": PIXEL}}]}, "[file]"),
        ({"content": [{"type": "input_file", "filename": "two\nlines.txt", "file_data": PIXEL}]}, "[file: two lines.txt]"),
        ({"role": "assistant", "content": [{"type": "refusal", "refusal": "I cannot."}]}, "I cannot."),
        ({"role": "assistant", "content": None, "refusal": "I cannot."}, "I cannot."),
        ({"role": "assistant", "tool_calls": [CALL]}, f"[tool call: get_weather({ARGUMENTS})]"),
        (
            {"role": "assistant", "content": "Let me look.", "tool_calls": [CALL, CALL]},
            f"Let me look.\n[tool call: get_weather({ARGUMENTS})]\n[tool call: get_weather({ARGUMENTS})]",
        ),
        (
            {"role": "assistant", "content": "", "function_call": {"name": "now", "arguments": "{}"}},
            "[tool call: now({})]",
        ),
        ({"role": "assistant", "content": [], "tool_calls": [CUSTOM_CALL]}, "[tool call: sh(ls)]"),
        ({"role": "assistant", "content": None, "audio": {"id": "audio_1"}}, "[audio]"),
        ({"role": "assistant", "audio": {"id": "a", "transcript": "Spoken.", "data": PIXEL, "expires_at": 1}}, "Spoken."),
        ({"role": "tool", "tool_call_id": "call_1", "content": "12 degrees"}, "12 degrees"),
        ({"role": "assistant", "text": "Wait.", "tool_calls": [CALL]}, f"Wait.\n[tool call: get_weather({ARGUMENTS})]"),
        ({"text": "Ours.", "content": None, "name": None, "tool_calls": None}, "Ours."),
    ],
)  # fmt: skip
def test_the_words_of_a_message_are_the_turns_text(message: dict[str, Any], text: str) -> None:
    assert turn_of(**message).text == text


def test_roles_and_names_of_messages() -> None:
    assert turn_of(role="developer", content="Be brief.").role == "system"
    result = turn_of(role="function", name="get_weather", content="12 degrees")
    assert (result.role, result.speaker) == ("tool", "get_weather")
    assert turn_of(name="Caroline", content="Hello.").speaker == "Caroline"


def test_what_the_sdk_gives_back_is_accepted_as_it_dumps_it() -> None:
    citation = AnnotationURLCitation(start_index=0, end_index=4, title="t", url="https://example.org")
    message = ChatCompletionMessage(
        role="assistant",
        content="Answer.",
        annotations=[Annotation(type="url_citation", url_citation=citation)],
        audio=ChatCompletionAudio(id="a", data=PIXEL, expires_at=1, transcript="Spoken."),
        function_call=FunctionCall(name="old", arguments="{}"),
        tool_calls=[
            ChatCompletionMessageFunctionToolCall(id="1", type="function", function=Function(name="f", arguments="{}")),
            ChatCompletionMessageCustomToolCall(id="2", type="custom", custom=Custom(name="g", input="x")),
        ],
    )
    expected = "Answer.\nSpoken.\n[tool call: old({})]\n[tool call: f({})]\n[tool call: g(x)]"
    for dumped in (message.model_dump(), json.loads(message.model_dump_json(exclude_none=True))):
        assert turn_of(**dumped).text == expected
    assert turn_of(**ChatCompletionMessage(role="assistant", content="Hi.").model_dump()).text == "Hi."
    reply = ResponseOutputMessage(
        id="msg_1",
        role="assistant",
        status="completed",
        type="message",
        content=[
            ResponseOutputText(type="output_text", text="Said.", annotations=[], logprobs=[]),
            ResponseOutputRefusal(type="refusal", refusal="No more."),
        ],
    )
    turn = turn_of(**reply.model_dump())
    assert (turn.id, turn.text) == ("msg_1", "Said.\nNo more.")


NO_MESSAGES: list[tuple[dict[str, Any], str, str]] = [
    ({"text": "a", "content": "b"}, "text", "content"),
    ({"text": "a", "content": "a"}, "text", "content"),
    ({"speaker": "A", "name": "B", "content": "b"}, "name", "speaker"),
    ({}, "text", "required"),
    ({"text": None}, "text", "required"),
    ({"content": None}, "text", "required"),
    ({"content": " \u200b"}, "content", "blank"),
    ({"content": []}, "content", "blank"),
    ({"content": [{"type": "text", "text": " "}]}, "content", "blank"),
    ({"content": None, "tool_calls": []}, "text", "required"),
    ({"refusal": " "}, "text", "required"),
    ({"content": 5}, "content", "a string or a list of parts"),
    ({"content": {"type": "text", "text": "x"}}, "content", "a string or a list of parts"),
    ({"content": "a\x00b"}, "content", "NUL"),
    ({"content": "half \ud800 a pair"}, "content", "surrogate"),
    ({"content": ["a"]}, "content[0]", "object"),
    ({"content": [{"type": "text", "text": "a\x00b"}]}, "content[0].text", "NUL"),
    ({"content": [{"type": "text", "text": "a"}, {"type": "hologram", "text": "b"}]}, "content[1].type", "text"),
    ({"content": [{"text": "b"}]}, "content[0].type", "required"),
    ({"content": [{"type": "text", "txt": "b"}]}, "content[0].txt", "not a field"),
    ({"content": [{"type": "text"}]}, "content[0]", "needs text"),
    ({"content": [{"type": "image_url"}]}, "content[0]", "needs image_url"),
    ({"content": [{"type": "file", "file": {"file_name": "x"}}]}, "content[0].file.file_name", "not a field"),
    ({"content": "x", "tool_calls": [{"id": "1", "type": "function"}]}, "tool_calls[0]", "needs function"),
    ({"tool_calls": [{"function": {"name": "f"}}]}, "tool_calls[0].function.arguments", "required"),
    ({"tool_calls": [{"function": {"name": "f", "arguments": {}}}]}, "tool_calls[0].function.arguments", "string"),
    ({"content": "x", "contents": "y"}, "contents", "not a field"),
    ({"content": "x", "role": "robot"}, "role", ""),
    ({"content": "x", "name": "\u3164"}, "name", "blank"),
]


async def test_what_is_no_message_is_named_by_its_place(client: httpx.AsyncClient) -> None:
    for message, at, said in NO_MESSAGES:
        turns = [{"role": "user", "content": "fine"}, {"role": "user"} | message]
        body = json.dumps({"user_id": "u1", "session_id": "s1", "turns": turns})
        response = await client.post("/v1/remember", content=body, headers={"content-type": "application/json"})
        assert response.status_code == 422, message
        [fault] = response.json()["errors"]
        assert fault["at"] == f"turns[1].{at}"
        assert said in fault["why"]

        line = json.dumps({"user_id": "u1", "role": "user"} | message)
        bulk = await client.post("/v1/remember", content=line, headers={"content-type": "application/x-ndjson"})
        assert bulk.json()["rejected"] == [{"line": 1} | fault | {"at": at}]
        assert (await client.get("/readyz")).json()["turns"] == 0


async def test_a_conversation_sent_again_as_messages_or_as_turns_is_stored_once(client: httpx.AsyncClient) -> None:
    messages: list[dict[str, Any]] = [
        {"role": "user", "name": "Caroline", "content": [{"type": "text", "text": "What is the weather in Oslo?"}]},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": "Rain, 12 degrees."},
        {"role": "assistant", "content": "It rains in Oslo, at 12 degrees."},
    ]
    body = {"user_id": "u1", "session_id": "s1", "turns": messages}
    first = (await client.post("/v1/remember", json=body)).json()
    assert [turn["stored"] for turn in first["turns"]] == [True] * 4
    ours = [
        {"role": "user", "speaker": "Caroline", "text": "What is the weather in Oslo?"},
        {"role": "assistant", "text": f"[tool call: get_weather({ARGUMENTS})]"},
        {"role": "tool", "text": "Rain, 12 degrees."},
        {"role": "assistant", "text": "It rains in Oslo, at 12 degrees."},
    ]
    for turns in (messages, ours):
        again = (await client.post("/v1/remember", json=body | {"turns": turns})).json()
        assert [turn["stored"] for turn in again["turns"]] == [False] * 4
        assert [turn["id"] for turn in again["turns"]] == [turn["id"] for turn in first["turns"]]
    lines = "\n".join(json.dumps({"user_id": "u1", "session_id": "s1"} | one) for one in messages)
    bulk = await client.post("/v1/remember", content=lines, headers={"content-type": "application/jsonl"})
    assert (bulk.json()["duplicates"], bulk.json()["stored"]) == (4, 0)


async def test_limits_count_what_is_stored(client: httpx.AsyncClient) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 3_000_000}}
    fits = {"role": "user", "content": [{"type": "text", "text": "x" * 99_992}, image]}
    stored = await client.post("/v1/remember", json={"user_id": "u1", "turns": [fits]})
    assert stored.status_code == 201, "99,992 characters, a line break and [image] are 100,000"
    long = {"role": "user", "content": [{"type": "text", "text": "x" * 99_993}, image]}
    response = await client.post("/v1/remember", json={"user_id": "u1", "turns": [{"role": "user", "text": "x"}, long]})
    assert response.status_code == 413
    assert response.json()["errors"][0]["at"] == "turns[1].content"
    assert response.json()["detail"] == "the turn's text has 100,001 characters; at most 100,000 are allowed"
    lines = "\n".join(json.dumps({"user_id": "u2", "session_id": "s"} | one) for one in (fits, long))
    bulk = (await client.post("/v1/remember", content=lines, headers={"content-type": "application/x-ndjson"})).json()
    assert bulk["stored"] == 1
    assert bulk["rejected"] == [{"line": 2, "at": "content", "why": response.json()["detail"]}]
