"""A run of RULER, by memory and by raw prompt."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from eval.harness.runs import RunOptions, run_benchmark
from eval.long_context.ruler import Ruler, RulerOptions
from memory.encoding.encoder import Encoder
from tirtha.settings import Settings

pytestmark = pytest.mark.slow

QUIET = Console(file=io.StringIO())


async def test_a_run_by_memory_and_raw(settings: Settings, encoder: Encoder, tmp_path: Path) -> None:
    tasks = ("niah_single_2", "niah_multikey_2", "vt")
    benchmark = Ruler(
        options=RulerOptions(tasks=tasks, lengths=(1_500,), samples=1, raw_window=1_000),
        settings=settings,
        encoder=encoder,
    )
    run = await run_benchmark("ruler", benchmark, options=RunOptions(), console=QUIET)
    figures: Any = run.report.figures
    assert figures["niah_single_2/1500"]["held"] == 1.0
    assert figures["niah_multikey_2/1500"]["held"] == 1.0
    assert all(figures[f"{task}/1500"]["raw_refused"] == 1 for task in tasks)
    lines = [json.loads(line) for line in (run.folder / "ruler_vt.jsonl").read_text().splitlines()]
    assert set(lines[0]) == {"index", "pred", "input", "outputs", "others", "truncated", "length"}
    assert {file.name for file in benchmark.export(tmp_path / "data")} == {f"{task}_1500.jsonl" for task in tasks}
