"""The cascade's parts switched off, one at a time."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from eval.errors import Unusable
from eval.harness.runs import RunOptions, run_benchmark
from eval.locomo.policy_ablation import ARMS, PolicyAblation, PolicyAblationOptions
from memory.encoding.encoder import Encoder
from tests.support.chat_server import answers, chat_server
from tirtha.settings import Settings, TierSettings

pytestmark = pytest.mark.slow

QUIET = Console(file=io.StringIO())


async def test_the_cascade_without_its_parts_is_worse_or_dearer(
    data: Path, settings: Settings, encoder: Encoder
) -> None:
    with chat_server() as local, chat_server() as frontier:
        local.script = lambda request: answers("On 3 March 1999 in Timbuktu.", 1)  # of which no line says anything
        frontier.script = lambda request: answers("7 May 2023", 1)
        own = settings.model_copy(
            update={
                name: TierSettings(
                    url=server.url, model="scripted", input_usd_per_mtok=price, output_usd_per_mtok=price
                )
                for name, server, price in (("local", local, 0.1), ("frontier", frontier, 10))
            }
        )
        benchmark = PolicyAblation(options=PolicyAblationOptions(data=data, limit=1), settings=own, encoder=encoder)
        run = await run_benchmark("ablation", benchmark, options=RunOptions(), console=QUIET)
    figures: Any = run.report.figures
    assert set(ARMS) <= set(figures)
    assert figures["full"]["frontier"] == 1.0, "guards stop what no line says"
    assert figures["full"]["f1"] == 1.0
    assert figures["no verification"]["cheap"] == 1.0, "without them it is served"
    assert figures["no verification"]["difference"] < 0
    assert figures["no cache"]["cost_nanousd"] == 2 * figures["full"]["cost_nanousd"], "a repeat costs nothing"
    assert figures["no repair"]["cost_nanousd"] < figures["full"]["cost_nanousd"]


async def test_an_ablation_without_a_model_is_refused(data: Path, settings: Settings, encoder: Encoder) -> None:
    benchmark = PolicyAblation(options=PolicyAblationOptions(data=data), settings=settings, encoder=encoder)
    with pytest.raises(Unusable, match="nothing to switch off"):
        await run_benchmark("ablation", benchmark, options=RunOptions(), console=QUIET)
