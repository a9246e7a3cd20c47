"""The LoCoMo runner, on a conversation small enough to check by hand and on the development data where it is."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from eval.harness.baselines import BASELINES
from eval.harness.runs import Options, Run, answers_of, run_benchmark
from eval.locomo.ablation import SWITCHED_OFF
from eval.locomo.evidence import LADDER, LocomoEvidence
from eval.suite import benchmark_of
from memory.encoding.encoder import Encoder
from tests.eval.locomo.conversations import conversation
from tirtha.settings import Settings

QUIET = Console(file=io.StringIO())


async def run(data: Path, settings: Settings, encoder: Encoder, **changes: Any) -> Run:
    benchmark = LocomoEvidence(settings=settings, encoder=encoder, file=data, **changes)
    return await run_benchmark(benchmark, settings=settings, options=Options(), console=QUIET)


async def test_figures_follow_from_the_samples(data: Path, settings: Settings, encoder: Encoder) -> None:
    found = await run(data, settings, encoder)
    figures: Any = found.report.figures
    by_category = figures["by_category"]
    assert {name: one["n"] for name, one in by_category.items()} == {
        "multi-hop": 1, "temporal": 1, "single-hop": 1, "all": 3,
    }  # fmt: skip
    assert by_category["all"]["evidence_recall"] == by_category["all"]["all_evidence_rate"] == 1.0, "it all fits"
    assert by_category["temporal"]["answer_word_recall"] == 1.0, "the date is resolved"
    assert by_category["all"]["tokens_max"] <= 165
    assert figures["compaction_ratio"] == pytest.approx(figures["raw_tokens_mean"] / figures["context_tokens_mean"])
    assert {budget: one["n"] for budget, one in figures["ladder"].items()} == {str(budget): 3 for budget in LADDER}
    assert figures["answerability"] is not None
    answers = answers_of(found.folder)
    assert len(answers) == 4, "the adversarial question is asked, too"
    again = benchmark_of(found.folder, settings=settings, encoder=encoder)
    assert again.report([answers[id_] for id_ in sorted(answers)], {}).figures == figures, "from the rows alone"
    assert again.marks(answers["conv-1:0"], None) == {"evidence recall": 1.0, "all evidence": 1.0}
    assert again.marks(answers["conv-1:4"], None) == {}


async def test_baselines_get_the_same_questions_and_budget(data: Path, settings: Settings, encoder: Encoder) -> None:
    figures: Any = (await run(data, settings, encoder, budget=60, baselines=True, ladder=False)).report.figures
    assert set(figures["baselines"]) == set(BASELINES)
    assert all(one["n"] == 3 and one["tokens_max"] <= 60 for one in figures["baselines"].values())
    assert figures["ladder"] == {}


async def test_a_small_budget_costs_evidence(data: Path, settings: Settings, encoder: Encoder) -> None:
    figures: Any = (await run(data, settings, encoder, budget=24, limit=1)).report.figures
    assert figures["by_category"]["all"]["n"] == 1
    assert figures["by_category"]["all"]["tokens_max"] <= 24


async def test_the_ablation_takes_two_conversations_with_answers(
    tmp_path: Path, settings: Settings, encoder: Encoder
) -> None:
    one = conversation()
    other = one | {"sample_id": "conv-2", "qa": one["qa"][-1:]}
    (tmp_path / "two.json").write_text(json.dumps([one, other]))
    ids = LocomoEvidence(settings=settings, encoder=encoder, file=tmp_path / "two.json").ids()
    assert not any(id_.startswith("without/") for id_ in ids), "one of them has only an adversarial question"


async def test_the_ablation_judges_every_part_by_every_fit(
    tmp_path: Path, settings: Settings, encoder: Encoder
) -> None:
    one = conversation()
    (tmp_path / "two.json").write_text(json.dumps([one, one | {"sample_id": "conv-2"}]))
    benchmark = LocomoEvidence(settings=settings, encoder=encoder, file=tmp_path / "two.json", fits=2)
    rows = [id_ for id_ in benchmark.ids() if id_.startswith("without/")]
    assert rows == [f"without/{part}/{seed}" for seed in (1, 2) for part in SWITCHED_OFF]


@pytest.mark.slow
async def test_the_development_conversations(
    shared_data: Path, settings: Settings, encoder: Encoder, tmp_path: Path
) -> None:
    """Two of the conversations keep the whole run short; the figures of all five are in docs/benchmarks.md."""
    records = json.loads((shared_data / "locomo_dev.json").read_text())[:2]
    (tmp_path / "two.json").write_text(json.dumps(records))
    figures: Any = (await run(tmp_path / "two.json", settings, encoder, ladder=False, ablation=False)).report.figures
    overall = figures["by_category"]["all"]
    assert overall["tokens_max"] <= 165
    assert overall["evidence_recall"] >= 0.70
    assert figures["answerability"]["auroc"] >= 0.80
    assert figures["compaction_ratio"] >= 80


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
    found = await run(tmp_path / "two.json", settings, encoder, ladder=False, fits=1)
    ablation: Any = found.report.figures["ablation"]
    assert [one["part"] for one in ablation["parts"]] == list(SWITCHED_OFF[1:])
    assert 0 < ablation["mean"]["evidence_recall"] < 1
    assert ablation["mean"]["auroc"] > 0.5
    assert ablation["n"] == found.report.figures["by_category"]["all"]["n"]  # type: ignore[index, call-overload]
    samples = found.folder / "samples.jsonl"
    before = samples.read_text()
    kept = [line for line in before.splitlines() if '"without/news of a turn/1"' not in line]
    samples.write_text("\n".join(kept) + "\n")
    again = await run_benchmark(
        LocomoEvidence(settings=settings, encoder=encoder, file=tmp_path / "two.json", ladder=False, fits=1),
        settings=settings, options=Options(folder=found.folder), console=QUIET,
    )  # fmt: skip
    assert again.report.figures == found.report.figures, "a part alone is judged again as it was"
