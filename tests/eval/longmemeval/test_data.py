"""Reading LongMemEval's files; nothing leaks from ids."""

import json
import lzma
from pathlib import Path

import pytest

from eval.errors import Unusable
from eval.longmemeval.data import as_conversation, read_longmemeval
from tests.eval.longmemeval.questions import question, session


def test_ids_that_say_answer_never_reach_the_memory(data: Path) -> None:
    read = list(read_longmemeval(data))
    for one in read:
        assert all("answer" not in each.key for each in one.sessions)
        assert all("answer" not in (turn.id or "") for each in one.sessions for turn in each.turns)
    assert read[0].answer == "5"
    assert [one.abstention for one in read] == [False, True, False]
    assert [len(one.strict_sessions) for one in read] == [1, 1, 0], "an assistant's label is no user's turn"


def test_a_question_is_a_conversation_of_its_own_with_what_is_labelled(data: Path) -> None:
    user, nobody, assistant = (as_conversation(one) for one in read_longmemeval(data))
    assert [len(one.sessions) for one in (user, nobody, assistant)] == [2, 2, 2]
    assert user.asked_at.isoformat() == "2023-05-30T01:13:00+00:00"
    [asked], [refused], [from_assistant] = user.questions, nobody.questions, assistant.questions
    first, _ = user.sessions
    assert (asked.id, asked.evidence, asked.sessions) == ("q1:0", frozenset({f"{first}:0"}), frozenset())
    assert (refused.kind, refused.answer, refused.answerable) == ("abstention", "", False)
    first, _ = assistant.sessions
    assert from_assistant.evidence == {f"{first}:1"}, "an assistant's turn may hold the answer"


def test_without_labels_of_turns_the_sessions_are_the_evidence(tmp_path: Path) -> None:
    sessions = [session("I redeemed it at Target.", "Nice!"), session("How do I bake bread?", "Mix flour and water.")]
    file = tmp_path / "unlabelled.json"
    nowhere = question("q5", haystack_sessions=sessions, answer_session_ids=["elsewhere"])
    file.write_text(json.dumps([question("q4", haystack_sessions=sessions), nowhere]))
    found, lost = (as_conversation(one) for one in read_longmemeval(file))
    [asked] = found.questions
    first, _ = found.sessions
    assert (asked.sessions, asked.evidence) == (frozenset({first}), frozenset({f"{first}:0", f"{first}:1"}))
    assert (lost.questions, [one.id for one in lost.without_evidence]) == ((), ["q5:0"])


@pytest.mark.parametrize("content", ["{}", "[]", "nonsense", '[{"question_id": "x"}]'])
def test_another_format_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "other.json").write_text(content)
    with pytest.raises(Unusable, match=r"other\.json"):
        list(read_longmemeval(tmp_path / "other.json"))


def test_genuine_records_are_read(shared_data: Path) -> None:
    read = list(read_longmemeval(shared_data / "longmemeval_sample.json.xz"))
    assert [one.id for one in read] == ["852ce960", "e47becba", "gpt4_59149c77"]
    raw = json.loads(lzma.decompress((shared_data / "longmemeval_sample.json.xz").read_bytes()))
    assert [len(one.sessions) for one in read] == [len(record["haystack_sessions"]) for record in raw]
