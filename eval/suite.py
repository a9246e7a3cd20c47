"""The benchmarks: which there are, with their commands' help and a small run of each; what a run is of, and how two compare."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Generic

from eval.answers.benchmark import AnswerOptions, SetAnswers
from eval.code.benchmark import CodeBenchmark, CodeOptions
from eval.code.preflight import Preflight, PreflightOptions
from eval.code.recorded_cascade import SMALL_MODELS, SMALL_MODELS_PRICES, RecordedCascade, RecordedOptions
from eval.errors import Unusable
from eval.evidence.benchmark import EvidenceBenchmark, EvidenceOptions
from eval.evidence.recall_ablation import AblationOptions, RecallAblation
from eval.evidence.supersession import Supersession, SupersessionOptions
from eval.faithfulness.benchmark import Faithfulness, FaithfulnessOptions
from eval.harness.benchmark import AnyOptions, Benchmark
from eval.harness.intervals import paired_difference
from eval.harness.report import Json, Table
from eval.harness.runs import answers_of, scores_of
from eval.locomo.policy_ablation import PolicyAblation, PolicyAblationOptions
from eval.long_context.context_rot import ContextRot, RotOptions
from eval.long_context.needles import NeedleOptions, Needles
from eval.long_context.ruler import Ruler, RulerOptions
from eval.longmemeval.benchmark import LongMemEval, LongMemEvalOptions
from eval.swe_bench.benchmark import SweBench, SweOptions
from memory.encoding.encoder import Encoder
from tirtha.settings import Settings

__all__ = ["BENCHMARKS", "Entry", "Part", "benchmark_of", "compare", "list_table", "smoke_parts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Smoke:
    """A small run that asks no model: the options that differ, and the name of the file or folder that it reads, if any.

    option: which option that file is, where it is not the one that must be given.
    """

    options: Mapping[str, Json | Path] = field(default_factory=dict)
    file: str = ""
    option: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Generic[AnyOptions]):
    """A benchmark and its command.

    help: what the command is for. data: what its file is, where the field of that name cannot say it for every command. fixed:
    options that are not asked for. at_once: samples at a time by default; None if always one. paid: whether it may ask models.
    """

    make: type[Benchmark[AnyOptions]]
    options: type[AnyOptions]
    help: str
    data: str = ""
    fixed: Mapping[str, Json] = field(default_factory=dict)
    at_once: int | None = 1
    paid: bool = True
    smoke: Smoke | None = None


def _of_labelled_set(
    help_: str, data: str = "", *, fixed: Mapping[str, Json], smoke: Smoke | None = None
) -> Entry[EvidenceOptions]:
    return Entry(
        make=EvidenceBenchmark, options=EvidenceOptions, help=help_, data=data, fixed=fixed, at_once=None, paid=False, smoke=smoke
    )  # fmt: skip


_LOCOMO, _REALTALK = "a LoCoMo file, such as locomo10.json", "a folder of REALTALK's chats"
_LOCOMO_DEV = "locomo_dev.json"
BENCHMARKS: Mapping[str, Entry[Any]] = {
    "longmemeval": Entry(
        make=LongMemEval, options=LongMemEvalOptions,
        help="Measure retrieval and answers on LongMemEval as its paper does, and write the official hypothesis file.",
        smoke=Smoke(file="longmemeval_sample.json.xz", options={"limit": 1}),
    ),
    "locomo-qa": Entry(
        make=SetAnswers, options=AnswerOptions, fixed={"set": "locomo"}, data=_LOCOMO,
        help="Answer LoCoMo's questions: its paper's token F1, category 5 by abstention; and what verified answers are worth.",
        smoke=Smoke(file=_LOCOMO_DEV, options={"limit": 20}),
    ),
    "realtalk-qa": Entry(
        make=SetAnswers, options=AnswerOptions, fixed={"set": "realtalk"}, data=_REALTALK,
        help="Answer the questions about REALTALK's chats in the same way.",
    ),
    "ablation": Entry(
        make=PolicyAblation, options=PolicyAblationOptions,
        help="Switch verification, guards, repair, widening and the cache off in turn: what each is worth in answers and in cost.",
    ),
    "niah": Entry(
        make=Needles, options=NeedleOptions, at_once=None,
        help="Find needles, alone and in chains, at every depth of histories up to a million tokens; raw prompts beside it.",
        smoke=Smoke(options={"lengths": (1_000, 10_000), "depths": (0.0, 0.5, 1.0)}),
    ),
    "rot": Entry(
        make=ContextRot, options=RotOptions, at_once=None,
        help="Ask the same questions while the history around them grows to a million tokens; raw prompts beside it.",
        smoke=Smoke(options={"lengths": (1_000, 20_000)}),
    ),
    "ruler": Entry(
        make=Ruler, options=RulerOptions,
        help="Run RULER's tasks, made by us or official, by memory and by raw prompt, with the official metric.",
        smoke=Smoke(options={"lengths": (4_096,), "samples": 1}),
    ),
    "faithfulness": Entry(
        make=Faithfulness, options=FaithfulnessOptions, at_once=None, paid=False,
        help="Measure the guards as detectors of unfaithful answers: numbers, dates, names, negations changed. No model is asked.",
        smoke=Smoke(file=_LOCOMO_DEV, options={"limit": 400}),
    ),
    "humaneval": Entry(
        make=CodeBenchmark, options=CodeOptions, fixed={"set": "humaneval"}, at_once=2,
        help="Write HumanEval's programs through the cascade, or take given ones, and score them on HumanEval+'s hidden inputs.",
    ),
    "mbpp": Entry(
        make=CodeBenchmark, options=CodeOptions, fixed={"set": "mbpp", "problems": None, "public_tests": None}, at_once=2,
        help="Do the same on MBPP+.",
    ),
    "preflight": Entry(
        make=Preflight, options=PreflightOptions, at_once=2, paid=False,
        help="Check the scorer: canonical solutions pass, exploits do not, wrong programs get evalplus's own verdicts.",
        smoke=Smoke(file="HumanEvalPlus.jsonl.gz", options={"mutants": 1, "limit": 24}),
    ),
    "swe-bench": Entry(
        make=SweBench, options=SweOptions, at_once=2,
        help="Write patches in SWE-bench's format through the tiers, and check that they apply; the harness alone scores them.",
    ),
    "locomo": _of_labelled_set(
        "Measure what contexts hold of the evidence and of the answers on LoCoMo, beside plain searches of the same turns.",
        _LOCOMO, fixed={"set": "locomo", "size": None}, smoke=Smoke(file=_LOCOMO_DEV, options={"limit": 20}),
    ),
    "realtalk": _of_labelled_set(
        "Measure the same on REALTALK: chats of real people.",
        _REALTALK, fixed={"set": "realtalk", "size": None}, smoke=Smoke(file="realtalk", options={"limit": 10}),
    ),
    "beam": _of_labelled_set(
        "Measure the same on BEAM: chats of a user and an assistant over months, ten kinds of questions.",
        "a folder of BEAM's chats, at any depth", fixed={"set": "beam"},
    ),
    "longmemeval-evidence": _of_labelled_set(
        "Measure the same on LongMemEval; where turns have no labels, sessions count.",
        "an official LongMemEval file (JSON, or .xz of it)", fixed={"set": "longmemeval", "size": None, "limit": None},
    ),
    "plain-facts": _of_labelled_set(
        "Measure the same on sentences of one fact each, made by us in eleven languages; needs no file.",
        fixed={"set": "plain-facts", "data": None, "size": None, "exclude": None}, smoke=Smoke(options={"limit": 2}),
    ),
    "recall-ablation": Entry(
        make=RecallAblation, options=AblationOptions, at_once=None, paid=False,
        help="Switch every part of recall off, one at a time: what each is worth on conversations that the fit never saw.",
    ),
    "supersession": Entry(
        make=Supersession, options=SupersessionOptions, at_once=None, paid=False,
        help="Measure what it is worth to put the newest of replacing statements first and to mark the others.",
    ),
    "cascade": Entry(
        make=RecordedCascade, options=RecordedOptions, at_once=2, paid=False,
        help="Run the cascade over recorded completions: cost and correctness of every policy, and the ablation. Offline.",
        smoke=Smoke(
            file="HumanEvalPlus.jsonl.gz", option="problems",
            options={"recordings": SMALL_MODELS, "price": SMALL_MODELS_PRICES, "limit": 6},
        ),
    ),
}  # fmt: skip
_FORMER_NAMES = {f"evidence-{set_}": set_ for set_ in ("locomo", "realtalk", "beam", "plain-facts")} | {
    "evidence-longmemeval": "longmemeval-evidence"
}


def benchmark_of(folder: Path, *, settings: Settings, encoder: Encoder) -> Benchmark[Any]:
    """Return the benchmark that a run is of, to read its rows. Raises Unusable for a folder that holds no run of ours."""
    manifest = _manifest_of(folder)
    name, config = manifest["benchmark"], manifest["config"]
    entry = BENCHMARKS.get(name)
    if entry is None:
        raise Unusable(f"{folder} holds a run of {name!r}, which this version does not know")
    known = {field: value for field, value in config.items() if field in entry.options.model_fields}
    file = next((Path(one) for one in manifest["data_sha256"]), None)
    options = entry.options.of({**known, **entry.fixed}, file)
    return entry.make(options=options, settings=settings, encoder=encoder, recorded=config)


def _manifest_of(folder: Path) -> dict[str, Any]:
    """Read a run's manifest; the benchmark has its present name in it."""
    file = folder / "manifest.json"
    if not file.exists():
        raise Unusable(f"{folder} holds no run: there is no manifest.json in it")
    manifest: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return manifest | {"benchmark": _FORMER_NAMES.get(manifest["benchmark"], manifest["benchmark"])}


def compare(folders: Sequence[Path], *, settings: Settings, encoder: Encoder) -> Iterator[Table]:
    """Compare each run with the one before it, sample by sample: paired differences with bootstrap intervals.

    Raises Unusable unless they are of one benchmark and share samples.
    """
    for first, second in pairwise(folders):
        kinds = [_manifest_of(one)["benchmark"] for one in (first, second)]
        if len(set(kinds)) > 1:
            raise Unusable(
                f"{first.name} is a run of {kinds[0]} and {second.name} of {kinds[1]}: they cannot be compared"
            )
        before, after = (_marks(one, settings=settings, encoder=encoder) for one in (first, second))
        shared = sorted(set(before) & set(after))
        if not shared:
            raise Unusable(f"{first.name} and {second.name} share no sample")
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
                    f"{found.mean:+.3f}", found.bounds,
                )  # fmt: skip
        yield table


def list_table(folders: Sequence[Path]) -> Table:
    """List runs: benchmark, when, code, how many samples are done, and whether there is a summary."""
    table = Table("run", "benchmark", "started", "code", "samples", "errors", "state", title="Runs")
    for folder in folders:
        manifest = _manifest_of(folder)
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
    benchmark: Benchmark[Any] | None
    missing: str = ""
    at_once: int = 1


def smoke_parts(settings: Settings, encoder: Encoder, data: Path | None) -> Iterator[Part]:
    """Make a small run of every benchmark that needs no model; what needs a file that `data` has not says which."""
    for name, entry in BENCHMARKS.items():
        if entry.smoke is None:
            continue
        file = (data or Path()) / entry.smoke.file if entry.smoke.file else None
        if file is not None and (data is None or not file.exists()):
            yield Part(name=name, benchmark=None, missing=f"--data has no {entry.smoke.file}")
            continue
        own = {entry.smoke.option: file} if entry.smoke.option else {}
        options = entry.options.of({**entry.smoke.options, **own, **entry.fixed}, file)
        benchmark = entry.make(options=options, settings=settings, encoder=encoder)
        yield Part(name=name, benchmark=benchmark, at_once=entry.at_once or 1)
