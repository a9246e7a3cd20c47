"""What recall's parts are worth, as a benchmark: on small files, and on the development data where it is."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from eval.harness.runs import Options, run_benchmark
from eval.locomo.ablation import SWITCHED_OFF
from eval.locomo.recall_ablation import RecallAblation
from eval.suite import benchmark_of
from memory.encoding.encoder import Encoder
from tests.eval.locomo.conversations import conversation
from tirtha.settings import Settings

QUIET = Console(file=io.StringIO())


def ablation(file: Path, settings: Settings, encoder: Encoder, **changes: Any) -> RecallAblation:
    return RecallAblation(settings=settings, encoder=encoder, file=file, **changes)


def test_it_takes_two_conversations_with_answers(tmp_path: Path, settings: Settings, encoder: Encoder) -> None:
    one = conversation()
    other = one | {"sample_id": "conv-2", "qa": one["qa"][-1:]}
    (tmp_path / "two.json").write_text(json.dumps([one, other]))
    with pytest.raises(ValueError, match="two conversations"):
        ablation(tmp_path / "two.json", settings, encoder).ids()


def test_every_part_is_judged_by_every_fit(tmp_path: Path, settings: Settings, encoder: Encoder) -> None:
    one = conversation()
    (tmp_path / "two.json").write_text(json.dumps([one, one | {"sample_id": "conv-2"}]))
    rows = ablation(tmp_path / "two.json", settings, encoder, fits=2).ids()
    assert rows == [f"{part}/{seed}" for seed in (1, 2) for part in SWITCHED_OFF]


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
    benchmark = ablation(tmp_path / "two.json", settings, encoder, fits=1)
    found = await run_benchmark(benchmark, settings=settings, options=Options(), console=QUIET)
    worth: Any = found.report.figures["ablation"]
    assert [one["part"] for one in worth["parts"]] == list(SWITCHED_OFF[1:])
    assert 0 < worth["mean"]["evidence_recall"] < 1
    assert worth["mean"]["auroc"] > 0.5
    assert worth["n"] == sum(qa["category"] != 5 for record in records for qa in record["qa"])
    assert isinstance(benchmark_of(found.folder, settings=settings, encoder=encoder), RecallAblation)
    samples = found.folder / "samples.jsonl"
    kept = [line for line in samples.read_text().splitlines() if '"news of a turn/1"' not in line]
    samples.write_text("\n".join(kept) + "\n")
    again = await run_benchmark(
        ablation(tmp_path / "two.json", settings, encoder, fits=1),
        settings=settings, options=Options(folder=found.folder), console=QUIET,
    )  # fmt: skip
    assert again.report.figures == found.report.figures, "a part alone is judged again as it was"
