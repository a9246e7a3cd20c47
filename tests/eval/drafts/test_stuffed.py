"""Histories in the prompt: which questions are asked, and rows that hold no word and are not made twice."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from eval.drafts.questions import Chosen, Use
from eval.drafts.stuffed import Stuffing, stuffed_questions
from eval.drafts.systems import read_rows
from eval.harness.conversations import Conversation, LabelledQuestion
from memory.encoding.encoder import Encoder
from tests.support.tiers import Scripted, tier

SAID_AT = datetime(2026, 5, 1, 9, tzinfo=UTC)


def conversation(id_: str, *, questions: int = 2) -> Conversation:
    texts = ["My dog is called Rex.", "We moved to Lyon."]
    turns = [
        {"id": f"{id_}-{n}", "role": "user", "speaker": "Ann", "text": text, "said_at": SAID_AT.isoformat()}
        for n, text in enumerate(texts)
    ]
    asked = [
        LabelledQuestion(
            id=f"{id_}:{n}", question="What is my dog called?", answer="Rex", kind="fact", evidence=frozenset()
        )
        for n in range(questions)
    ]
    return Conversation(id=id_, sessions={"s": turns}, questions=tuple(asked), last_said_at=SAID_AT)


def chosen(id_: str, *, of: str = "locomo", use: Use = "testing", questions: int = 2) -> Chosen:
    own = conversation(id_, questions=questions)
    return Chosen(set=of, use=use, conversation=own, questions=own.questions)


def test_some_questions_of_two_conversations_of_each_set_are_asked() -> None:
    everything = [
        chosen("fitted", use="fitting"), chosen("a", questions=20), chosen("b-withheld"), chosen("b"), chosen("c"),
        chosen("d", of="realtalk"),
    ]  # fmt: skip
    asked = list(stuffed_questions(everything))
    assert [one.conversation.id for one in asked] == ["a", "b", "d"]
    assert [len(one.questions) for one in asked] == [15, 2, 2]


async def ask(chat: Scripted, rows: Path, encoder: Encoder, questions: Sequence[LabelledQuestion]) -> None:
    stuffing = Stuffing(tier="local", tokens=200, rows=rows)
    left = [one for one in questions if one.id not in stuffing.done()]
    await stuffing.ask(chosen("a"), tier(chat), encoder, left)


async def test_a_run_is_taken_up_and_its_rows_hold_no_word(tmp_path: Path, encoder: Encoder) -> None:
    rows, questions = tmp_path / "rows.jsonl", chosen("a").questions
    await ask(Scripted("Rex."), rows, encoder, questions[:1])
    with rows.open("a") as cut:
        cut.write('{"system": "stuf')
    chat = Scripted("Max.")
    await ask(chat, rows, encoder, questions)
    [request] = chat.requests
    assert "My dog is called Rex." in request.messages[-1].content, "the history is in the prompt"
    read = read_rows(rows)
    assert [(row.system, row.question, row.right) for row in read] == [
        ("stuffed-200-local", "a:0", True), ("stuffed-200-local", "a:1", False),
    ]  # fmt: skip
    assert not {"Rex", "Max"} & set(json.dumps(rows.read_text()).replace('"', " ").split())
    assert read[0].spent["local"].prompt_tokens > 0
