"""The cascade over recorded completions, offline: what each policy would have served, at what cost, and how right.

The real cascade runs, its tiers answered from recordings. Its gate sees public tests only; programs are scored on the hidden ones
after every answer is settled. Costs are those of the recorded tokens at the prices given; nothing is estimated.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from time import perf_counter

from rich.console import Console
from rich.progress import Progress

from cascade import CodeCascade, CodeTask, Decision
from cascade.code import CodePolicy
from cascade.ports import ChatRequest, Completion, Message, Usage
from cascade.pricing import Price, known_prices
from cascade.prompts import request_key
from cascade.recording import Recorded, ReplayChat
from cascade.sandbox import Level, Limits, Outcome, PublicTests, find_level, try_program
from cascade.tiers.deployment import Deployment
from cascade.tiers.model import ModelTier
from compaction.tokens import count_tokens
from eval.cascade_report import CascadeResults, Served
from eval.code_data import Hidden, Problem, RecordedCompletion, read_hidden, read_problems, read_recorded
from eval.code_scoring import Scorer
from eval.progress import progress_bar

__all__ = ["CascadeRun", "run_cascade"]

_MAX_TOKENS = 4_096
_WINDOW = 1_000_000
_TEMPERATURE = 0.2
_GATE = Limits(wall_s=8, cpu_s=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class CascadeRun:
    """What to run. `problems` and `public_tests` default to files beside the recordings; `prices` add to the shipped table.

    `cheap` and `frontier` default to the two models recorded, told apart by price.
    """

    recordings: Path
    problems: Path | None = None
    public_tests: Path | None = None
    cheap: str | None = None
    frontier: str | None = None
    prices: Mapping[str, Price]
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A policy under test: which tiers there are, which tests gate, and how the cheap tier tries."""

    name: str
    policy: CodePolicy
    cheap: bool = True
    frontier: bool = True
    gate: str = "public"


def arms(drafts: Sequence[int] = (1, 2, 3, 4)) -> list[Arm]:
    """List the policies: each tier alone, the cascade under both gates with more and more drafts, and the ablation."""
    alone = CodePolicy(review="never", verify="nothing", unverified="serve")

    def gated(n: int) -> CodePolicy:
        return CodePolicy(drafts=n, review="never", unverified="serve")

    return [
        Arm(name="solo cheap", policy=alone, frontier=False),
        Arm(name="solo frontier", policy=alone, cheap=False),
        *(Arm(name=f"cascade, docstring gate, {n} cheap", policy=gated(n)) for n in drafts),
        *(Arm(name=f"cascade, base-test gate, {n} cheap", policy=gated(n), gate="base") for n in drafts),
        Arm(name="without verification (form only)", policy=replace(gated(1), verify="form")),
        Arm(name="without guards (nothing)", policy=replace(gated(1), verify="nothing")),
    ]


async def run_cascade(run: CascadeRun, *, console: Console) -> CascadeResults:
    """Run every policy over every problem and every rotation of the samples.

    Raises OSError, ValueError or KeyError for files that cannot be used, and SandboxUnavailable.
    """
    folder = run.recordings.parent
    plus = run.problems or folder / "HumanEvalPlus.jsonl.gz"
    problems = read_problems(plus, run.public_tests or folder / "humaneval_public_tests.json")
    recorded = [row for row in read_recorded(run.recordings) if row.problem in problems]
    chosen = list(dict.fromkeys(row.problem for row in recorded))[: run.limit]
    prices = dict(known_prices()) | dict(run.prices)
    cheap, frontier = _models(run, recorded, prices)
    replayed = _Replayed(recorded, problems, cheap=cheap, frontier=frontier, prices=prices)
    gates = _Gates(await find_level())
    samples = 1 + max(row.sample for row in recorded)
    served: list[tuple[str, int, Problem, Decision]] = []
    with progress_bar(console) as progress:
        asked = [(arm, rotation) for arm in arms(range(1, min(samples, 5))) for rotation in range(samples)]
        task = progress.add_task("policies", total=len(asked))
        for arm, rotation in asked:
            decisions = await asyncio.gather(
                *(replayed.decide(arm, rotation, problems[problem], gates) for problem in chosen)
            )
            served += [(arm.name, rotation, problems[p], d) for p, d in zip(chosen, decisions, strict=True)]
            progress.advance(task)
        hidden = read_hidden(plus)  # not before every answer is settled
        scored = await _score(served, hidden, Scorer(gates.level), progress)
    return CascadeResults(
        recordings=run.recordings.name, cheap=cheap, frontier=frontier, prices={m: prices[m].rates for m in (cheap, frontier)},
        ran_on=datetime.now(UTC).date(), samples=tuple(scored),
    )  # fmt: skip


def _models(run: CascadeRun, recorded: Sequence[RecordedCompletion], prices: Mapping[str, Price]) -> tuple[str, str]:
    """Name the cheap and the frontier model. Raises ValueError if that is not clear, or a price is not known."""
    models = list(dict.fromkeys(row.model for row in recorded))
    named = [model for model in (run.cheap, run.frontier) if model]
    missing = [model for model in named if model not in models]
    if missing or (len(named) < 2 and len(models) != 2):
        raise ValueError(f"name two of the recorded models with --cheap and --frontier: {', '.join(models)}")
    unpriced = [model for model in named or models if model not in prices]
    if unpriced:
        raise ValueError(
            f"no price of {', '.join(unpriced)} is known: give --price MODEL=INPUT/OUTPUT, US$ a million tokens"
        )
    pair = sorted(named if len(named) == 2 else models, key=lambda model: prices[model].output_usd)
    return (run.cheap or next(m for m in pair if m != run.frontier)), (
        run.frontier or next(m for m in reversed(pair) if m != run.cheap)
    )


class _Replayed:
    """Tiers that answer from recordings, and the cascade over them."""

    def __init__(
        self,
        recorded: Sequence[RecordedCompletion],
        problems: Mapping[str, Problem],
        *,
        cheap: str,
        frontier: str,
        prices: Mapping[str, Price],
    ) -> None:
        self._cheap, self._frontier, self._prices = cheap, frontier, prices
        self._messages = {
            problems[row.problem].prompt: tuple(Message(role=role, content=content) for role, content in row.messages)  # type: ignore[arg-type]
            for row in recorded
        }
        samples = 1 + max(row.sample for row in recorded)
        self._recordings = {
            (model, rotation): _import(model, recorded, rotation, samples)
            for model in (cheap, frontier)
            for rotation in range(samples)
        }

    async def decide(self, arm: Arm, rotation: int, problem: Problem, gates: "_Gates") -> Decision:
        """Have the cascade answer one problem."""
        tests = problem.public_tests if arm.gate == "public" else problem.base_tests
        cascade = CodeCascade(
            try_program=gates.try_program,
            local=self._tier("local", self._cheap, rotation) if arm.cheap else None,
            frontier=self._tier("frontier", self._frontier, rotation) if arm.frontier else None,
            policy=arm.policy,
            temperature=_TEMPERATURE,
            draft_messages=lambda task: self._messages[task.question],
            deadline_s=float("inf"),
        )
        task = CodeTask(question=problem.prompt, entry_point=problem.entry_point, tests=tests)
        return (await cascade.answer(task, started_s=perf_counter())).decision

    def _tier(self, name: str, model: str, rotation: int) -> ModelTier:
        replay = ReplayChat(self._recordings[model, rotation], model=model)
        return ModelTier(
            name=name,
            model=model,
            price=self._prices[model],
            window_tokens=_WINDOW,
            max_tokens=_MAX_TOKENS,
            timeout_s=60,
            tries=1,
            deployments=[Deployment(replay, name="recordings", concurrency=1_000)],
            count=count_tokens,
            sleep=asyncio.sleep,
        )


def _import(
    model: str, recorded: Sequence[RecordedCompletion], rotation: int, samples: int
) -> dict[tuple[str, int], Recorded]:
    """Make recordings of what others recorded, by request; `rotation` says which sample is drawn first."""
    made: dict[tuple[str, int], Recorded] = {}
    for row in recorded:
        if row.model != model:
            continue
        sample = (row.sample - rotation) % samples
        request = ChatRequest(
            messages=tuple(Message(role=role, content=content) for role, content in row.messages),  # type: ignore[arg-type]
            max_tokens=_MAX_TOKENS,
            temperature=_TEMPERATURE,
            sample=sample,
        )
        key = request_key(model, request)
        made[key, sample] = Recorded(
            key=key,
            sample=sample,
            model=model,
            request=request,
            completion=Completion(
                text=row.output,
                model=model,
                finish_reason="stop",
                usage=Usage(prompt_tokens=row.prompt_tokens, completion_tokens=row.completion_tokens),
            ),
            latency_s=row.latency_s,
            at=datetime.fromtimestamp(0, UTC),
        )
    return made


class _Gates:
    """Public tests, each run once a program."""

    def __init__(self, level: Level) -> None:
        self.level = level
        self._turns = asyncio.Semaphore(2)
        self._outcomes: dict[str, asyncio.Task[Outcome]] = {}

    async def try_program(self, program: str, tests: PublicTests) -> Outcome:
        """Give the outcome of the tests. Raises SandboxUnavailable."""
        key = blake2b(repr((program, tests)).encode("utf-8", "surrogatepass")).hexdigest()
        if key not in self._outcomes:
            self._outcomes[key] = asyncio.create_task(self._run(program, tests))
        return await self._outcomes[key]

    async def _run(self, program: str, tests: PublicTests) -> Outcome:
        async with self._turns:
            return await try_program(self.level, program, tests, _GATE)


async def _score(
    served: Sequence[tuple[str, int, Problem, Decision]],
    hidden: Mapping[str, Hidden],
    scorer: Scorer,
    progress: Progress,
) -> list[Served]:
    """Score what was served, on inputs that no gate has seen."""
    task = progress.add_task("hidden tests", total=len(served))
    return await asyncio.gather(
        *(
            _scored(policy, rotation, hidden[problem.id], decision, scorer, lambda: progress.advance(task))
            for policy, rotation, problem, decision in served
        )
    )


async def _scored(
    policy: str, rotation: int, problem: Hidden, decision: Decision, scorer: Scorer, advance: Callable[[], None]
) -> Served:
    found = await scorer.score(decision.answer, problem)
    advance()
    return Served(
        policy=policy,
        rotation=rotation,
        problem=problem.id,
        path=decision.path,
        verified=decision.verified,
        base=found.base,
        plus=found.plus,
        cost_nanousd=decision.cost_nanousd,
        calls=len(decision.calls),
    )
