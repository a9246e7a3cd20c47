"""The one runner: a benchmark's samples, each finished once, in a folder that can stop at any moment and go on.

`<utc>_<benchmark>_<code>/` holds `manifest.json`, append-only `samples.jsonl`, `seal.json`, append-only `scores.jsonl` (of
benchmarks that score after every answer is settled), `summary.json`, `report.md` and `report.html`; the last three follow from
the rows alone. A row with a `fault` is an error, not a wrong answer, and is tried again when a run goes on.
"""

import asyncio
import json
import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cascade import dollars
from eval.errors import Unusable
from eval.harness.benchmark import Benchmark, Sample, Work
from eval.harness.manifest import find_code, make_manifest
from eval.harness.report import Report, as_html, as_markdown
from tirtha.errors import FaceFault

__all__ = [
    "CostReached",
    "Run",
    "RunOptions",
    "answers_of",
    "list_runs",
    "read_rows",
    "run_benchmark",
    "scores_of",
    "write_report",
]

_NANO = 1_000_000_000
_SAMPLES, _SEAL, _SCORES = "samples.jsonl", "seal.json", "scores.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How to run: in which folder (default: a new one, or an unfinished one of the same config), for how much, how many at once."""

    folder: Path | None = None
    max_cost_usd: float | None = None
    at_once: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A finished run: where it is and what follows from it."""

    folder: Path
    report: Report


class CostReached(FaceFault):
    """A run stopped because it cost what it may; what is done is kept."""

    def __init__(self, *, folder: Path, spent_nanousd: int) -> None:
        self.folder = folder
        self.spent_nanousd = spent_nanousd
        super().__init__(
            f"stopped at US$ {dollars(spent_nanousd)}; it goes on with a higher --max-cost and --run {folder}"
        )


async def run_benchmark(name: str, benchmark: Benchmark[Any], *, options: RunOptions, console: Console) -> Run:
    """Finish every sample that is not finished yet, then score and report.

    Args:
        name: what the benchmark is called, in folders and manifests.
        benchmark: what is run.
        options: where, for how much, and how many samples at once.
        console: shows the progress.

    Raises:
        Unusable: the folder holds a run of something else, or its sealed answers were changed.
        CostReached: the cost limit was reached; what is done is kept.
    """
    folder = _open_folder(name, benchmark, options.folder)
    with _progress_bar(console) as progress:
        runner = _Runner(folder=folder, ids=benchmark.ids(), options=options, progress=progress)
        await runner.finish(name, folder / _SAMPLES, benchmark.answering)
        _seal(folder)
        scoring = benchmark.scoring(_last_rows(folder / _SAMPLES))
        if scoring is not None:
            await runner.finish("scoring", folder / _SCORES, lambda _: scoring)
    report = write_report(benchmark, folder)
    console.print(f"The run is in {folder}", highlight=False, soft_wrap=True)
    return Run(folder=folder, report=report)


def write_report(benchmark: Benchmark[Any], folder: Path) -> Report:
    """Write summary and reports from the rows alone. Raises Unusable if the answers are not those that were sealed."""
    _check_seal(folder)
    answers, scores = answers_of(folder), scores_of(folder)
    report = benchmark.report([answers[id_] for id_ in sorted(answers)], scores)
    facts = _facts(folder)
    _write_json(folder / "summary.json", {"title": report.title, "figures": report.figures})
    (folder / "report.md").write_text(as_markdown(report, facts=facts), "utf-8")
    (folder / "report.html").write_text(as_html(report, facts=facts), "utf-8")
    for name, text in report.files.items():
        (folder / name).write_text(text, "utf-8")
    return report


def answers_of(folder: Path) -> dict[str, Sample]:
    """Read the answers of a run, by id."""
    return _last_rows(folder / _SAMPLES)


def scores_of(folder: Path) -> dict[str, Sample]:
    """Read what was said of the answers later, by id."""
    return _last_rows(folder / _SCORES)


def read_rows(file: Path) -> list[Sample]:
    """Read the rows of a run; one that a crash cut short is left out, and its sample done again."""
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    return [row for line in lines if (row := _read_row(line)) is not None]


def list_runs(root: Path) -> list[Path]:
    """Return the folders of all runs in `root`, oldest first."""
    return sorted(file.parent for file in root.glob("*/manifest.json"))


# finishing samples


def _progress_bar(console: Console) -> Progress:
    """Return a bar with what is done of what there is, and the time that is left."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Runner:
    """Finishes the samples of one run."""

    folder: Path
    ids: Sequence[str]
    options: RunOptions
    progress: Progress

    async def finish(
        self, name: str, file: Path, opened: Callable[[Sequence[str]], AbstractAsyncContextManager[Work]]
    ) -> None:
        """Finish what `file` lacks, some at a time; none is begun once the money is spent. Raises CostReached."""
        done = {one.id for one in read_rows(file) if not one.fault}
        left = [id_ for id_ in self.ids if id_ not in done]
        task = self.progress.add_task(name, total=len(self.ids), completed=len(self.ids) - len(left))
        if not left:
            return
        money = _Budget(limit_nanousd=self._limit_nanousd, spent_nanousd=self._spent_nanousd)
        waiting = iter(left)

        async def one_after_another() -> None:
            for id_ in waiting:
                if money.empty:
                    return
                sample = await work(id_)
                _append(file, sample)
                money.spent_nanousd += sample.cost_nanousd
                cost = f", US$ {dollars(money.spent_nanousd)}" if money.spent_nanousd else ""
                self.progress.update(task, advance=1, description=f"{name}{cost}")

        async with opened(left) as work:
            await _together(one_after_another, self.options.at_once)
        if money.stopped:
            raise CostReached(folder=self.folder, spent_nanousd=money.spent_nanousd)

    @property
    def _limit_nanousd(self) -> int | None:
        return None if self.options.max_cost_usd is None else round(self.options.max_cost_usd * _NANO)

    @property
    def _spent_nanousd(self) -> int:
        return sum(one.cost_nanousd for name in (_SAMPLES, _SCORES) for one in read_rows(self.folder / name))


async def _together(worker: Callable[[], Coroutine[None, None, None]], count: int) -> None:
    """Run `count` workers; the first that breaks ends the others, and its error is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(max(1, count)):
                group.create_task(worker())
    except ExceptionGroup as faults:
        raise faults.exceptions[0] from None


@dataclass(slots=True, kw_only=True)
class _Budget:
    """What may be spent, and what is; `stopped` once a sample was not begun for it."""

    limit_nanousd: int | None
    spent_nanousd: int
    stopped: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing more may be begun."""
        if self.limit_nanousd is not None and self.spent_nanousd >= self.limit_nanousd:
            self.stopped = True
        return self.stopped


def _append(file: Path, sample: Sample) -> None:
    """Add a row, durably, on a line of its own even after one that a crash cut short."""
    with file.open("a", encoding="utf-8") as rows:
        rows.write(f"\n{json.dumps(asdict(sample))}\n")
        rows.flush()
        os.fsync(rows.fileno())


def _read_row(line: str) -> Sample | None:
    try:
        return Sample(**json.loads(line)) if line.strip() else None
    except (json.JSONDecodeError, TypeError):
        return None


def _last_rows(file: Path) -> dict[str, Sample]:
    """Return each sample's last row: a sample that failed once may have been finished later."""
    return {one.id: one for one in read_rows(file)}


# the folder


def _open_folder(name: str, benchmark: Benchmark[Any], wanted: Path | None) -> Path:
    root = benchmark.settings.folder / "eval" / "runs"
    manifest = make_manifest(
        name=name,
        config={**benchmark.options.config(), **benchmark.facts()},
        data=benchmark.options.files(),
        settings=benchmark.settings,
        models=benchmark.models,
    )
    folder = wanted or _unfinished(root, str(manifest["config_hash"])) or root / _folder_name(name)
    file = folder / "manifest.json"
    if file.exists():
        held = json.loads(file.read_text("utf-8"))
        if held.get("config_hash") != manifest["config_hash"]:
            raise Unusable(
                f"{folder} holds a run of another benchmark, config, data, model, setting or code; give --run another folder"
            )
        return folder
    if folder.exists() and any(folder.iterdir()):
        raise Unusable(f"{folder} is not empty and holds no run; give --run another folder")
    folder.mkdir(parents=True, exist_ok=True)
    _write_json(file, manifest | {"started_at": datetime.now(UTC).isoformat(timespec="seconds")})
    return folder


def _folder_name(name: str) -> str:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")  # two runs may begin in one second
    return f"{now.partition('+')[0].replace('-', '').replace(':', '')}_{name}_{find_code().short}"


def _unfinished(root: Path, wanted: str) -> Path | None:
    """Find the newest run of this config that has no summary yet."""
    for folder in reversed(list_runs(root)):
        held = json.loads((folder / "manifest.json").read_text("utf-8"))
        if held.get("config_hash") == wanted and not (folder / "summary.json").exists():
            return folder
    return None


def _seal(folder: Path) -> None:
    """Fix the answers by their hash, before anything that scores them is opened."""
    seal, digest = folder / _SEAL, _answers_sha256(folder)
    if seal.exists():
        if json.loads(seal.read_text("utf-8"))["answers_sha256"] == digest:
            return
        (folder / _SCORES).unlink(missing_ok=True)  # answers that had failed are there now: nothing was scored of these
    _write_json(seal, {"answers_sha256": digest, "sealed_at": datetime.now(UTC).isoformat()})


def _check_seal(folder: Path) -> None:
    seal = folder / _SEAL
    if not seal.exists() or json.loads(seal.read_text("utf-8"))["answers_sha256"] != _answers_sha256(folder):
        raise Unusable(f"{folder / _SAMPLES} is not what was sealed: answers were changed after they were settled")


def _answers_sha256(folder: Path) -> str:
    rows = _last_rows(folder / _SAMPLES)
    return sha256(json.dumps([asdict(rows[id_]) for id_ in sorted(rows)], sort_keys=True).encode()).hexdigest()


def _facts(folder: Path) -> dict[str, str]:
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    code, config = manifest["code"], manifest["config"]
    commit = (
        f"{code['commit'][:12]}{' with local changes' if code['dirty'] else ''}"
        if code["commit"]
        else code["sha256"][:12]
    )
    return {
        "benchmark": manifest["benchmark"],
        "started": manifest["started_at"],
        "code": f"tirtha {code['version']}, {commit}",
        "config": ", ".join(f"{name} {value}" for name, value in config.items()),
        "data": ", ".join(f"{name} ({digest[:12]})" for name, digest in manifest["data_sha256"].items()) or "generated",
        "models": ", ".join(f"{name}: {what}" for name, what in manifest["models"].items()) or "none",
        "answers sealed": json.loads((folder / _SEAL).read_text("utf-8"))["answers_sha256"][:16],
    }


def _write_json(file: Path, value: Mapping[str, object]) -> None:
    file.write_text(json.dumps(value, indent=1, sort_keys=True, default=str) + "\n", "utf-8")
