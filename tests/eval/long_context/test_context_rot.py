"""Context rot: the same questions at every length."""

import io
from typing import Any

import pytest
from rich.console import Console

from eval.harness.runs import RunOptions, run_benchmark
from eval.long_context.context_rot import ContextRot, RotOptions
from eval.suite import compare
from memory.encoding.encoder import Encoder
from tirtha.settings import Settings

QUIET = Console(file=io.StringIO())


@pytest.mark.slow
async def test_rot_asks_the_same_questions_at_every_length_and_runs_compare(
    settings: Settings, encoder: Encoder
) -> None:
    folders = []
    for budget in (165, 40):
        benchmark = ContextRot(
            options=RotOptions(lengths=(1_000, 6_000), budget=budget), settings=settings, encoder=encoder
        )
        folders.append((await run_benchmark("rot", benchmark, options=RunOptions(), console=QUIET)).folder)
    lengths: Any = benchmark.report([], {}).figures["lengths"]
    assert lengths == {}
    [table] = compare(folders, settings=settings, encoder=encoder)
    assert [row[0] for row in table.rows] == ["evidence recall", "right"]
    assert table.rows[0][4].startswith("-"), "fewer tokens, less evidence"
    history = benchmark.history(6_000)
    assert 10 <= len(history.hidden) <= 14
    assert all(fact in history.text for hidden in history.hidden.values() for fact in hidden.facts)
