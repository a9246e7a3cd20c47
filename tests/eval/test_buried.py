"""Needles, chains and context rot: what is hidden is there once, lengths are exact, and the memory finds whole chains."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from compaction.tokens import count_tokens
from eval.haystack import bury, paragraphs, take
from eval.niah import Needles, chains
from eval.rot import ContextRot
from eval.runs import Options, run_benchmark
from eval.suite import compare
from memory.encoder import Encoder
from tests.support.chat_server import chat_server, says
from tirtha.settings import Settings, TierSettings

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


def test_what_is_hidden_lies_at_its_depth_and_the_length_is_kept() -> None:
    texts = bury([(0.0, "FIRST"), (0.5, "MIDDLE"), (1.0, "LAST")], tokens=2_000, filler=paragraphs(3))
    assert texts[0] == "FIRST"
    assert texts[-1] == "LAST"
    assert abs(texts.index("MIDDLE") - len(texts) / 2) <= 2
    assert 1_800 <= count_tokens("\n".join(texts)) <= 2_000
    with pytest.raises(ValueError, match="more than the 1 of the history"):
        bury([(0.0, "much too long")], tokens=1, filler=paragraphs(3))


def test_filler_never_says_anything_twice_and_a_short_text_is_no_haystack(tmp_path: Path) -> None:
    sentences = " ".join(take(paragraphs(1), 20_000)).split(". ")
    assert len(set(sentences)) == len(sentences)
    (tmp_path / "short.txt").write_text("One.\n\nTwo.")
    with pytest.raises(ValueError, match="give a longer --haystack"):
        take(paragraphs(1, tmp_path / "short.txt"), 100)


async def test_whole_chains_are_found_and_raw_prompts_are_refused_where_they_do_not_fit(
    settings: Settings, encoder: Encoder
) -> None:
    benchmark = Needles(settings=settings, encoder=encoder, lengths=(2_000, 8_000), depths=(0.0, 0.5), raw_window=4_000)
    run = await run_benchmark(benchmark, settings=settings, options=Options(), console=QUIET)
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
        benchmark = Needles(settings=own, encoder=encoder, lengths=(1_500,), hops=(1,), depths=(0.5,))
        run = await run_benchmark(benchmark, settings=own, options=Options(), console=QUIET)
    cells: Any = run.report.figures["cells"]
    assert cells["1500/1 hop"]["raw_wrong"] == 1
    assert any("Question: What is the access code" in r["messages"][-1]["content"] for r in server.requests)
    assert not run.report.notes


async def test_rot_asks_the_same_questions_at_every_length_and_runs_compare(
    settings: Settings, encoder: Encoder
) -> None:
    folders = []
    for budget in (165, 40):
        benchmark = ContextRot(settings=settings, encoder=encoder, lengths=(1_000, 6_000), budget=budget)
        folders.append((await run_benchmark(benchmark, settings=settings, options=Options(), console=QUIET)).folder)
    lengths: Any = benchmark.report([], {}).figures["lengths"]
    assert lengths == {}
    [table] = compare(folders, settings=settings, encoder=encoder)
    assert [row[0] for row in table.rows] == ["evidence recall", "right"]
    assert table.rows[0][4].startswith("-"), "fewer tokens, less evidence"
    history = benchmark.history(6_000)
    assert 10 <= len(history.hidden) <= 14
    assert all(fact in history.text for hidden in history.hidden.values() for fact in hidden.facts)
