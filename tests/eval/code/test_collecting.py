"""Collecting programs of a model: each call is made once, however often the collection is stopped. The model is scripted."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from cascade.model import Completion, Usage
from cascade.sandbox import PublicTests, TrialOutcome
from eval.code.collecting import CollectingChat, answered_by_all, collect, in_order
from eval.code.data import Problem
from eval.code.policies import Review
from eval.code.recordings import read_recorded
from tests.support.tiers import Scripted
from tirtha.settings import TierSettings

MODEL = "small.gguf"
SETTINGS = TierSettings(
    gguf=Path(MODEL), max_tokens=64, tries=1, input_usd_per_mtok=0, output_usd_per_mtok=0, window_tokens=8_192
)
WRONG, RIGHT = (f"```python\ndef f(x):\n    return x{how}\n```" for how in ("", " / 2"))


def problem(n: int) -> Problem:
    prompt = f"def f(x):\n    '''Halve x, task {n}.'''\n"
    return Problem(id=f"HumanEval/{n}", prompt=prompt, entry_point="f", public_tests="assert f(4) == 2", base_tests="")


def says(text: str) -> Completion:
    usage = Usage(prompt_tokens=50, completion_tokens=12)
    return Completion(text=text, model=MODEL, finish_reason="stop", usage=usage)


async def gate(program: str, tests: PublicTests) -> TrialOutcome:
    assert tests.text == "assert f(4) == 2"
    return TrialOutcome(passed="/ 2" in program, why="it halves" if "/ 2" in program else "f(4) gave 4")


async def collected(rows: Path, chat: Scripted, *problems: Problem, review: Review = "on_failure") -> None:
    ticks = itertools.count()
    own = CollectingChat(chat=chat, model=MODEL, rows=rows, clock=lambda: float(next(ticks)))
    await collect(problems, own, SETTINGS, gate=gate, review=review)


async def test_a_draft_and_the_review_of_one_that_failed_become_rows(tmp_path: Path) -> None:
    chat = Scripted(says(WRONG), says(RIGHT), says(RIGHT))
    await collected(tmp_path / "rows", chat, problem(0), problem(1))
    rows = read_recorded(tmp_path / "rows")
    assert [(row.problem, row.purpose, row.output) for row in rows] == [
        ("HumanEval/0", "draft", WRONG), ("HumanEval/0", "review", RIGHT), ("HumanEval/1", "draft", RIGHT),
    ]  # fmt: skip
    assert {(row.model, row.temperature, row.max_tokens, row.processor_s) for row in rows} == {(MODEL, 0.0, 64, 1.0)}
    assert "f(4) gave 4" in rows[1].messages[-1][1]


@pytest.mark.parametrize(("review", "calls"), [("never", 1), ("on_failure", 1), ("always", 2)])
async def test_a_draft_that_passes_is_reviewed_only_where_all_are(tmp_path: Path, review: Review, calls: int) -> None:
    chat = Scripted(says(RIGHT))
    await collected(tmp_path / "rows", chat, problem(0), review=review)
    assert len(chat.requests) == calls


@pytest.mark.parametrize("whole_lines", [0, 1, 2])
async def test_a_stopped_collection_makes_only_the_calls_that_are_left(tmp_path: Path, whole_lines: int) -> None:
    file = tmp_path / "rows"
    await collected(file, Scripted(says(WRONG), says(RIGHT)), problem(0))
    whole = read_recorded(file)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:whole_lines]))
    again = Scripted(*(says(row.output) for row in whole[whole_lines:]), says("not asked for"))
    await collected(file, again, problem(0))
    assert len(again.requests) == 2 - whole_lines
    assert read_recorded(file) == whole


async def test_a_line_that_a_kill_cut_short_is_asked_for_again(tmp_path: Path) -> None:
    file = tmp_path / "rows"
    await collected(file, Scripted(says(RIGHT)), *(problem(n) for n in range(2)))
    file.write_bytes(file.read_bytes()[:-20])
    again = Scripted(says(RIGHT))
    await collected(file, again, *(problem(n) for n in range(3)))
    assert len(again.requests) == 2
    assert [row.problem for row in read_recorded(file)] == [f"HumanEval/{n}" for n in range(3)]


def test_tasks_come_in_an_order_of_their_own() -> None:
    problems = [problem(n) for n in range(20)]
    ordered = in_order(problems)
    assert ordered != problems
    assert in_order(reversed(problems)) == ordered
    assert sorted(one.id for one in ordered) == sorted(one.id for one in problems)


async def test_kept_are_the_tasks_that_every_model_answered(tmp_path: Path) -> None:
    await collected(tmp_path / "small", Scripted(says(WRONG), says(RIGHT)), problem(0), problem(1))
    small = read_recorded(tmp_path / "small")
    large = [
        replace(row, model="large.gguf") for row in small if row.problem == "HumanEval/0" and row.purpose == "draft"
    ]
    kept = answered_by_all([small, large])
    assert [(row.model, row.problem, row.purpose) for row in kept] == [
        (MODEL, "HumanEval/0", "draft"), (MODEL, "HumanEval/0", "review"), ("large.gguf", "HumanEval/0", "draft"),
    ]  # fmt: skip
