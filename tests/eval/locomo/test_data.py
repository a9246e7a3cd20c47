"""Reading LoCoMo's files."""

from pathlib import Path

import pytest

from eval.errors import Unusable
from eval.locomo.data import read_locomo


def test_reading_keeps_what_can_be_scored(data: Path) -> None:
    [read] = read_locomo(data)
    assert [question.evidence for question in read.questions] == [{"D1:1"}, {"D1:2"}, {"D2:1"}, {"D1:1"}]
    assert [question.id for question in read.questions] == ["conv-1:0", "conv-1:1", "conv-1:2", "conv-1:4"]
    assert [question.id for question in read.without_evidence] == ["conv-1:3"]
    assert [question.place for question in read.answered] == [0, 1, 2, 3, 4]
    assert not read.left_out
    assert [question.answerable for question in read.questions] == [True, True, True, False]
    assert read.sessions["session_1"][1]["text"] == "Look at this!\n[shows a lake at sunset]"
    assert read.sessions["session_1"][0]["said_at"] == "2023-05-08T13:56:00+00:00"
    assert [turn["role"] for turn in read.sessions["session_1"]] == ["user", "assistant"]


async def test_label_errors_can_be_left_out(data: Path) -> None:
    [read] = read_locomo(data, exclude={"conv-1:0", "conv-1:4"})
    assert [question.id for question in read.questions] == ["conv-1:1", "conv-1:2"]
    assert read.left_out == dict.fromkeys(["conv-1:0", "conv-1:4"], "listed for exclusion")


@pytest.mark.parametrize("content", ["not json", "{}", "[1]", '[{"sample_id": "x"}]'])
def test_another_format_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "other.json").write_text(content)
    with pytest.raises(Unusable, match=r"other\.json"):
        read_locomo(tmp_path / "other.json")
