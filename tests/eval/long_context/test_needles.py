"""Needles and chains of them: named once, and found whole."""

import io
from typing import Any

import pytest
from rich.console import Console

from eval.harness.runs import RunOptions, run_benchmark
from eval.long_context.needles import NeedleOptions, Needles, chains
from memory.encoding.encoder import Encoder
from tests.support.chat_server import chat_server, says
from tirtha.settings import Settings, TierSettings

pytestmark = pytest.mark.slow

QUIET = Console(file=io.StringIO())


def test_chains_name_everything_once_and_only_neighbours_share_a_name() -> None:
    made = chains(1, [(hops, 0.0) for hops in (1, 2, 3, 4)])
    assert made == chains(1, [(hops, 0.0) for hops in (1, 2, 3, 4)])
    assert made != chains(2, [(hops, 0.0) for hops in (1, 2, 3, 4)])
    for hops, chain in enumerate(made, 1):
        assert len(chain.facts) == hops
        assert chain.answer in chain.facts[-1]
        assert chain.answer not in chain.question
        if hops > 2:
            first = set(chain.facts[0].rstrip(".").split())
            assert not {word for word in first & set(chain.facts[-1].split()) if word.istitle()} - {"The"}


async def test_whole_chains_are_found_and_raw_prompts_are_refused_where_they_do_not_fit(
    settings: Settings, encoder: Encoder
) -> None:
    benchmark = Needles(
        options=NeedleOptions(lengths=(2_000, 8_000), depths=(0.0, 0.5), raw_window=4_000),
        settings=settings,
        encoder=encoder,
    )
    run = await run_benchmark("niah", benchmark, options=RunOptions(), console=QUIET)
    cells: Any = run.report.figures["cells"]
    assert all(cell["evidence_recall"] == 1 for cell in cells.values()), cells
    assert all(cell["context_tokens_max"] <= 165 for cell in cells.values())
    assert {cell["raw_not_asked"] for name, cell in cells.items() if name.startswith("2000/")} == {2}
    assert {cell["raw_refused"] for name, cell in cells.items() if name.startswith("8000/")} == {2}
    assert run.report.figures["cache_hits"] == 0
    assert run.report.notes


async def test_a_model_reads_the_raw_prompt_and_its_answers_are_scored(settings: Settings, encoder: Encoder) -> None:
    with chat_server() as server:
        server.script = lambda request: says("no idea")
        tier = TierSettings(url=server.url, model="m", input_usd_per_mtok=1, output_usd_per_mtok=1, max_tokens=64)
        own = settings.model_copy(update={"frontier": tier})
        benchmark = Needles(
            options=NeedleOptions(lengths=(1_500,), hops=(1,), depths=(0.5,)), settings=own, encoder=encoder
        )
        run = await run_benchmark("niah", benchmark, options=RunOptions(), console=QUIET)
    cells: Any = run.report.figures["cells"]
    assert cells["1500/1 hop"]["raw_wrong"] == 1
    assert any("Question: What is the access code" in r["messages"][-1]["content"] for r in server.requests)
    assert not run.report.notes
