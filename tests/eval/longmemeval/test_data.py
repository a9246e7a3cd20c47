"""Reading LongMemEval's files; nothing leaks from ids."""

import json
import lzma
from pathlib import Path

import pytest

from eval.longmemeval.data import read_longmemeval


def test_ids_that_say_answer_never_reach_the_memory(data: Path) -> None:
    read = list(read_longmemeval(data))
    for one in read:
        assert all("answer" not in each.key for each in one.sessions)
        assert all("answer" not in (turn.id or "") for each in one.sessions for turn in each.turns)
    assert read[0].answer == "5"
    assert [one.abstention for one in read] == [False, True, False]
    assert [len(one.strict_sessions) for one in read] == [1, 1, 0], "an assistant's label is no user's turn"


@pytest.mark.parametrize("content", ["{}", "[]", "nonsense", '[{"question_id": "x"}]'])
def test_another_format_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "other.json").write_text(content)
    with pytest.raises(ValueError, match=r"other\.json"):
        list(read_longmemeval(tmp_path / "other.json"))


def test_genuine_records_are_read(shared_data: Path) -> None:
    read = list(read_longmemeval(shared_data / "longmemeval_sample.json.xz"))
    assert [one.id for one in read] == ["852ce960", "e47becba", "gpt4_59149c77"]
    raw = json.loads(lzma.decompress((shared_data / "longmemeval_sample.json.xz").read_bytes()))
    assert [len(one.sessions) for one in read] == [len(record["haystack_sessions"]) for record in raw]
