"""RULER, by memory and by raw prompt side by side, with the official metric and files.

Through the memory the text is remembered as turns and the question asked at the fixed budget, so tasks whose answer is the whole
text (common and frequent words) cannot be answered; nothing is done about it, and the table says so. Questions over given files
count a prediction with any right answer (`string_match_part`), everything else the share it holds (`string_match_all`).
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from statistics import mean

from pydantic import Field, TypeAdapter

from cascade.errors import CascadeFault
from eval.harness.answer_paths import USUAL_WINDOW, ask_raw, remembering
from eval.harness.benchmark import Benchmark, Budget, Options, Sample, Seed, Work
from eval.harness.intervals import bounds, wilson
from eval.harness.report import Chart, Json, Report, Series, Table
from eval.long_context.haystack import as_requests
from eval.long_context.hidden_facts import Lengths, RawWindow, configured_models, notes_on_models
from eval.long_context.ruler_tasks import (
    QA_TASKS,
    TASKS,
    RulerSample,
    make_samples,
    match_all,
    match_part,
    read_official,
    write_official,
)
from tirtha.wiring.tiers import Tiers, open_tiers

__all__ = ["LENGTHS", "Ruler", "RulerOptions"]

LENGTHS = (4_096, 8_192, 16_384)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """What came of one task: the metric by memory and by raw prompt (None if no model read it), and what the context held."""

    task: str
    length: int
    held: float
    memory: float
    tokens: int
    cached: bool
    raw: float | None
    raw_refused: bool


class RulerOptions(Options):
    """Which tasks are made or read. `squad` and `hotpot` add the tasks over given paragraphs, `official` replaces our data."""

    tasks: tuple[str, ...] | None = Field(default=None, description="which tasks; default: all that need no file")
    lengths: Lengths = LENGTHS
    samples: int = Field(default=5, ge=1, description="of each task and length")
    squad: Path | None = Field(default=None, description="a SQuAD file, for qa_1")
    hotpot: Path | None = Field(default=None, description="a HotpotQA file, for qa_2")
    official: Mapping[str, Path] = Field(default={}, description="TASK=FILE: run official data (jsonl) instead of ours")
    budget: Budget = 165
    seed: Seed = 1
    raw_window: RawWindow = USUAL_WINDOW

    @property
    def given(self) -> dict[str, Path]:
        """The files of paragraphs, by the task over them."""
        return {task: file for task, file in (("qa_1", self.squad), ("qa_2", self.hotpot)) if file}

    @property
    def chosen(self) -> tuple[str, ...]:
        """The tasks that are run; official files have theirs besides."""
        return self.tasks or (*(() if self.official else TASKS), *self.given)


@dataclass(frozen=True, kw_only=True)
class Ruler(Benchmark[RulerOptions]):
    """The benchmark. Ids are `task/length/number`."""

    @property
    def models(self) -> dict[str, Json]:
        """Who answers."""
        return configured_models(self.settings)

    @cached_property
    def _made(self) -> dict[str, RulerSample]:
        asked = self.options
        made = [sample for task, file in asked.official.items() for sample in read_official(file, task=task)]
        tasks = [task for task in asked.chosen if task not in asked.official]
        for task in tasks:
            for length in asked.lengths:
                made += make_samples(
                    task, length=length, count=asked.samples, seed=asked.seed, given=asked.given.get(task)
                )
        return {f"{one.task}/{one.length}/{one.index}": one for one in made}

    def ids(self) -> list[str]:
        """Name the samples. Raises Unusable for a task that does not fit its length or whose file is missing."""
        return list(self._made)

    @asynccontextmanager
    async def answering(self, wanted: Sequence[str]) -> AsyncIterator[Work]:  # noqa: ARG002 - each has a memory of its own
        """Yield a function that remembers a sample's text and asks, and puts it raw before the question."""
        async with open_tiers(self.settings) as tiers:

            async def work(id_: str) -> Sample:
                try:
                    return await self._ask(id_, self._made[id_], tiers)
                except CascadeFault as fault:
                    return Sample(id=id_, fault=str(fault))

            yield work

    async def _ask(self, id_: str, one: RulerSample, tiers: Tiers) -> Sample:
        requests = as_requests(one.parts)
        async with remembering(
            requests, settings=self.settings, encoder=self.encoder, budget=self.options.budget
        ) as ask:
            memory = await ask(one.question, None)
        raw = await ask_raw(
            one.text, one.question, tier=tiers.frontier or tiers.local, window_tokens=self.options.raw_window
        )
        metric = match_part if one.task in QA_TASKS else match_all
        read = raw.path == "raw" and not raw.refused
        row = _Row(
            task=one.task,
            length=one.length,
            held=metric("\n".join(memory.lines), one.outputs),
            memory=metric(memory.text, one.outputs),
            tokens=memory.tokens,
            cached=memory.cached,
            raw=metric(raw.text, one.outputs) if read else None,
            raw_refused=bool(raw.refused),
        )
        value: dict[str, Json] = {
            "row": asdict(row),
            "index": one.index,
            "length": one.exact,
            "pred": memory.text,
            "outputs": list(one.outputs),
        }
        return Sample(id=id_, value=value, cost_nanousd=memory.cost_nanousd + raw.cost_nanousd)

    def marks(self, answer: Sample, score: Sample | None) -> dict[str, float]:  # noqa: ARG002 - nothing is scored later
        """Return what the context held, and the metric by memory."""
        [row] = _rows([answer])
        return {"held by the context": row.held, "metric": row.memory}

    def report(self, answers: Sequence[Sample], scores: Mapping[str, Sample]) -> Report:  # noqa: ARG002
        """Report the official metric by task and length, both ways; errors apart."""
        rows = _rows(answers)
        table = Table(
            "task", "length", "n", "held by the context", "all held, 95%", "metric x 100, memory", "metric x 100, raw",
            "raw refused", "context at most", title=f"RULER, budget {self.options.budget}",
        )  # fmt: skip
        figures: dict[str, Json] = {}
        groups = list(dict.fromkeys((row.task, row.length) for row in rows))
        for task, length in groups:
            found = _Figures.of([row for row in rows if (row.task, row.length) == (task, length)])
            figures[f"{task}/{length}"] = asdict(found)
            table.add_row(task, f"{length:,}", *found.cells())
        table.caption = "cwe and fwe ask about the whole text: no context of fixed budget can hold their answer"
        lines = [
            Series(
                name=task,
                points=[(n, _Figures.of([r for r in rows if (r.task, r.length) == (task, n)]).held) for n in lengths],
            )
            for task, lengths in _lengths(groups).items()
        ]
        figures["errors"] = sum(bool(one.fault) for one in answers)
        figures["cache_hits"] = sum(row.cached for row in rows)
        return Report(
            title=f"RULER, budget {self.options.budget}",
            figures=figures,
            tables=[table],
            charts=[Chart(title="Held by the context", x="length, tokens", y="share", lines=lines, log_x=True)],
            notes=notes_on_models(self.models),
            files=_predictions(answers),
        )

    def export(self, folder: Path) -> list[Path]:
        """Write the samples as official data files, one a task and length. Raises OSError."""
        groups: dict[str, list[RulerSample]] = {}
        for one in self._made.values():
            groups.setdefault(f"{one.task}_{one.length}.jsonl", []).append(one)
        folder.mkdir(parents=True, exist_ok=True)
        for name, samples in groups.items():
            (folder / name).write_text(write_official(samples), "utf-8")
        return [folder / name for name in groups]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figures:
    n: int
    held: float
    all_held_95: tuple[float, float]
    memory: float
    raw: float | None
    raw_refused: int
    context_tokens_max: int

    @classmethod
    def of(cls, rows: Sequence[_Row]) -> "_Figures":
        read = [row.raw for row in rows if row.raw is not None]
        return cls(
            n=len(rows),
            held=mean(row.held for row in rows),
            all_held_95=wilson(sum(row.held == 1 for row in rows), len(rows)),
            memory=mean(row.memory for row in rows),
            raw=mean(read) if read else None,
            raw_refused=sum(row.raw_refused for row in rows),
            context_tokens_max=max(row.tokens for row in rows),
        )

    def cells(self) -> list[str]:
        raw = "no model read it" if self.raw is None else f"{100 * self.raw:.1f}"
        return [
            str(self.n), f"{self.held:.3f}", bounds(*self.all_held_95), f"{100 * self.memory:.1f}", raw,
            str(self.raw_refused), str(self.context_tokens_max),
        ]  # fmt: skip


def _lengths(groups: Sequence[tuple[str, int]]) -> dict[str, list[int]]:
    return {task: [length for other, length in groups if other == task] for task, _ in groups}


def _rows(answers: Sequence[Sample]) -> list[_Row]:
    read = TypeAdapter(_Row).validate_python
    return [read(one.value["row"]) for one in answers if not one.fault]


def _predictions(answers: Sequence[Sample]) -> dict[str, str]:
    """Write predictions as the official scorer takes them, a file a task."""
    files: dict[str, list[str]] = {}
    for one in answers:
        if not one.fault:
            line = {
                "index": one.value["index"], "pred": one.value["pred"], "input": "", "outputs": one.value["outputs"],
                "others": {}, "truncated": -1, "length": one.value["length"],
            }  # fmt: skip
            files.setdefault(f"ruler_{one.id.split('/')[0]}.jsonl", []).append(json.dumps(line) + "\n")
    return {name: "".join(lines) for name, lines in files.items()}
