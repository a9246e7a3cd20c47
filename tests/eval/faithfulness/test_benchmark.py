"""The guards as detectors of changed facts."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from eval.faithfulness.benchmark import Faithfulness, FaithfulnessOptions
from eval.harness.runs import RunOptions, run_benchmark
from memory.encoding.encoder import Encoder
from tirtha.settings import Settings

pytestmark = pytest.mark.slow

QUIET = Console(file=io.StringIO())


async def test_guards_tell_changed_facts_from_given_ones(
    shared_data: Path, settings: Settings, encoder: Encoder
) -> None:
    """The first answers only; docs/benchmarks/cascade.md has all of them."""
    benchmark = Faithfulness(
        options=FaithfulnessOptions(data=shared_data / "locomo_dev.json", limit=500), settings=settings, encoder=encoder
    )
    run = await run_benchmark("faithfulness", benchmark, options=RunOptions(), console=QUIET)
    figures: Any = run.report.figures
    assert figures["number, date, name"]["auroc"] >= 0.90
    assert figures["number, date, name"]["caught"] >= 0.95
    assert "negation" in figures, "what is hard to see is shown"
