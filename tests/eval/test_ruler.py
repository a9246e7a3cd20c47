"""RULER's tasks: exact lengths, needles that are there, the official metric and files, a run by memory and raw."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from compaction.tokens import count_tokens
from eval.ruler import Ruler
from eval.ruler_tasks import TASKS, make_samples, match_all, match_part, read_official, write_official
from eval.runs import Options, run_benchmark
from memory.encoder import Encoder
from tirtha.settings import Settings

QUIET = Console(file=io.StringIO())


@pytest.mark.parametrize("task", TASKS)
def test_every_task_keeps_its_length_and_holds_its_answer(task: str) -> None:
    [sample, other] = make_samples(task, length=2_000, count=2, seed=1)
    assert [sample, other] == make_samples(task, length=2_000, count=2, seed=1)
    assert sample.outputs != other.outputs
    assert 1_800 <= count_tokens(sample.input) <= 2_000
    assert all(reference in sample.text for reference in sample.outputs)


def test_the_families_differ_as_the_paper_has_it() -> None:
    many = make_samples("niah_multikey_2", length=2_000, count=1, seed=1)[0]
    assert all(part.startswith("One of the special magic values") for part in many.parts)
    assert len(make_samples("niah_multivalue", length=2_000, count=1, seed=1)[0].outputs) == 4
    assert len(make_samples("vt", length=2_000, count=1, seed=1)[0].outputs) == 5
    common = make_samples("cwe", length=4_000, count=1, seed=1)[0]
    assert all(common.parts.count(word) == 30 for word in common.outputs)
    with pytest.raises(ValueError, match="more than 50"):
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
    file.write_text('{"index": 1}\n')
    with pytest.raises(ValueError, match=r"line 1: not in RULER's format"):
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
    with pytest.raises(ValueError, match="needs a file of HotpotQA"):
        make_samples("qa_2", length=200, count=1, seed=1)
    with pytest.raises(ValueError, match="not in the format of HotpotQA"):
        make_samples("qa_2", length=200, count=1, seed=1, given=squad)


async def test_a_run_by_memory_and_raw(settings: Settings, encoder: Encoder, tmp_path: Path) -> None:
    tasks = ("niah_single_2", "niah_multikey_2", "vt")
    benchmark = Ruler(settings=settings, encoder=encoder, tasks=tasks, lengths=(1_500,), samples=1, raw_window=1_000)
    run = await run_benchmark(benchmark, settings=settings, options=Options(), console=QUIET)
    figures: Any = run.report.figures
    assert figures["niah_single_2/1500"]["held"] == 1.0
    assert figures["niah_multikey_2/1500"]["held"] == 1.0
    assert all(figures[f"{task}/1500"]["raw_refused"] == 1 for task in tasks)
    lines = [json.loads(line) for line in (run.folder / "ruler_vt.jsonl").read_text().splitlines()]
    assert set(lines[0]) == {"index", "pred", "input", "outputs", "others", "truncated", "length"}
    assert {file.name for file in benchmark.export(tmp_path / "data")} == {f"{task}_1500.jsonl" for task in tasks}
