"""The cascade over recordings."""

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cascade.errors import SandboxUnavailable
from eval.code.recorded_cascade import RecordedCascade, RecordedOptions
from eval.errors import Unusable
from eval.harness.runs import Run, RunOptions, answers_of, run_benchmark, scores_of
from eval.suite import benchmark_of
from memory.encoding.encoder import Encoder
from tirtha.settings import Settings

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
