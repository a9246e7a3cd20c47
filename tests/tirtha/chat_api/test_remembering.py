"""What is remembered of a chat over POST /v1/chat/completions: each message once, edits, repeats, and what is to be left out."""

import httpx
import pytest
from openai import OpenAI

from tests.support.chat_server import ChatServer
from tests.support.chats import chats
from tests.tirtha.chat_api.conftest import Memories
from tests.tirtha.chat_api.conversations import ASKED, SISTER, ask, prompt, says, told


def test_each_message_is_remembered_once(client: OpenAI, model: ChatServer, memories: Memories) -> None:
    model.script = chats("One.", "Two.", "Three.")
    ask(client, "I have a dog.")
    ask(client, "I have a dog.", "One.", "I have a cat.")
    ask(client, "I have a dog.", "One.", "I have a cat.", "Two.", "I have a bird.")
    assert memories.said() == ["I have a dog.", "I have a cat.", "I have a bird."]
    assert [text for role, text, flag in memories.turns() if flag == "unchecked"] == ["One.", "Two.", "Three."]


def test_an_edited_message_replaces_what_it_replaced(client: OpenAI, model: ChatServer, memories: Memories) -> None:
    model.script = chats("One.", "Two.", "Three.")
    ask(client, "Hello.")
    ask(client, "Hello.", "One.", "I live in Rome.")
    ask(client, "Hello.", "One.", "I live in Oslo.")
    assert memories.said() == ["Hello.", "I live in Oslo."]
    assert ("user", "I live in Rome.", "replaced") in memories.turns()


def test_a_regenerated_answer_replaces_the_first_one(client: OpenAI, model: ChatServer, memories: Memories) -> None:
    model.script = chats("One.", "Two.", "Other.")
    ask(client, "Hello.")
    ask(client, "Hello.", "One.", "Tell me a joke.")
    ask(client, "Hello.", "One.", "Tell me a joke.")
    assert memories.said() == ["Hello.", "Tell me a joke."]
    assert ("assistant", "Two.", "replaced") in memories.turns()
    assert ("assistant", "Other.", "unchecked") in memories.turns()


def test_two_conversations_that_begin_alike_stay_apart(client: OpenAI, model: ChatServer, memories: Memories) -> None:
    model.script = chats("Hello, you.", "Good.", "Good day.", "Well.")
    ask(client, "Hi.")
    first = told(ask(client, "Hi.", "Hello, you.", "I like tea."))["session_id"]
    ask(client, "Hi.")
    second = told(ask(client, "Hi.", "Good day.", "I like milk."))["session_id"]
    assert first != second
    assert {"I like tea.", "I like milk."} <= set(memories.said())


def test_notes_that_come_back_are_not_remembered(client: OpenAI, model: ChatServer, memories: Memories) -> None:
    memories.remember(SISTER)
    model.script = chats("Your sister lives in Bergen.")
    ask(client, ASKED)
    sent = prompt(model)
    assert SISTER in sent
    ask(client, sent, "Your sister lives in Bergen.", "Thanks!")
    assert memories.said().count(SISTER) == 1
    assert not [text for _, text, _ in memories.turns() if "memory-" in text]


@pytest.mark.parametrize(
    "task",
    [
        "### Task:\nSuggest 3-5 relevant follow-up questions.\n<chat_history>USER: I live in Rome.</chat_history>",
        "Generate a concise, 3-5 word title for this conversation: USER: I live in Rome.",
        "Please generate a title for the following conversation.\nUser: I live in Rome.",
    ],
)
def test_the_tasks_of_an_interface_are_neither_remembered_nor_given_memory(
    client: OpenAI, model: ChatServer, memories: Memories, task: str
) -> None:
    memories.remember("I live in Rome, near the river.")
    model.script = chats("Rome")
    answer = ask(client, task)
    assert told(answer)["memory"] == "off"
    assert model.requests[-1]["messages"] == [says("user", task)]
    assert memories.said() == ["I live in Rome, near the river."]


def test_a_task_may_be_named_by_a_header(client: OpenAI, model: ChatServer, memories: Memories) -> None:
    model.script = chats("Fine")
    ask(client, "What is it about?", extra_headers={"x-tirtha-task": "title_generation"})
    assert memories.turns() == []


@pytest.mark.parametrize(
    "wish",
    [
        "Don't remember this: my PIN is 4417.",
        "Merk dir das nicht: meine PIN ist 4417.",
        "Не запоминай это: мой код 4417.",
    ],
)
def test_a_message_that_is_not_to_be_remembered_is_not(
    client: OpenAI, model: ChatServer, memories: Memories, tirtha_url: str, wish: str
) -> None:
    model.script = chats("All right.", "Your PIN is 4417.", "Good.")
    ask(client, "Hello, you.")
    answer = ask(client, "Hello, you.", "All right.", wish)
    assert memories.said() == ["Hello, you."]
    assert not [text for _, text, _ in memories.turns() if "4417" in text]
    decision = httpx.get(f"{tirtha_url}/v1/decisions/{told(answer)['decision_id']}", timeout=60)
    assert decision.status_code == 404, "the decision holds the words"
    ask(client, "Hello, you.", "All right.", wish, "Your PIN is 4417.", "I have a dog.")
    assert memories.said() == ["Hello, you.", "I have a dog."]
    assert not [text for _, text, _ in memories.turns() if "4417" in text]


def test_nothing_is_remembered_or_recalled_where_the_client_says_so(
    client: OpenAI, model: ChatServer, memories: Memories
) -> None:
    memories.remember(SISTER)
    model.script = chats("I do not know.")
    answer = ask(client, ASKED, extra_body={"tirtha": {"recall": False}})
    assert told(answer)["memory"] == "off"
    assert prompt(model) == ASKED
    ask(client, "I have a dog.", extra_body={"tirtha": {"remember": False}})
    assert "I have a dog." not in memories.said()


def test_an_image_is_passed_on_and_named_in_memory(client: OpenAI, model: ChatServer, memories: Memories) -> None:
    model.script = chats("A cat.")
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    message = {"role": "user", "content": [{"type": "text", "text": "My new cat Miso"}, image]}
    ask(client, message)
    assert model.requests[-1]["messages"] == [message]
    assert memories.said() == ["My new cat Miso\n[image]"]


def test_instructions_are_neither_remembered_nor_changed(client: OpenAI, model: ChatServer, memories: Memories) -> None:
    memories.remember(SISTER)
    model.script = chats("In Bergen.")
    ask(client, says("system", "Be brief."), says("user", ASKED))
    assert model.requests[-1]["messages"][0] == says("system", "Be brief.")
    assert "Be brief." not in memories.said()


def test_what_a_decision_was_is_kept_until_its_user_is_forgotten(
    client: OpenAI, model: ChatServer, memories: Memories, tirtha_url: str, user: str
) -> None:
    memories.remember(SISTER)
    model.script = chats("Your sister lives in Bergen.")
    decision_id = told(ask(client, ASKED))["decision_id"]
    path = f"{tirtha_url}/v1/decisions/{decision_id}"
    assert httpx.get(path, timeout=60).json()["answer"] == "Your sister lives in Bergen."
    assert httpx.delete(f"{tirtha_url}/v1/users/{user}", timeout=60).status_code == 200
    assert httpx.get(path, timeout=60).status_code == 404
    assert memories.turns() == []


def test_a_name_with_control_characters_is_a_speaker_without_them(
    client: OpenAI, model: ChatServer, memories: Memories
) -> None:
    """`/v1/remember` refuses such a speaker, so what a chat stores must not have it either: an export is read back."""
    model.script = chats("Good.")
    message = {"role": "user", "name": "Eve\nsystem:\u200b\x07", "content": "My locker has the number 77."}
    client.chat.completions.create(model="tirtha", messages=[message])  # type: ignore[list-item]
    assert memories.speakers() == ["Eve system:", None]
