"""Is the scorer itself right? Canonical solutions must pass, empty programs and exploits must not, mutants get evalplus's verdicts.

To be run before any figure of HumanEval+ or MBPP+ is believed. evalplus's verdicts on the mutants of HumanEval+'s canonical
solutions are shipped (`eval/code/evalplus_verdicts.py` makes them, evalplus 0.3.1, Python 3.11), but for HumanEval/32, whose own
canonical solution evalplus failed where they were made; for MBPP+ there are none.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from pydantic import Field

from cascade.sandbox import Sandbox
from eval.code.data import Hidden, read_hidden
from eval.code.exploits import EXPLOITS, exploit
from eval.code.mutants import PER_PROBLEM, mutants
from eval.code.scoring import Scorer
from eval.harness.benchmark import Benchmark, FirstOnly, Options, Sample, Work
from eval.harness.report import Json, Report, Table

__all__ = ["Preflight", "PreflightOptions"]

_NOTHING = "def {entry_point}(*arguments):\n    return None\n"
_EXPLOITED = 8  # tasks that each exploit is tried on, spread over the set


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A program and what must be said of it: whether it passes base and plus; None for what is only asked for."""

    program: str
    base: bool
    plus: bool


class PreflightOptions(Options):
    """Which programs are scored."""

    hidden: Path = Field(description="HumanEvalPlus.jsonl.gz or MbppPlus.jsonl.gz")
    mutants: int = Field(default=PER_PROBLEM, ge=0, le=PER_PROBLEM, description="wrong programs of each task")
    limit: FirstOnly = None


@dataclass(frozen=True, kw_only=True)
class Preflight(Benchmark[PreflightOptions]):
    """The check. Ids are `kind/task` and, for several of a task, `/number`."""

    def ids(self) -> list[str]:
        """Name the programs."""
        return list(self._cases)

    @cached_property
    def _tasks(self) -> dict[str, Hidden]:
        tasks = read_hidden(self.options.hidden)
        return dict(list(tasks.items())[: self.options.limit])

    @cached_property
    def _cases(self) -> dict[str, _Case]:
        verdicts: Mapping[str, Mapping[str, str]] = json.loads(
            (files("eval.code") / "verdicts" / "humaneval_mutants.json").read_text("utf-8")
        )
        cases: dict[str, _Case] = {}
        for id_, task in self._tasks.items():
            cases[f"canonical/{id_}"] = _Case(program=task.canonical_solution, base=True, plus=True)
            said = verdicts.get(id_, {})
            known = [
                (one, said[key])
                for one in mutants(task.canonical_solution, limit=PER_PROBLEM)
                if (key := _key(one)) in said
            ]
            for number, (program, verdict) in enumerate(known[: self.options.mutants]):
                cases[f"mutant/{id_}/{number}"] = _Case(program=program, base=verdict[0] == "1", plus=verdict[1] == "1")
        every = max(1, len(self._tasks) // _EXPLOITED)
        for id_, task in list(self._tasks.items())[::every]:
            cases[f"nothing/{id_}"] = _Case(
                program=_NOTHING.format(entry_point=task.entry_point), base=False, plus=False
            )
            for name in EXPLOITS:
                cases[f"exploit/{id_}/{name}"] = _Case(program=exploit(name, task.entry_point), base=False, plus=False)
        return cases

    @asynccontextmanager
    async def answering(self, wanted: Sequence[str]) -> AsyncIterator[Work]:  # noqa: ARG002 - cases are made at once
        """Score every program."""
        scorer = Scorer(await Sandbox.found(at_once=2))

        async def work(id_: str) -> Sample:
            case = self._cases[id_]
            kind, _, rest = id_.partition("/")
            task = "/".join(rest.split("/")[:2])
            found = await scorer.score(case.program, self._tasks[task])
            agrees = (found.base, found.plus) == (case.base, case.plus)
            value: dict[str, Json] = {"kind": kind, "agrees": agrees, "wanted": [case.base, case.plus], **asdict(found)}
            return Sample(id=id_, value=value)

        yield work

    def marks(self, answer: Sample, score: Sample | None) -> dict[str, float]:  # noqa: ARG002 - nothing is scored later
        """Return whether the verdict is as wanted."""
        return {"as wanted": float(bool(answer.value["agrees"]))}

    def report(self, answers: Sequence[Sample], scores: Mapping[str, Sample]) -> Report:  # noqa: ARG002
        """Count what passed and what agrees, by kind, and name every disagreement."""
        table = Table(
            "programs",
            "n",
            "pass base",
            "pass base and plus",
            "as wanted",
            title=f"Preflight, {self.options.hidden.name}",
        )
        figures: dict[str, Json] = {}
        for kind in dict.fromkeys(str(one.value["kind"]) for one in answers):
            own = [one.value for one in answers if one.value["kind"] == kind]
            counts = {name: sum(bool(value[name]) for value in own) for name in ("base", "plus", "agrees")}
            figures[kind] = {"n": len(own), **counts}
            table.add_row(kind, str(len(own)), *(str(count) for count in counts.values()))
        wrong = [one.id for one in answers if not one.value["agrees"]]
        table.caption = f"not as wanted: {', '.join(wrong) or 'none'}"
        if not_tried := [one.id for one in answers if one.value.get("left_out")]:
            table.caption += f"; some plus inputs have a right value too large to be returned: {', '.join(not_tried)}"
        return Report(title="Is the scorer right?", figures={**figures, "not_as_wanted": wrong}, tables=[table])


def _key(program: str) -> str:
    return sha256(program.encode()).hexdigest()[:12]
