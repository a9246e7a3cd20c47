"""The scorer's verdicts agree with evalplus."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from eval.code.preflight import Preflight
from eval.harness.runs import Options, run_benchmark
from tirtha.settings import Settings

QUIET = Console(file=io.StringIO())


@pytest.mark.slow
@pytest.mark.usefixtures("scorer")
async def test_verdicts_are_those_of_evalplus(shared_data: Path, settings: Settings) -> None:
    """A tenth of the tasks keeps it short; `tirtha eval preflight` does all of them."""
    benchmark = Preflight(hidden=shared_data / "HumanEvalPlus.jsonl.gz", per_task=2, limit=16)
    run = await run_benchmark(benchmark, settings=settings, options=Options(at_once=2), console=QUIET)
    assert run.report.figures["not_as_wanted"] == []
    counts: Any = run.report.figures
    assert counts["canonical"] == {"n": 16, "base": 16, "plus": 16, "agrees": 16}
    assert counts["mutant"]["n"] >= 30
    assert counts["exploit"]["base"] == 0
