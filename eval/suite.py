"""All benchmarks that run in run folders: which one made a run, how two runs compare, and a small run of everything offline."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from eval.answers.benchmark import SetAnswers
from eval.code.benchmark import CodeBenchmark
from eval.code.preflight import Preflight
from eval.code.recorded_cascade import RecordedCascade
from eval.evidence.benchmark import EvidenceBenchmark
from eval.evidence.recall_ablation import RecallAblation
from eval.faithfulness.benchmark import Faithfulness
from eval.harness.intervals import paired_difference
from eval.harness.report import Table
from eval.harness.runs import Benchmark, answers_of, scores_of
from eval.locomo.policy_ablation import PolicyAblation
from eval.long_context.context_rot import ContextRot
from eval.long_context.needles import Needles
from eval.long_context.ruler import Ruler
from eval.longmemeval.benchmark import LongMemEval
from eval.swe_bench.benchmark import SweBench
from memory.encoding.encoder import Encoder
from tirtha.settings import Settings

__all__ = ["Part", "benchmark_of", "compare", "list_table", "smoke_parts"]


def benchmark_of(folder: Path, *, settings: Settings, encoder: Encoder) -> Benchmark:  # noqa: C901, PLR0911, PLR0912 - one case a benchmark
    """Give the benchmark that a run is of, to read its rows. Raises ValueError for a folder that holds no run of ours."""
    file = folder / "manifest.json"
    if not file.exists():
        raise ValueError(f"{folder} holds no run: there is no manifest.json in it")
    manifest: dict[str, Any] = json.loads(file.read_text("utf-8"))
    config = manifest["config"]
    data = [Path(name) for name in manifest["data_sha256"]] or [Path("generated")]
    given: dict[str, Any] = {"settings": settings, "encoder": encoder}
    match manifest["benchmark"]:
        case "niah":
            return Needles(**given, hops=config["hops"], budget=config["budget"])
        case "ruler":
            return Ruler(**given, budget=config["budget"])
        case "rot":
            return ContextRot(**given, budget=config["budget"])
        case "longmemeval":
            return LongMemEval(**given, file=data[0], budget=config["budget"], judge=config["judge"])
        case str(name) if name.startswith("evidence-"):
            fitted_on = tuple(config.get("fitted_on", ()))
            return EvidenceBenchmark(**given, set=config["set"], size=config["size"], fitted_on=fitted_on, path=data[0])
        case "recall-ablation":
            asked = {name: config[name] for name in ("set", "size", "budget")}
            return RecallAblation(**given, **asked, path=data[0])
        case "cascade":
            return RecordedCascade(recordings=Path(config["recordings"]))
        case str(name) if name.endswith("-qa"):
            asked = {name: config[name] for name in ("set", "budget", "judge", "systems", "stuffed_tokens", "hour_usd")}
            return SetAnswers(**given, **asked, path=data[0], told=config["questions"])
        case "swe-bench":
            return SweBench(settings=settings, file=data[0])
        case "ablation":
            return PolicyAblation(**given, file=data[0], budget=config["budget"])
        case "faithfulness":
            return Faithfulness(**given, source=config["source"], file=data[0])
        case "preflight":
            return Preflight(hidden=data[0])
        case "humaneval" | "mbpp" as name:
            return CodeBenchmark(**given, name=name, hidden=data[0], gate=config["gate"])
        case other:
            raise ValueError(f"{folder} holds a run of {other!r}, which this version does not know")


def compare(folders: Sequence[Path], *, settings: Settings, encoder: Encoder) -> Iterator[Table]:
    """Compare each run with the one before it, sample by sample: paired differences with bootstrap intervals.

    Raises ValueError unless they are of one benchmark and share samples.
    """
    for first, second in pairwise(folders):
        kinds = [json.loads((one / "manifest.json").read_text("utf-8"))["benchmark"] for one in (first, second)]
        if len(set(kinds)) > 1:
            raise ValueError(
                f"{first.name} is a run of {kinds[0]} and {second.name} of {kinds[1]}: they cannot be compared"
            )
        before, after = (_marks(one, settings=settings, encoder=encoder) for one in (first, second))
        shared = sorted(set(before) & set(after))
        if not shared:
            raise ValueError(f"{first.name} and {second.name} share no sample")
        table = Table(
            "figure", "n", "first", "second", "difference", "95%", title=f"{kinds[0]}: {second.name} less {first.name}"
        )
        table.caption = f"{len(set(before) ^ set(after))} samples are in one of them only"
        for mark in dict.fromkeys(name for id_ in shared for name in before[id_]):
            pairs = [
                (before[id_][mark], after[id_][mark]) for id_ in shared if mark in before[id_] and mark in after[id_]
            ]
            if pairs:
                ours, theirs = [b for _, b in pairs], [a for a, _ in pairs]
                found = paired_difference(ours, theirs)
                table.add_row(
                    mark, str(len(pairs)), f"{sum(theirs) / len(pairs):.3f}", f"{sum(ours) / len(pairs):.3f}",
                    f"{found.mean:+.3f}", f"{found.low:+.3f} to {found.high:+.3f}",
                )  # fmt: skip
        yield table


def list_table(folders: Sequence[Path]) -> Table:
    """List runs: benchmark, when, code, how many samples are done, and whether there is a summary."""
    table = Table("run", "benchmark", "started", "code", "samples", "errors", "state", title="Runs")
    for folder in folders:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        answers = answers_of(folder)
        errors = sum(bool(one.fault) for one in answers.values())
        code = manifest["code"]
        state = "finished" if (folder / "summary.json").exists() else "unfinished"
        changed = " (changed)" if code["dirty"] else ""
        table.add_row(
            folder.name, manifest["benchmark"], manifest["started_at"], f"{code['version']}{changed}",
            str(len(answers) - errors), str(errors), state,
        )  # fmt: skip
    return table


def _marks(folder: Path, *, settings: Settings, encoder: Encoder) -> dict[str, dict[str, float]]:
    benchmark, scores = benchmark_of(folder, settings=settings, encoder=encoder), scores_of(folder)
    return {
        id_: dict(benchmark.marks(one, scores.get(id_))) for id_, one in answers_of(folder).items() if not one.fault
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the smoke run, or why it cannot run."""

    name: str
    benchmark: Benchmark | None
    missing: str = ""
    at_once: int = 1


def smoke_parts(settings: Settings, encoder: Encoder, data: Path | None) -> list[Part]:
    """Give a small run of every benchmark that needs no model; what needs a file that `data` has not says which."""
    given: dict[str, Any] = {"settings": settings, "encoder": encoder}
    parts = [
        Part(name="niah", benchmark=Needles(**given, lengths=(1_000, 10_000), depths=(0.0, 0.5, 1.0))),
        Part(name="rot", benchmark=ContextRot(**given, lengths=(1_000, 20_000))),
        Part(name="plain facts", benchmark=EvidenceBenchmark(**given, set="plain-facts", limit=2)),
        Part(name="ruler", benchmark=Ruler(**given, lengths=(4_096,), samples=1)),
    ]
    files: dict[str, list[Callable[[Path], Benchmark]]] = {
        "locomo_dev.json": [
            lambda file: Faithfulness(**given, source="locomo", file=file, limit=400),
            lambda file: SetAnswers(**given, set="locomo", path=file, limit=20),
            lambda file: EvidenceBenchmark(**given, set="locomo", path=file, limit=20),
        ],
        "longmemeval_sample.json.xz": [lambda file: LongMemEval(**given, file=file, limit=1)],
        "realtalk": [lambda folder: EvidenceBenchmark(**given, set="realtalk", path=folder, limit=10)],
        "HumanEvalPlus.jsonl.gz": [lambda file: Preflight(hidden=file, per_task=1, limit=24)],
    }
    for name, makers in files.items():
        file = (data or Path()) / name
        for make in makers:
            found = data is not None and file.exists()
            benchmark = make(file) if found else None
            parts.append(
                Part(
                    name=benchmark.name if benchmark else name,
                    benchmark=benchmark,
                    missing="" if found else f"--data has no {name}",
                )
            )
    return parts
