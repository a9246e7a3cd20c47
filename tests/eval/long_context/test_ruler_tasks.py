"""RULER's tasks: exact lengths, needles that are there, the official metric and files."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from compaction.tokens import count_tokens
from eval.errors import Unusable
from eval.long_context.ruler_tasks import TASKS, make_samples, match_all, match_part, read_official, write_official


@pytest.mark.parametrize("length", [1_000, 1_700, 4_000])
@pytest.mark.parametrize("task", TASKS)
def test_every_task_keeps_its_length_and_holds_its_answer(task: str, length: int) -> None:
    if task == "cwe":
        length *= 3  # ten words, thirty times each, take most of two thousand tokens
    [sample, other] = make_samples(task, length=length, count=2, seed=1)
    assert [sample, other] == make_samples(task, length=length, count=2, seed=1)
    assert sample.outputs != other.outputs
    assert 0.95 * length <= count_tokens(sample.input) <= length
    assert all(reference in sample.text for reference in sample.outputs)


@pytest.mark.parametrize("seed", range(5))
def test_the_words_asked_for_are_what_the_text_says(seed: int) -> None:
    for task, times in (("cwe", 10), ("fwe", 3)):
        for sample in make_samples(task, length=3_000, count=4, seed=seed):
            counted = Counter(sample.text.split()).most_common(times + 1)
            assert {word for word, _ in counted[:times]} == set(sample.outputs)
            assert counted[times - 1][1] > counted[times][1], "no tie decides"
            for word in sample.outputs:
                assert sample.text.count(word) == dict(counted)[word], "in no other word"


def test_a_text_too_short_for_a_clear_answer_is_refused() -> None:
    with pytest.raises(Unusable, match="it takes a longer text"):
        make_samples("fwe", length=30, count=1, seed=1)


def test_the_families_differ_as_the_paper_has_it() -> None:
    many = make_samples("niah_multikey_2", length=2_000, count=1, seed=1)[0]
    assert all(part.startswith("One of the special magic values") for part in many.parts)
    assert len(make_samples("niah_multivalue", length=2_000, count=1, seed=1)[0].outputs) == 4
    assert len(make_samples("vt", length=2_000, count=1, seed=1)[0].outputs) == 5
    common = make_samples("cwe", length=4_000, count=1, seed=1)[0]
    assert all(common.parts.count(word) == 30 for word in common.outputs)
    with pytest.raises(Unusable, match="more than 50"):
        make_samples("vt", length=50, count=1, seed=1)


def test_the_official_metric() -> None:
    assert match_all("The values are ABC and 12.", ["abc", "34"]) == 0.5
    assert match_part("ABC", ["abc", "34"]) == 1.0
    assert match_part("none", ["abc", "34"]) == 0.0


def test_official_files_come_back_as_they_were(tmp_path: Path) -> None:
    made = make_samples("niah_single_2", length=1_000, count=2, seed=3)
    file = tmp_path / "validation.jsonl"
    file.write_text(write_official(made))
    read = read_official(file, task="niah_single_2")
    assert [(one.index, one.outputs, one.question) for one in read] == [(s.index, s.outputs, s.question) for s in made]
    assert set(json.loads(file.read_text().splitlines()[0])) == {"index", "input", "outputs", "length"}
    assert write_official(read) == file.read_text()
    file.write_text('{"index": 1}\n')
    with pytest.raises(Unusable, match=r"line 1: not in RULER's format"):
        read_official(file, task="x")


def test_official_rows_of_one_file_are_one_cell_and_long_lines_become_turns(tmp_path: Path) -> None:
    essay = (
        "An essay goes on about its day. " * 800 + "One of the special magic numbers for sea is: 7. " + "word " * 9_000
    )
    rows = [
        {"index": n, "input": f"Memorise it.\n{essay}\nWhat is it?", "outputs": ["7"], "length": 4_050 + n}
        for n in (0, 1)
    ]
    file = tmp_path / "validation.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = read_official(file, task="niah_single_2")
    assert [(one.length, one.exact) for one in made] == [(4_096, 4_050), (4_096, 4_051)]
    assert made[0].input == rows[0]["input"], "the raw prompt is what the file says"
    assert max(map(len, made[0].parts)) <= 1_000
    assert " ".join(made[0].parts).split() == made[0].text.split()
    assert sum("sea is: 7." in part for part in made[0].parts) == 1
    wrong: list[dict[str, Any]] = [{"outputs": []}, {"outputs": "7"}, {"input": ""}]
    for bad in wrong:
        file.write_text(json.dumps(rows[0] | bad) + "\n")
        with pytest.raises(Unusable, match="line 1: not in RULER's format"):
            read_official(file, task="x")
    file.write_text("\n")
    with pytest.raises(Unusable, match="holds no sample"):
        read_official(file, task="x")
    file.write_text(json.dumps(rows[0] | {"length": 9_100}))
    assert read_official(file, task="x")[0].length == 9_100, "no power of two is near"
    file.write_text(json.dumps(rows[0]) + "\n" + json.dumps(rows[0]) + "\n")
    with pytest.raises(Unusable, match="line 2: index 0 comes twice"):
        read_official(file, task="x")


def test_questions_over_given_paragraphs(tmp_path: Path) -> None:
    squad = tmp_path / "squad.json"
    paragraphs = [
        {
            "context": f"Town {n} lies by lake {n}.",
            "qas": [{"question": f"Where is {n}?", "answers": [{"text": f"by lake {n}"}]}],
        }
        for n in range(30)
    ]
    squad.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    sample = make_samples("qa_1", length=200, count=2, seed=1, given=squad)[1]
    assert sample.outputs[0] in sample.text
    assert count_tokens(sample.input) <= 200
    with pytest.raises(Unusable, match="fewer than 4,096"):
        make_samples("qa_1", length=4_096, count=1, seed=1, given=squad)
    with pytest.raises(Unusable, match="needs a file of HotpotQA"):
        make_samples("qa_2", length=200, count=1, seed=1)
    with pytest.raises(Unusable, match="not in the format of HotpotQA"):
        make_samples("qa_2", length=200, count=1, seed=1, given=squad)
