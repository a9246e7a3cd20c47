"""What models write is read as it was meant: answers, programs and verdicts, each from a corpus of shapes beside this file."""

import ast
import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade.model import Completion, Usage
from cascade.prompts import PROMPTS, answer_messages, code_messages, fence, review_messages, vote_messages
from cascade.reading import read_draft, read_program, read_verdict, silence, spoken
from compaction.tokens import count_tokens
from tests.support.briefs import brief, quote

ASKED = brief("What is the cat called?", quote(1, "It rained.", 0.2), quote(2, "My cat is called Miso.", 0.8))
TROMSO = brief(
    "Where does Caroline live?",
    quote(1, "I live in Tromso now, with my cat Miso.", 0.9),
    quote(2, "My cat is called Miso.", 0.5),
    quote(3, "I moved there from Oslo in May 2021.", 0.5),
)


def completion(text: str, finish: str = "stop") -> Completion:
    return Completion(text=text, model="m", finish_reason=finish, usage=Usage())


def corpus(name: str) -> list[Any]:
    lines = (Path(__file__).parent / f"{name}.jsonl").read_text("utf-8").split("\n")
    return [json.loads(line) for line in lines if line]


def as_read(row: dict[str, Any]) -> tuple[Any, ...]:
    """What is read of an answer: its kind, and of one that is an answer the text and the citations."""
    said = completion(row["text"], row["finish"])
    draft = read_draft(said, TROMSO)
    kind = "abstention" if draft.abstains else "answer" if draft.parsed else "unreadable"
    kind = "nothing" if silence(said) else kind
    return (kind, draft.answer, list(draft.citations)) if kind == "answer" else (kind,)


def test_every_shape_of_an_answer_is_read_as_it_was_meant() -> None:
    rows = corpus("model_answers")
    wanted = [
        ("answer", row["answer"], row["citations"]) if row["reads"] == "answer" else (row["reads"],) for row in rows
    ]
    read = [as_read(row) for row in rows]
    assert [(row["text"], one, other) for row, one, other in zip(rows, read, wanted, strict=True) if one != other] == []


def meant(program: str) -> str:
    """What a program is to Python: comments and blank lines aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.dump(ast.parse(program))
        except SyntaxError:
            return program.strip()


def test_every_shape_of_a_program_is_read_as_it_was_meant() -> None:
    read = [(row, read_program(row["text"], row["entry_point"])) for row in corpus("model_programs")]
    assert [(row["text"], program) for row, program in read if meant(program) != meant(row["program"])] == []


def test_every_shape_of_a_verdict_is_read_as_it_was_meant() -> None:
    read = [(row, read_verdict(row["text"])) for row in corpus("judge_replies")]
    assert [(row["text"], verdict) for row, verdict in read if verdict != row["verdict"]] == []


PIECES = st.sampled_from(
    """<think>|</think>|<Reasoning a='b'>|</reasoning>|```|```python
|
|{|}|"answer": |"|[1]|<answer>|final|analysis|def f():
    return 1
|Tromso|yes|no.|Answer:|'|,""".split("|")
)


@given(st.lists(PIECES, max_size=25).map("".join))
def test_no_text_breaks_the_reader_and_no_thought_is_served(text: str) -> None:
    said = completion(text)
    answer = read_draft(said, TROMSO).answer
    read_program(text, "f")
    assert read_verdict(text) in {"yes", "no", None}
    assert silence(said) is None or not read_draft(said, TROMSO).abstains
    assert spoken(f"<think>secret</think>{answer}") == spoken(answer)


@pytest.mark.parametrize(
    "text",
    [
        "{" * 20_000,
        '{"a":' * 5_000,
        "<think>" * 20_000,
        "</think>" * 20_000,
        "`<think>` " * 5_000,
        "```\n" * 5_000,
        "the provided " * 5_000,
        "sorry, " * 5_000,
        "\n" * 20_000,
        "[1, " * 5_000,
        "so, " * 5_000,
        "<|a|>" * 5_000 + "x",
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_reading_comes_to_an_end(text: str) -> None:
    """A pattern that tries every way through a text would take years for one of these: the run would stand still here."""
    said = completion(text)
    silence(said)
    assert not read_draft(said, TROMSO).citations
    read_program(text, "f")
    assert read_verdict(text) is None


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


def test_a_text_that_was_made_to_hold_its_own_mark_gets_another() -> None:
    """Found in a minute, by trying numbers: of the 64 marks that the text closes, the last one would be its own."""
    marks = "".join(f"</memory-{number:08x}>" for number in range(64))
    assert f"</{fence(marks + '109138240')}>" not in marks
    assert f"</{fence((marks + '109138240').upper())}>" not in marks
    assert fence("My cat is called Miso.") == fence("My cat is called Miso.")


def test_prompts_are_short() -> None:
    whole = {
        "answer": answer_messages(brief("?"), feedback=""),
        "second_opinion": answer_messages(brief("?"), variant="second_opinion"),
        "vote": vote_messages(brief("?"), ""),
        "code": code_messages("", "f", ""),
        "review": review_messages("", "", "", ""),
    }
    ceilings = dict.fromkeys(whole, 240) | {
        "answer": 340,
        "second_opinion": 360,
    }  # an example, which every server caches
    for name, messages in whole.items():
        assert sum(count_tokens(message.content) for message in messages) <= ceilings[name], name
    assert len(PROMPTS) == 9
