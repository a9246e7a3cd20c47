"""The scorer's verdicts agree with evalplus."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from eval.code.preflight import Preflight, PreflightOptions
from eval.harness.runs import RunOptions, run_benchmark
from memory.encoding.encoder import Encoder
from tirtha.settings import Settings

QUIET = Console(file=io.StringIO())


@pytest.mark.slow
@pytest.mark.usefixtures("scorer")
async def test_verdicts_are_those_of_evalplus(shared_data: Path, settings: Settings, encoder: Encoder) -> None:
    """A tenth of the tasks keeps it short; `tirtha eval preflight` does all of them."""
    benchmark = Preflight(
        options=PreflightOptions(hidden=shared_data / "HumanEvalPlus.jsonl.gz", mutants=2, limit=16),
        settings=settings,
        encoder=encoder,
    )
    run = await run_benchmark("preflight", benchmark, options=RunOptions(at_once=2), console=QUIET)
    assert run.report.figures["not_as_wanted"] == []
    counts: Any = run.report.figures
    assert counts["canonical"] == {"n": 16, "base": 16, "plus": 16, "agrees": 16}
    assert counts["mutant"]["n"] >= 30
    assert counts["exploit"]["base"] == 0
