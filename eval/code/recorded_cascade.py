"""The cascade over recorded completions, offline: what each policy would have served, at what cost, and how right.

The real cascade runs, its tiers answered from recordings. Its gate sees public tests only; programs are scored on the hidden ones
after every answer is settled. Costs are those of the recorded tokens at the prices given, and seconds those of the recorded calls;
nothing is estimated. Whose recordings they are makes no difference. Those of two small models come with the project.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from time import perf_counter
from typing import Annotated, TypeVar

from pydantic import BeforeValidator, Field, TypeAdapter

from cascade import CodeCascade
from cascade.decision import Call
from cascade.errors import NotRecorded
from cascade.pricing import Price, known_prices
from cascade.sandbox import PublicTests, Sandbox, TrialOutcome
from cascade.tiers.deployment import Deployment
from cascade.tiers.model import ModelTier
from cascade.tiers.recording import Recorded, ReplayChat
from compaction.tokens import count_tokens
from eval.code.data import Problem, read_hidden, read_problems
from eval.code.policies import GATE, Arm, arms_over, task_of
from eval.code.recorded_report import CascadeResults, Served
from eval.code.recordings import RecordedCompletion, messages_of, read_recorded, recordings_of
from eval.code.scoring import Scorer
from eval.errors import Unusable
from eval.harness.benchmark import Benchmark, Options, Sample, Work
from eval.harness.report import Json, Report
from tirtha.wiring.tiers import Name

__all__ = ["SMALL_MODELS", "SMALL_MODELS_PRICES", "RecordedCascade", "RecordedOptions"]

SMALL_MODELS = Path(__file__).with_name("small_models.jsonl.gz")
SMALL_MODELS_PRICES = {
    "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf": "0.49/0.49",
    "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf": "1.54/1.54",
}
_WINDOW = 1_000_000
_Number = TypeVar("_Number", int, float)


def _price(told: object) -> object:
    """Read INPUT/OUTPUT, US dollars a million tokens."""
    if not isinstance(told, str):
        return told
    paid, _, earned = told.partition("/")
    return {"input_usd": paid, "output_usd": earned, "cached_usd": None, "as_of": None, "source": "command line"}


Rates = Annotated[Price, BeforeValidator(_price)]


class RecordedOptions(Options):
    """Which recordings stand in for which tiers, and at what prices.

    `problems` defaults to a file beside the recordings, and `public_tests` to one beside the problems. `price` adds to the shipped
    table. `cheap` and `frontier` default to the two models recorded, told apart by price.
    """

    recordings: Path = Field(description="recorded completions, such as humaneval_recorded.jsonl.gz")
    problems: Path | None = Field(default=None, description="HumanEvalPlus.jsonl.gz; default beside the recordings")
    public_tests: Path | None = Field(default=None, description="humaneval_public_tests.json; default beside them")
    cheap: str | None = Field(default=None, description="the cheap model, if more than two are recorded")
    frontier: str | None = Field(default=None, description="the frontier model, likewise")
    price: Mapping[str, Rates] = Field(default={}, description="MODEL=INPUT/OUTPUT, US$ a million tokens")
    limit: Annotated[int | None, Field(ge=1, description="only the first problems")] = None

    @property
    def plus(self) -> Path:
        """The file of problems."""
        return self.problems or self.recordings.parent / "HumanEvalPlus.jsonl.gz"

    @property
    def public(self) -> Path:
        """The file of their public tests."""
        return self.public_tests or self.plus.parent / "humaneval_public_tests.json"

    def files(self) -> list[Path]:
        """Return the recordings, the problems and their public tests."""
        return [self.recordings, self.plus, self.public]


@dataclass(frozen=True, kw_only=True)
class RecordedCascade(Benchmark[RecordedOptions]):
    """The benchmark over recordings; a sample is a problem, under every policy and every rotation of its recorded samples.

    Nothing is spent: costs are what the recorded tokens cost then.
    """

    @property
    def models(self) -> dict[str, Json]:
        """Which recorded models stand in for the tiers."""
        names = zip(("cheap", "frontier"), self._pair, strict=True)
        return {tier: f"{model} (recorded), {self._prices[model].rates}" for tier, model in names}

    @cached_property
    def _problems(self) -> dict[str, Problem]:
        return dict(read_problems(self.options.plus, self.options.public))

    @cached_property
    def _recorded(self) -> list[RecordedCompletion]:
        return [row for row in read_recorded(self.options.recordings) if row.problem in self._problems]

    @cached_property
    def _prices(self) -> dict[str, Price]:
        return {**known_prices(), **self.options.price}

    @cached_property
    def _pair(self) -> tuple[str, str]:
        return _models(self.options.cheap, self.options.frontier, self._recorded, self._prices)

    def ids(self) -> list[str]:
        """Name the problems. Raises OSError, and Unusable for files and models that cannot be used."""
        return list(dict.fromkeys(row.problem for row in self._recorded))[: self.options.limit]

    @asynccontextmanager
    async def answering(self, wanted: Sequence[str]) -> AsyncIterator[Work]:  # noqa: ARG002 - all are in memory
        """Give what has every policy answer a problem. Raises SandboxUnavailable."""
        cheap, frontier = self._pair
        replayed = _Replayed(self._recorded, self._problems, cheap=cheap, frontier=frontier, prices=self._prices)
        gates = _Gates(await Sandbox.found(limits=GATE, at_once=2))
        samples = 1 + max(row.sample for row in self._recorded)
        asked = [(arm, rotation) for arm in arms_over(self._recorded) for rotation in range(samples)]

        async def work(id_: str) -> Sample:
            problem = self._problems[id_]
            try:
                served = await asyncio.gather(
                    *(replayed.served(arm, rotation, problem, gates) for arm, rotation in asked)
                )
            except NotRecorded as fault:
                return Sample(id=id_, fault=str(fault))
            return Sample(id=id_, value={"served": [asdict(one) for one in served]})

        yield work

    @asynccontextmanager
    async def scoring(self, answers: Mapping[str, Sample]) -> AsyncIterator[Work]:
        """Score what was served on hidden inputs, which are opened now and not before."""
        hidden, scorer = read_hidden(self.options.plus), Scorer(await Sandbox.found(at_once=2))

        async def work(id_: str) -> Sample:
            found = [await scorer.score(one.program, hidden[id_]) for one in _read(answers[id_])]
            return Sample(id=id_, value={"base": [one.base for one in found], "plus": [one.plus for one in found]})

        yield work

    def marks(self, answer: Sample, score: Sample | None) -> dict[str, float]:
        """Give each policy's share of right answers over the rotations."""
        return (
            CascadeResults(recordings="", samples=_scored(answer, score)).right() if score and not score.fault else {}
        )

    def report(self, answers: Sequence[Sample], scores: Mapping[str, Sample]) -> Report:
        """Give every policy's rates and costs, the curve, and the paired ablation."""
        right = {id_: one for id_, one in scores.items() if not one.fault}
        done = [one for one in answers if not one.fault and one.id in right]
        samples = tuple(one for answer in done for one in _scored(answer, right[answer.id]))
        return CascadeResults(recordings=self.options.recordings.name, samples=samples).report(len(answers) - len(done))


def _read(answer: Sample) -> list[Served]:
    return TypeAdapter(list[Served]).validate_python(answer.value.get("served", []))


def _scored(answer: Sample, score: Sample) -> tuple[Served, ...]:
    base, plus = (TypeAdapter(list[bool]).validate_python(score.value[name]) for name in ("base", "plus"))
    return tuple(replace(one, base=b, plus=p) for one, b, p in zip(_read(answer), base, plus, strict=True))


def _models(
    cheap: str | None, frontier: str | None, recorded: Sequence[RecordedCompletion], prices: Mapping[str, Price]
) -> tuple[str, str]:
    """Name the cheap and the frontier model. Raises Unusable if that is not clear, or a price is not known."""
    models = list(dict.fromkeys(row.model for row in recorded))
    named = [model for model in (cheap, frontier) if model]
    missing = [model for model in named if model not in models]
    if missing or (len(named) < 2 and len(models) != 2):
        raise Unusable(f"name two of the recorded models with --cheap and --frontier: {', '.join(models)}")
    unpriced = [model for model in (named if len(named) == 2 else models) if model not in prices]
    if unpriced:
        raise Unusable(
            f"no price of {', '.join(unpriced)} is known: give --price MODEL=INPUT/OUTPUT, US$ a million tokens"
        )
    pair = sorted(named if len(named) == 2 else models, key=lambda model: prices[model].output_usd)
    return (cheap or next(m for m in pair if m != frontier)), (
        frontier or next(m for m in reversed(pair) if m != cheap)
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
        self._models: dict[Name, str] = {"local": cheap, "frontier": frontier}
        self._prices = prices
        self._rows = {model: [row for row in recorded if row.model == model] for model in (cheap, frontier)}
        self._messages = {problems[row.problem].prompt: messages_of(row) for row in recorded if row.purpose == "draft"}

    async def served(self, arm: Arm, rotation: int, problem: Problem, gates: "_Gates") -> Served:
        """Have the cascade answer one problem. Raises NotRecorded, and SandboxUnavailable."""
        there: dict[Name, bool] = {"local": arm.cheap, "frontier": arm.frontier}
        own = {
            name: [row for row in self._rows[model] if row.problem == problem.id]
            for name, model in self._models.items()
            if there[name]
        }
        recorded = {name: recordings_of(rows, rotation) for name, rows in own.items()}
        cascade = CodeCascade(
            try_program=gates.try_program,
            local=self._tier("local", recorded["local"]) if arm.cheap else None,
            frontier=self._tier("frontier", recorded["frontier"]) if arm.frontier else None,
            policy=arm.policy,
            temperature=_only({row.temperature for rows in own.values() for row in rows}),
            draft_messages=lambda task: self._messages[task.question],
            deadline_s=float("inf"),
        )
        ended = await cascade.answer(task_of(problem, arm.gate), started_s=perf_counter())
        decision = ended.decision
        return Served(
            policy=arm.name,
            rotation=rotation,
            problem=problem.id,
            path=decision.path,
            verified=decision.verified,
            program="" if decision.abstained else decision.answer,
            cost_nanousd=decision.cost_nanousd,
            calls=len(decision.calls),
            seconds=_seconds(decision.calls, recorded),
        )

    def _tier(self, name: Name, recorded: Mapping[tuple[str, int], Recorded]) -> ModelTier:
        model = self._models[name]
        return ModelTier(
            name=name,
            model=model,
            price=self._prices[model],
            window_tokens=_WINDOW,
            max_tokens=_only({one.request.max_tokens for one in recorded.values()}),
            timeout_s=60,
            tries=1,
            deployments=[Deployment(ReplayChat(recorded, model=model), name="recordings", concurrency=1_000)],
            count=count_tokens,
            sleep=asyncio.sleep,
        )


def _only(found: set[_Number]) -> _Number:
    """Return the one value that all recordings of a problem have. Raises ValueError if they have several, or there is none."""
    if len(found) != 1:
        raise ValueError(f"recordings of one problem must have one temperature and one limit of tokens, not {found}")
    [one] = found
    return one


def _seconds(calls: Sequence[Call], recorded: Mapping[Name, Mapping[tuple[str, int], Recorded]]) -> float:
    """Return the seconds that the calls took when they were recorded; the second call of one request is its second sample."""
    made: Counter[tuple[str, str]] = Counter()
    total_s = 0.0
    for call in calls:
        of_tier = recorded["local" if call.tier == "local" else "frontier"]
        total_s += of_tier[call.request, made[call.tier, call.request]].latency_s
        made[call.tier, call.request] += 1
    return total_s


class _Gates:
    """Public tests, each run once a program."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._outcomes: dict[str, asyncio.Task[TrialOutcome]] = {}

    async def try_program(self, program: str, tests: PublicTests) -> TrialOutcome:
        """Give the outcome of the tests. Raises SandboxUnavailable."""
        key = blake2b(repr((program, tests)).encode("utf-8", "surrogatepass")).hexdigest()
        if key not in self._outcomes:
            self._outcomes[key] = asyncio.create_task(self._sandbox.try_program(program, tests))
        return await self._outcomes[key]
