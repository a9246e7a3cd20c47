"""A conversation in Anthropic's messages: its turns, where notes go, and what of it leaves a prompt that is too long."""

from typing import Any

import pytest

from tirtha.chat_api.messages.prompt import MessagesIn, MessagesPrompt, Passed
from tirtha.errors import BadChat
from tirtha.operations.chat.asked import Changes, Correction
from tirtha.operations.chat.notes import fenced

MARK = {"type": "ephemeral"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "4 degrees"}]}
REMINDER = {"type": "text", "text": "<system-reminder>\nThe list of tasks is empty.\n</system-reminder>"}
NOTES = fenced("[1] user: I live in Oslo.")


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content[0] if isinstance(content[0], str) else list(content)}


def assistant(*content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content[0] if isinstance(content[0], str) else list(content)}


def text(said: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": said, **more}


def prompt(*messages: dict[str, Any], claude_code: bool = False, **more: Any) -> MessagesPrompt:
    body = MessagesIn.model_validate({"model": "tirtha", "max_tokens": 50, "messages": list(messages), **more})
    return MessagesPrompt(body, Passed(headers={"anthropic-beta": "a,b"}, query={}, from_claude_code=claude_code))


def sent(of: MessagesPrompt, **changes: Any) -> list[dict[str, Any]]:
    messages = of.request("anthropic", Changes(**changes), stream=False).body["messages"]
    assert isinstance(messages, list)
    return messages


def turns(of: MessagesPrompt) -> list[tuple[str, str]]:
    return [(turn.role, turn.text) for turn in of.turns]


def test_turns_are_what_was_said_and_results_are_a_tools_words() -> None:
    of = prompt(
        user(text("What is this?"), {"type": "image", "source": {"type": "base64", "data": "AA=="}}),
        assistant({"type": "thinking", "thinking": "A cat?", "signature": "x"}, text("A cat."), CALL),
        user(RESULT),
        user(RESULT, text("And tomorrow?"), {"type": "document", "title": "Plan", "source": {}}),
    )
    assert turns(of) == [
        ("user", "What is this?\n[image]"),
        ("assistant", 'A cat.\n[tool call: weather({"city": "Oslo"})]'),
        ("tool", "4 degrees"),
        ("tool", "4 degrees"),
        ("user", "And tomorrow?\n[file: Plan]"),
    ]


def test_instructions_are_no_turns_and_count() -> None:
    of = prompt({"role": "system", "content": "Be brief."}, user("Hi"), system=[text("Be kind.", cache_control=MARK)])
    assert turns(of) == [("user", "Hi")]
    assert of.around_tokens() > prompt(user("Hi")).around_tokens()
    assert of.answer_tokens == 50


def test_a_request_goes_on_as_it_came() -> None:
    messages = [
        user(text("Look.", cache_control=MARK)),
        assistant({"type": "thinking", "thinking": "So.", "signature": "x"}, CALL),
        user({**RESULT, "cache_control": MARK}),
    ]
    of = prompt(
        *messages,
        system=[text("Be kind.", cache_control=MARK)],
        thinking={"type": "adaptive"},
        metadata={"user_id": "ann", "session_id": "s1"},
        user="ann",
        tirtha={"budget": 100},
    )
    request = of.request("anthropic", Changes(), stream=True)
    assert request.body == {
        "model": "tirtha",
        "max_tokens": 50,
        "messages": messages,
        "system": [text("Be kind.", cache_control=MARK)],
        "thinking": {"type": "adaptive"},
        "metadata": {"user_id": "ann"},
        "stream": True,
    }
    assert request.headers == {"anthropic-beta": "a,b"}


def test_notes_stand_in_front_of_the_users_last_words() -> None:
    assert sent(prompt(user("Where am I?")), notes=NOTES) == [user(f"{NOTES}Where am I?")]
    marked = text("Where am I?", cache_control=MARK)
    assert sent(prompt(user(marked)), notes=NOTES) == [user(text(NOTES.rstrip("\n")), marked)]


def test_notes_never_stand_among_results_nor_in_front_of_them() -> None:
    of = prompt(user("Is it cold?"), assistant(CALL), user(RESULT), system="Be kind.")
    assert sent(of, notes=NOTES) == [user(f"{NOTES}Is it cold?"), assistant(CALL), user(RESULT)]
    assert of.request("anthropic", Changes(notes=NOTES), stream=False).body["system"] == "Be kind."
    mixed = prompt(user("Hi"), assistant(CALL), user(RESULT, text("And tomorrow?")))
    assert sent(mixed, notes=NOTES)[-1] == user(RESULT, text(NOTES.rstrip("\n")), text("And tomorrow?"))


@pytest.mark.parametrize("content", [f"{NOTES}Where am I?", [text(NOTES.rstrip("\n")), text("Where am I?")]])
def test_notes_that_come_back_are_taken_out(content: Any) -> None:
    of = prompt({"role": "user", "content": content}, assistant("In Oslo."), user("Sure?"))
    assert turns(of)[0] == ("user", "Where am I?")
    assert "memory-" not in str(sent(of))


def test_turns_leave_from_the_front_and_a_result_goes_with_its_call() -> None:
    of = prompt(
        {"role": "system", "content": "Be brief."},
        user("Is it cold?"),
        assistant(CALL),
        user(RESULT, text("And tomorrow?")),
        assistant("Warmer."),
    )
    assert [turn.role for turn in of.turns] == ["user", "assistant", "tool", "user", "assistant"]
    system = {"role": "system", "content": "Be brief."}
    assert sent(of, first=3) == [system, user(text("And tomorrow?")), assistant("Warmer.")]
    assert sent(of, first=2)[1] == user(RESULT, text("And tomorrow?"))
    with_notes = sent(of, first=3, notes=NOTES)
    assert with_notes[1] == user(text(NOTES.rstrip("\n")), text("And tomorrow?"))


def test_a_correction_comes_last() -> None:
    changes = {"correction": Correction(answer="In Rome.", feedback="No line says so.")}
    assert sent(prompt(user("Where?")), **changes)[1:] == [assistant("In Rome."), user("No line says so.")]


def test_what_the_program_wrote_is_nobodys_words() -> None:
    messages = [
        user(REMINDER, text("Is it cold?")),
        assistant(CALL),
        user(RESULT, REMINDER),
        user(text(f"{REMINDER['text']}\nAnd tomorrow?")),
    ]
    assert turns(prompt(*messages, claude_code=True)) == [
        ("user", "Is it cold?"),
        ("assistant", '[tool call: weather({"city": "Oslo"})]'),
        ("tool", "4 degrees"),
        ("user", "And tomorrow?"),
    ]
    assert sent(prompt(*messages, claude_code=True)) == messages, "it goes to the model all the same"
    read = turns(prompt(user(REMINDER), claude_code=False))
    assert read == [("user", REMINDER["text"])], "of other clients everything is the user's"


def test_documents_of_text_are_counted_by_their_words() -> None:
    def tokens(source: dict[str, Any]) -> int:
        [counted] = prompt(user({"type": "document", "source": source})).turn_tokens()
        return counted

    short = tokens({"type": "text", "data": "One word."})
    assert short < 100
    assert tokens({"type": "text", "data": "One word. " * 2_000}) > 4_000
    assert tokens({"type": "base64", "data": "AA=="}) > 1_000


def test_the_size_is_never_below_the_tokens() -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://x"}}
    file = {"type": "document", "source": {"type": "file", "file_id": "f"}}
    of = prompt(
        user("Hi"),
        assistant(CALL),
        user({**RESULT, "content": [image] * 3}),
        user(file, text("日本語。" * 50)),
        system="Be kind.",
    )
    assert of.size >= of.around_tokens() + sum(of.turn_tokens())


@pytest.mark.parametrize(
    ("message", "at"),
    [
        ({"role": "tool", "content": "x"}, "messages[1].role"),
        ({"content": "x"}, "messages[1].role"),
        ({"role": "user"}, "messages[1].content"),
        ({"role": "user", "content": {"type": "text"}}, "messages[1].content"),
    ],
)
def test_what_is_no_message_is_refused_with_its_place(message: dict[str, Any], at: str) -> None:
    with pytest.raises(BadChat) as caught:
        prompt(user("Hi"), message)
    assert caught.value.at == at
