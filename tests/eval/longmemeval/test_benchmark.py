"""The LongMemEval runner: three denominators, the official hypothesis file out, resumable, answers judged by type."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from eval.errors import Unusable
from eval.harness.baselines import RANKINGS
from eval.harness.runs import Run, RunOptions, answers_of, run_benchmark, scores_of
from eval.longmemeval.benchmark import LongMemEval, LongMemEvalOptions
from memory.encoding.encoder import Encoder
from tests.support.chat_server import Reply, chat_server, says
from tirtha.settings import Settings, TierSettings

pytestmark = pytest.mark.slow

QUIET = Console(file=io.StringIO())


async def run(data: Path, settings: Settings, encoder: Encoder, folder: Path | None = None, **changes: Any) -> Run:
    benchmark = LongMemEval(options=LongMemEvalOptions(data=data, **changes), settings=settings, encoder=encoder)
    found = await run_benchmark("longmemeval", benchmark, options=RunOptions(folder=folder), console=QUIET)
    assert found.report.tables
    return found


async def test_the_three_denominators(data: Path, settings: Settings, encoder: Encoder) -> None:
    figures: Any = (await run(data, settings, encoder, baselines=True)).report.figures["retrieval"]
    assert set(figures) == {"tirtha", *RANKINGS}
    ours = figures["tirtha"]["sessions"]
    assert [ours[name]["n"] for name in ("all", "without abstention", "strict")] == [3, 2, 1]
    assert ours["strict"]["recall_all@1"] == 1.0
    assert ours["without abstention"]["recall_any@50"] == 0.5, "as the paper prints it: no target, no hit"
    assert ours["without abstention"]["recall_all@50"] == 1.0, "and all of nothing"
    assert ours["all"]["recall_all@50"] == 1.0
    assert figures["tirtha"]["turns"]["strict"]["n"] == 1


async def test_the_hypothesis_file_and_resuming(
    data: Path, settings: Settings, encoder: Encoder, tmp_path: Path
) -> None:
    unbroken = await run(data, settings, encoder, tmp_path / "unbroken")
    folder = tmp_path / "run"
    await run(data, settings, encoder, folder)
    samples = folder / "samples.jsonl"
    samples.write_text(samples.read_text().rstrip()[:-40])  # as a crash in the middle of a line leaves it
    before = samples.read_text()
    whole = await run(data, settings, encoder, folder)
    assert samples.read_text().startswith(before), "what was done is not done again"
    lines = [json.loads(line) for line in (folder / "hypotheses.jsonl").read_text().splitlines()]
    assert [set(line) for line in lines] == [{"question_id", "hypothesis"}] * 3
    assert [line["question_id"] for line in lines] == ["q1", "q2_abs", "q3"]
    assert whole.report.figures == unbroken.report.figures


async def test_answers_are_judged_by_type_and_abstention_apart(
    data: Path, settings: Settings, encoder: Encoder
) -> None:
    asked: list[str] = []

    def judge(request: dict[str, Any]) -> Reply:
        asked.append(request["messages"][-1]["content"])
        return says("Yes.", model="a-judge")

    with chat_server("a-judge") as server:
        server.script = judge
        tier = TierSettings(url=server.url, model="a-judge", input_usd_per_mtok=1, output_usd_per_mtok=1)
        own = settings.model_copy(update={"frontier": tier})
        found = await run(data, own, encoder, judge="frontier")
    answers: Any = found.report.figures["answers"]
    assert answers["overall"] == {"n": 3, "right": 3}
    assert answers["abstention"] == {"n": 1, "right": 1}
    assert any("Unofficial judge: a-judge" in note for note in found.report.notes)
    assert sum("cannot be answered" in prompt for prompt in asked) == 1
    assert found.report.figures["cost_nanousd"] == sum(
        one.cost_nanousd for one in scores_of(found.folder).values()
    ) + sum(one.cost_nanousd for one in answers_of(found.folder).values())


async def test_a_folder_of_another_run_is_refused(
    data: Path, settings: Settings, encoder: Encoder, tmp_path: Path
) -> None:
    await run(data, settings, encoder, tmp_path / "run", limit=1)
    with pytest.raises(Unusable, match="another benchmark, config"):
        await run(data, settings, encoder, tmp_path / "run", budget=330)
