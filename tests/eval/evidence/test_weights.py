"""A run over other weights than the shipped ones: it uses them, and says what they are."""

import io
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from eval.evidence.benchmark import EvidenceBenchmark, EvidenceOptions
from eval.evidence.report import OURS
from eval.evidence.weights import fitted_on, set_apart, weights_sha256
from eval.harness.manifest import sha256_of
from eval.harness.runs import Run, RunOptions, answers_of, run_benchmark
from eval.suite import benchmark_of
from eval.training.sets import LICENCES
from memory.encoding.encoder import BUNDLED_MODEL, Encoder
from memory.recall.reranker import MODELS
from tests.eval.locomo.conversations import conversation
from tirtha.settings import Settings

QUIET = Console(file=io.StringIO())
SHIPPED = ("beam", "dialogues", "plain-facts", "transcripts")


def folder_of(folder: Path, weights: Mapping[str, float], fitted: tuple[str, ...]) -> Path:
    """Write a folder of weights of which the re-ranker's are these."""
    shutil.copytree(MODELS, folder, ignore=shutil.ignore_patterns("*.npz"))
    card = {"data": {name: {"licence": LICENCES[name]} for name in fitted}}
    (folder / "reranker.json").write_text(json.dumps({"intercept": 0.0, "weights": dict(weights), "card": card}))
    return folder


@pytest.mark.parametrize(
    ("fitted", "described"),
    [
        (SHIPPED, ""),
        (SHIPPED[1:], "fitted without beam"),
        ((*SHIPPED[:2], "locomo", "realtalk"), "fitted without plain-facts and transcripts, with locomo and realtalk"),
        ((), "no card of a fit"),
    ],
)
def test_a_title_says_what_sets_weights_apart(fitted: tuple[str, ...], described: str) -> None:
    assert set_apart(fitted) == described


def test_the_plain_fusion_was_fitted_on_nothing(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "weights", {"fusion": 1.0}, SHIPPED)
    assert fitted_on(BUNDLED_MODEL, folder) == SHIPPED
    assert fitted_on("another", folder) == ()


async def test_a_run_uses_the_weights_and_says_what_they_are(
    tmp_path: Path, settings: Settings, encoder: Encoder
) -> None:
    (tmp_path / "locomo.json").write_text(json.dumps([conversation()]))
    weights = {
        "best": folder_of(tmp_path / "best", {"fusion": 4.0}, (*SHIPPED, "locomo")),
        "worst": folder_of(tmp_path / "worst", {"fusion": -4.0}, SHIPPED[1:]),
    }

    async def run(name: str) -> Run:
        benchmark = EvidenceBenchmark(
            options=EvidenceOptions(set="locomo", data=tmp_path / "locomo.json", models=weights[name]),
            settings=settings,
            encoder=encoder,
        )
        return await run_benchmark("locomo", benchmark, options=RunOptions(), console=QUIET)

    best, worst = await run("best"), await run("worst")
    assert (best.report.title, worst.report.title) == (
        "Evidence, locomo, fitted with locomo",
        "Evidence, locomo, fitted without beam",
    )
    assert [any("figures are in sample" in note for note in one.report.notes) for one in (best, worst)] == [True, False]
    first: list[Any] = [one.report.figures["by_kind"]["all"]["systems"][OURS]["right first"] for one in (best, worst)]  # type: ignore[call-overload,index]
    assert first[0] > first[1], "the worst candidate first"

    config = json.loads((worst.folder / "manifest.json").read_text())["config"]
    assert config["fitted_on"] == [*SHIPPED[1:]]
    assert config["weights_sha256"]["reranker.json"] == sha256_of(weights["worst"] / "reranker.json")
    assert config["weights_sha256"] == weights_sha256(weights["worst"])

    shutil.rmtree(weights["worst"])
    again = benchmark_of(worst.folder, settings=settings, encoder=encoder)
    assert again.report([*answers_of(worst.folder).values()], {}).title == worst.report.title, "from the run alone"
