"""The cascade over recordings."""

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cascade.errors import SandboxUnavailable
from cascade.model import Completion, Usage
from cascade.sandbox import Sandbox
from eval.code.collecting import CollectingChat, answered_by_all, collect, in_order
from eval.code.data import read_problems
from eval.code.policies import GATE, Review
from eval.code.recorded_cascade import RecordedCascade, RecordedOptions
from eval.code.recordings import RecordedCompletion, read_recorded, write_recorded
from eval.errors import Unusable
from eval.harness.runs import Run, RunOptions, answers_of, run_benchmark, scores_of
from eval.suite import benchmark_of
from memory.encoding.encoder import Encoder
from tests.support.tiers import Scripted
from tirtha.settings import Settings, TierSettings

pytestmark = pytest.mark.slow


async def run(recordings: Path, settings: Settings, encoder: Encoder, **changes: Any) -> Run:
    benchmark = RecordedCascade(
        options=RecordedOptions(recordings=recordings, **changes), settings=settings, encoder=encoder
    )
    return await run_benchmark("cascade", benchmark, options=RunOptions(at_once=2), console=Console(quiet=True))


async def test_a_run_adds_up_and_shows_the_curve(shared_data: Path, settings: Settings, encoder: Encoder) -> None:
    try:
        found = await run(shared_data / "humaneval_recorded.jsonl.gz", settings, encoder, limit=4)
    except SandboxUnavailable as fault:
        pytest.skip(str(fault))
    figures: Any = found.report.figures["policies"]
    cheap, frontier = figures["solo cheap"], figures["solo frontier"]
    assert [cheap[name] for name in ("n", "escalated", "cheap_share")] == [4, 0, 1]
    assert (frontier["escalated"], frontier["ratio"]) == (1, 1)
    assert cheap["ratio"] > 10
    one = figures["cascade, docstring gate, 1 cheap"]
    assert cheap["cost_nanousd"] <= one["cost_nanousd"] < frontier["cost_nanousd"]
    assert one["cheap_share"] + one["escalated"] == pytest.approx(1)
    answers, scores = answers_of(found.folder), scores_of(found.folder)
    served: list[Any] = [one for answer in answers.values() for one in answer.value["served"]]  # type: ignore[union-attr]
    assert sum(one["cost_nanousd"] for one in served if (one["policy"], one["rotation"]) == ("solo cheap", 0)) == round(
        4 * cheap["cost_nanousd"]
    )
    assert not any("plus" in answer.value for answer in answers.values())
    again = benchmark_of(found.folder, settings=settings, encoder=encoder)
    assert again.report([answers[id_] for id_ in sorted(answers)], scores).figures == found.report.figures
    marks = again.marks(answers["HumanEval/0"], scores["HumanEval/0"])
    assert set(marks) == set(figures)
    assert found.report.tables[0].title == "Recorded: humaneval_recorded.jsonl.gz, n = 4"


@pytest.mark.parametrize("named", [{"cheap": "nobody"}, {"cheap": "gpt-3.5-turbo-0125", "frontier": "gpt-5"}])
async def test_models_that_are_not_recorded_are_named(
    shared_data: Path, settings: Settings, encoder: Encoder, named: dict[str, str]
) -> None:
    with pytest.raises(Unusable, match="name two of the recorded models"):
        await run(shared_data / "humaneval_recorded.jsonl.gz", settings, encoder, **named)


PROGRAM = "```python\ndef halve(x):\n    return {}\n```"
WRONG, BASE_ONLY, RIGHT = (PROGRAM.format(how) for how in ("x", "x // 2", "x / 2"))
PRICES = {"small.gguf": "1/1", "large.gguf": "10/10"}


async def recorded(folder: Path, hidden: Path, model: str, *replies: str, review: Review) -> Path:
    """Have a scripted model asked for both tasks of the fixture, in the order in which a collection asks."""
    gate = (await Sandbox.found(limits=GATE)).try_program
    usage = Usage(prompt_tokens=90, completion_tokens=10)
    said = (Completion(text=text, model=model, finish_reason="stop", usage=usage) for text in replies)
    seconds = itertools.count(step=4 if model.startswith("large") else 1)
    chat = CollectingChat(chat=Scripted(*said), model=model, rows=folder / model, clock=lambda: float(next(seconds)))
    free = {"input_usd_per_mtok": 0, "output_usd_per_mtok": 0, "window_tokens": 8_192, "max_tokens": 64, "tries": 1}
    problems = in_order(read_problems(hidden, folder / "humaneval_public_tests.json").values())
    await collect(problems, chat, TierSettings.model_validate({"gguf": model, **free}), gate=gate, review=review)
    return folder / model


async def collected(folder: Path, hidden: Path, *small: str) -> list[RecordedCompletion]:
    """Return the rows of a small model that says this, and of a large one that is right each time."""
    tests = {f"HumanEval/{n}": ["assert halve(4) == 2"] for n in range(2)}
    (folder / "humaneval_public_tests.json").write_text(json.dumps(tests))
    files = [
        await recorded(folder, hidden, "small.gguf", *small, review="on_failure"),
        await recorded(folder, hidden, "large.gguf", RIGHT, review="never"),
    ]
    return answered_by_all([read_recorded(file) for file in files])


@pytest.mark.usefixtures("scorer")
async def test_repairs_that_were_recorded_are_replayed(
    hidden: Path, tmp_path: Path, settings: Settings, encoder: Encoder
) -> None:
    rows = await collected(tmp_path, hidden, WRONG, RIGHT, WRONG, WRONG)
    write_recorded(rows, tmp_path / "rows.jsonl.gz")
    found = await run(tmp_path / "rows.jsonl.gz", settings, encoder, price=PRICES, problems=hidden)
    figures: Any = found.report.figures["policies"]
    shown = {
        name: [one[part] for part in ("plus", "served", "cheap_share", "escalated")] for name, one in figures.items()
    }
    assert shown == {
        "solo cheap": [0, 2, 1, 0],
        "solo frontier": [2, 2, 0, 1],
        "cascade, docstring gate, repair": [2, 2, 0.5, 0.5],
        "the same, serving only what passes": [2, 2, 0.5, 0.5],
        "the same, without the frontier tier": [1, 2, 1, 0],
        "cascade, docstring gate, 1 cheap": [2, 2, 0, 1],
        "cascade, base-test gate, 1 cheap": [2, 2, 0, 1],
        "without verification (form only)": [0, 2, 1, 0],
        "without guards (nothing)": [0, 2, 1, 0],
    }
    assert figures["cascade, docstring gate, repair"]["seconds"] == (1 + 1 + 1 + 1 + 4) / 2
    assert figures["solo frontier"]["seconds_ratio"] == 1
    assert figures["cascade, docstring gate, repair"]["cost_nanousd"] == (4 * 100_000 + 1_000_000) / 2


@pytest.mark.usefixtures("scorer")
async def test_what_passes_the_examples_may_still_be_wrong_and_what_passes_nothing_is_not_served(
    hidden: Path, tmp_path: Path, settings: Settings, encoder: Encoder
) -> None:
    rows = await collected(tmp_path, hidden, BASE_ONLY, WRONG, WRONG)
    above = [replace(row, output=WRONG) if row.model == "large.gguf" else row for row in rows]
    write_recorded(above, tmp_path / "rows.jsonl.gz")
    found = await run(tmp_path / "rows.jsonl.gz", settings, encoder, price=PRICES, problems=hidden)
    figures: Any = found.report.figures["policies"]
    careful = figures["the same, serving only what passes"]
    assert [careful[name] for name in ("base", "plus", "served")] == [1, 0, 1]
    assert figures["cascade, docstring gate, repair"]["served"] == 2


@pytest.mark.usefixtures("scorer")
async def test_a_task_whose_repair_was_not_recorded_is_an_error_and_not_a_wrong_answer(
    hidden: Path, tmp_path: Path, settings: Settings, encoder: Encoder
) -> None:
    rows = await collected(tmp_path, hidden, WRONG, RIGHT, WRONG, RIGHT)
    lacking = [row for row in rows if row.purpose == "draft" or row.problem == "HumanEval/0"]
    write_recorded(lacking, tmp_path / "rows.jsonl.gz")
    found = await run(tmp_path / "rows.jsonl.gz", settings, encoder, price=PRICES, problems=hidden)
    assert found.report.figures["errors"] == 1
    policies: Any = found.report.figures["policies"]
    assert {one["n"] for one in policies.values()} == {1}
