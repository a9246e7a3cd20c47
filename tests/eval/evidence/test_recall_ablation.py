"""What recall's parts are worth, as a benchmark: on small files, and on the development data where it is."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from eval.errors import Unusable
from eval.evidence.ablation import SWITCHED_OFF, judge_without
from eval.evidence.recall_ablation import AblationOptions, RecallAblation
from eval.evidence.sets import read_set
from eval.harness.runs import RunOptions, run_benchmark
from eval.suite import benchmark_of
from eval.training.fitting import ask_conversations, held_out
from memory.encoding.encoder import Encoder
from memory.recall.reranker import Weights, reranked
from tests.eval.locomo.conversations import conversation
from tirtha.settings import Settings

QUIET = Console(file=io.StringIO())


def ablation(file: Path, settings: Settings, encoder: Encoder, **changes: Any) -> RecallAblation:
    return RecallAblation(
        options=AblationOptions(set="locomo", data=file, **changes), settings=settings, encoder=encoder
    )


def two(folder: Path) -> Path:
    one = conversation()
    one["qa"].append({"question": "What is the bird called?", "evidence": ["D2:1"], "category": 5})
    file = folder / "two.json"
    file.write_text(json.dumps([one, one | {"sample_id": "conv-2"}]))
    return file


def test_it_takes_two_conversations_with_answers(tmp_path: Path, settings: Settings, encoder: Encoder) -> None:
    one = conversation()
    other = one | {"sample_id": "conv-2", "qa": one["qa"][-1:]}
    (tmp_path / "two.json").write_text(json.dumps([one, other]))
    with pytest.raises(Unusable, match="two conversations"):
        ablation(tmp_path / "two.json", settings, encoder).ids()


async def test_every_part_is_judged_on_any_set(tmp_path: Path, settings: Settings, encoder: Encoder) -> None:
    benchmark = RecallAblation(options=AblationOptions(set="plain-facts", limit=2), settings=settings, encoder=encoder)
    assert benchmark.ids() == list(SWITCHED_OFF)
    found = await run_benchmark(
        "recall-ablation", ablation(two(tmp_path), settings, encoder), options=RunOptions(), console=QUIET
    )
    worth: Any = found.report.figures["ablation"]
    assert found.report.figures["errors"] == 0
    assert [one["part"] for one in worth["parts"]] == list(SWITCHED_OFF[1:])
    assert worth["by_kind"]["all"]["n"] == 6
    assert {*worth["by_kind"]} == {"all", "multi-hop", "temporal", "single-hop"}
    assert worth["auroc"] is not None
    again = benchmark_of(found.folder, settings=settings, encoder=encoder)
    assert isinstance(again, RecallAblation)
    assert (again.options.set, again.options.files()) == ("locomo", [Path("two.json")])


async def test_a_part_that_is_off_is_seen_by_neither_fit(tmp_path: Path, encoder: Encoder) -> None:
    asked = await ask_conversations("locomo", read_set("locomo", two(tmp_path)), encoder)
    spoiled = [one.features | {"speaker": np.full_like(one.features["speaker"], 9.0)} for one in asked]
    other = [type(one)(set=one.set, conversation=one.conversation, question=one.question, found=one.found, features=new)
             for one, new in zip(asked, spoiled, strict=True)]  # fmt: skip
    nothing = [reranked(Weights(intercept=0.0, weights={}), one.features) for one in asked]
    off, spoiled_off = (judge_without("speaker", each, full=nothing, budget=165) for each in (asked, other))
    assert off == spoiled_off
    assert off.probabilities


async def test_the_fit_has_no_chance_in_it(tmp_path: Path, encoder: Encoder) -> None:
    asked = await ask_conversations("locomo", read_set("locomo", two(tmp_path)), encoder)
    first, second = (held_out(asked, fitted_on=asked) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert (one.evidence == other.evidence).all()


@pytest.mark.slow
async def test_parts_are_switched_off_on_unseen_conversations(
    shared_data: Path, settings: Settings, encoder: Encoder, tmp_path: Path
) -> None:
    records = json.loads((shared_data / "locomo_dev.json").read_text())[:2]
    for record in records:
        record["qa"] = [
            qa for category in (1, 4, 5) for qa in [q for q in record["qa"] if q["category"] == category][:12]
        ]
    (tmp_path / "two.json").write_text(json.dumps(records))
    benchmark = ablation(tmp_path / "two.json", settings, encoder)
    found = await run_benchmark("recall-ablation", benchmark, options=RunOptions(), console=QUIET)
    worth: Any = found.report.figures["ablation"]
    assert 0 < worth["by_kind"]["all"]["evidence_recall"] < 1
    assert worth["auroc"] > 0.5
    assert worth["by_kind"]["all"]["n"] == sum(qa["category"] != 5 for record in records for qa in record["qa"])
    samples = found.folder / "samples.jsonl"
    kept = [line for line in samples.read_text().splitlines() if '"redundancy of lines"' not in line]
    samples.write_text("\n".join(kept) + "\n")
    again = await run_benchmark(
        "recall-ablation",
        ablation(tmp_path / "two.json", settings, encoder),
        options=RunOptions(folder=found.folder),
        console=QUIET,
    )
    assert again.report.figures == found.report.figures, "a part alone is judged again as it was"
