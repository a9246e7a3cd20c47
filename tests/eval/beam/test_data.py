"""Reading BEAM's chats."""

from pathlib import Path
from typing import Any

import pytest

from eval.beam.data import KINDS, read_beam
from eval.errors import Unusable
from tests.eval.beam.chats import BATCHES, QUESTIONS, message, write_chat


def test_a_message_loses_its_place_in_the_plan_and_keeps_its_day(tmp_path: Path) -> None:
    write_chat(tmp_path / "100K" / "2")
    (chat,) = read_beam(tmp_path)
    first, second = chat.requests()
    assert (chat.id, first.session_id, second.session_id) == ("100K/2", "batch_1", "batch_2")
    assert [(turn.id, turn.role, turn.text) for turn in first.turns] == [
        ("0", "user", "My boat has a blue sail."),
        ("1", "assistant", "A blue sail is easy to see from afar."),
        ("2", "user", "I train with Olga twice a week."),
        ("3", "assistant", "Well done!"),
    ]
    assert second.turns[0].text == "Now I train with Olga four times a week."
    days = [turn.said_at.date().isoformat() for request in (first, second) for turn in request.turns if turn.said_at]
    assert days == ["2024-03-15"] * 4 + ["2024-04-02"] * 3
    assert chat.asked_at.date().isoformat() == "2024-04-03"


def test_evidence_is_read_in_each_of_its_shapes(tmp_path: Path) -> None:
    write_chat(tmp_path / "100K" / "2")
    (chat,) = read_beam(tmp_path)
    assert {one.kind: sorted(one.evidence) for one in chat.questions} == {
        "abstention": [],
        "contradiction_resolution": ["2", "4"],
        "event_ordering": ["0", "2", "4"],
        "information_extraction": ["0"],
        "instruction_following": ["6"],
        "knowledge_update": ["2", "4"],
        "summarization": ["0", "2"],
    }
    assert {one.kind: one.answer_in for one in chat.questions if one.answer_in} == {"knowledge_update": {"4"}}
    assert [one.kind for one in chat.questions if not one.answerable] == ["abstention"]
    assert [one.kind for one in chat.without_evidence] == ["preference_following"], "a preference that names no message"
    assert [one.id for one in chat.answered] == [f"100K/2:{place}" for place in range(8)]


def test_gold_text_is_what_an_answer_should_go_by(tmp_path: Path) -> None:
    write_chat(tmp_path / "100K" / "2")
    (chat,) = read_beam(tmp_path)
    gold = {one.kind: one.answer for one in chat.answered}
    assert gold["abstention"] == ""
    assert gold["instruction_following"] == "Always answer with a date."
    assert gold["preference_following"] == "I like fish."
    assert gold["summarization"] == "A boat, and Olga."
    assert gold["contradiction_resolution"] == "You said twice and four times."


def test_chats_come_in_the_order_of_their_numbers_and_by_size(tmp_path: Path) -> None:
    for name in ("100K/10", "100K/2", "500K/3"):
        write_chat(tmp_path / name)
    assert [chat.id for chat in read_beam(tmp_path)] == ["100K/2", "100K/10", "500K/3"]
    assert [chat.id for chat in read_beam(tmp_path, size="500K")] == ["500K/3"]
    assert [chat.id for chat in read_beam(tmp_path / "100K" / "2")] == ["100K/2"]
    with pytest.raises(Unusable, match="no chat of BEAM of size 1M"):
        read_beam(tmp_path, size="1M")


@pytest.mark.parametrize(
    ("batches", "questions"),
    [
        ({}, QUESTIONS),
        ([], QUESTIONS),
        ([BATCHES[0] | {"turns": [[message(0, "user", "No day is named.")]]}], QUESTIONS),
        ([BATCHES[0] | {"turns": [[message(0, "user", "What a day!", "15 March")]]}], QUESTIONS),
        (BATCHES, {"abstention": [{}]}),
        (BATCHES, {"information_extraction": [{"question": "?", "answer": "x", "source_chat_ids": ["first"]}]}),
        (BATCHES, {"riddles": [{"question": "?"}]}),
    ],
)
def test_another_format_is_refused_by_the_name_of_the_file(tmp_path: Path, batches: Any, questions: Any) -> None:
    write_chat(tmp_path / "100K" / "2", batches=batches, questions=questions)
    with pytest.raises(Unusable, match=r"100K/2/chat\.json is not in BEAM's format"):
        read_beam(tmp_path)


def test_genuine_chats_are_read(shared_data: Path) -> None:
    chats = read_beam(shared_data / "beam", size="100K")
    assert [chat.id for chat in chats] == [f"100K/{number}" for number in (2, 3, 4, 5, 6, 7, 9, 10)]
    for chat in chats:
        ids = [int(turn["id"]) for turns in chat.sessions.values() for turn in turns]
        assert ids == list(range(len(ids)))
        assert not [turn for turns in chat.sessions.values() for turn in turns if "->->" in turn["text"]]
        assert sorted({one.kind for one in chat.answered}) == sorted(KINDS)
        assert len(chat.answered) == 20
        assert all(one.evidence for one in chat.questions if one.answerable)
        assert all(
            one.answer_in and one.answer_in <= one.evidence for one in chat.questions if one.kind == "knowledge_update"
        )
