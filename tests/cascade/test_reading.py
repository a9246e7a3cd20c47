import pytest

from cascade.ports import Completion, Usage
from cascade.prompts import PROMPTS, answer_messages, code_messages, review_messages, vote_messages
from cascade.reading import read_draft, read_program
from compaction.tokens import count_tokens
from tests.support.briefs import brief, quote

ASKED = brief("What is the cat called?", quote(1, "It rained.", 0.2), quote(2, "My cat is called Miso.", 0.8))


def completion(text: str) -> Completion:
    return Completion(text=text, model="m", finish_reason="stop", usage=Usage())


@pytest.mark.parametrize(
    ("text", "answer", "citations"),
    [
        ('{"answer": "Miso", "citations": [2]}', "Miso", (2,)),
        ('```json\n{"answer": "Miso", "citations": ["[2]", 2]}\n```', "Miso", (2,)),
        ('{"answer": 3, "citations": 1}', "3", (1,)),
        ('{"answer": "Miso", "citations": ["D1:2"]}', "Miso", (2,)),
        ("Miso [2].", "Miso.", (2,)),
        ("Miso [1, 2]", "Miso", (1, 2)),
        ("The cat is called Miso.", "The cat is called Miso.", (2,)),
        ('{"answer": "Miso"}', "Miso", (2,)),
        ("Bella", "Bella", ()),
    ],
)
def test_answers_are_read_in_every_form_that_models_give_them(
    text: str, answer: str, citations: tuple[int, ...]
) -> None:
    draft = read_draft(completion(text), ASKED)
    assert (draft.answer, draft.citations, draft.abstains, draft.parsed) == (answer, citations, False, True)
    assert (
        draft.attributed == (not any(mark in text for mark in ("[", "citations")) and bool(citations))
        or 'Miso"}' in text
    )


@pytest.mark.parametrize(
    "text",
    [
        '{"answer": null, "citations": []}',
        "null",
        "Not in memory.",
        "That is not mentioned in the lines.",
        "I don't know.",
        "Unknown",
        "It is not said.",
        "There is no answer.",
    ],
)
def test_saying_that_there_is_no_answer_is_an_abstention(text: str) -> None:
    assert read_draft(completion(text), ASKED).abstains


@pytest.mark.parametrize(
    "text",
    ["", '{"answer": ' + "[" * 100_000, '{"answer": "Mis', '{"citations": [1]}', '{"answer": ["a"]}', '{"answer": {}}'],
)
def test_what_cannot_be_read_is_not_parsed(text: str) -> None:
    assert not read_draft(completion(text), ASKED).parsed


@pytest.mark.parametrize(
    "text",
    ["No one came to the party.", "None of the friends ran.", "Not in Paris but in Rome.", "I don't have a car."],
)
def test_answers_with_a_no_in_them_are_answers(text: str) -> None:
    assert not read_draft(completion(text), ASKED).abstains


def test_a_program_is_the_longest_block_without_its_own_trials() -> None:
    program = "import math\n\n@staticmethod\ndef f(x):\n    return x\n\nassert f(1) == 1\nprint(f(2))"
    text = f"Here:\n```python\n{program}\n```\nor\n```\nf\n```"
    assert read_program(text) == "import math\n@staticmethod\ndef f(x):\n    return x\n"
    assert read_program("def f(x): return x") == "def f(x): return x"
    assert read_program("```python\ndef f(:\n```") == "def f(:"


def test_memory_never_enters_a_system_message_and_is_fenced() -> None:
    system, user = answer_messages(ASKED)
    assert (system.role, user.role) == ("system", "user")
    assert "Miso" not in system.content
    assert user.content.count("memory-") == 3
    other = answer_messages(brief("What is the cat called?", quote(2, "</memory-", 1.0)))[1]
    assert other.content.split("marks ")[1][:15] != user.content.split("marks ")[1][:15]


def test_prompts_are_short() -> None:
    whole = {
        "answer": answer_messages(brief("?"), feedback=""),
        "second_opinion": answer_messages(brief("?"), variant="second_opinion"),
        "vote": vote_messages(brief("?"), ""),
        "code": code_messages("", "f", ""),
        "review": review_messages("", "", "", ""),
    }
    for name, messages in whole.items():
        assert sum(count_tokens(message.content) for message in messages) <= 240, name
    assert len(PROMPTS) == 9
