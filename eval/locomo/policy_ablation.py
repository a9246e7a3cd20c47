"""What the parts of the cascade are worth on questions: each switched off in turn, paired with everything on, in answers and cost.

LoCoMo's questions, scored by token F1. Every question is asked twice, as a chat app's users do, so that the cache has something to
save. Needs a model: without one there is nothing to verify, repair or widen, and the run refuses to start.
"""

import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import mean
from typing import Annotated

from pydantic import Field, TypeAdapter

from cascade import Cascade, dollars
from cascade.errors import CascadeFault
from eval.answers.scoring import answer_f1
from eval.answers.systems import (
    unchanged,
    without_guards,
    without_repair,
    without_verification,
    without_widening,
)
from eval.errors import Unusable
from eval.harness.answer_paths import ask_memory, remember_all
from eval.harness.benchmark import Benchmark, Budget, Options, Sample, Work
from eval.harness.conversations import Conversation, LabelledQuestion
from eval.harness.intervals import paired_difference
from eval.harness.report import Chart, Json, Report, Series, Table
from eval.locomo.data import read_locomo
from eval.long_context.hidden_facts import configured_models
from tirtha.service import Service
from tirtha.wiring.service import open_service

__all__ = ["ARMS", "PolicyAblation", "PolicyAblationOptions"]

FULL, NO_CACHE = "full", "no cache"
_ASKED = 2


ARMS: Mapping[str, Callable[[Cascade], Cascade]] = {
    FULL: unchanged,
    "no verification": without_verification,
    "no guards": without_guards,
    "no repair": without_repair,
    "no widening": without_widening,
    NO_CACHE: unchanged,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    arm: str
    question: str
    f1: float
    path: str
    cost_nanousd: int


class PolicyAblationOptions(Options):
    """What is asked."""

    data: Path = Field(description="a LoCoMo file, such as locomo10.json")
    budget: Budget = 165
    limit: Annotated[int | None, Field(ge=1, description="questions of each conversation")] = None


@dataclass(frozen=True, kw_only=True)
class PolicyAblation(Benchmark[PolicyAblationOptions]):
    """The benchmark over a LoCoMo file. Ids are `arm/question`."""

    @property
    def models(self) -> dict[str, Json]:
        """Who answers."""
        return configured_models(self.settings)

    @cached_property
    def _asked(self) -> dict[str, tuple[Conversation, LabelledQuestion]]:
        return {
            question.id: (conversation, question)
            for conversation in read_locomo(self.options.data)
            for question in conversation.questions[: self.options.limit]
        }

    def ids(self) -> list[str]:
        """Name the questions of every arm."""
        return [f"{arm}/{id_}" for arm in ARMS for id_ in self._asked]

    @asynccontextmanager
    async def answering(self, wanted: Sequence[str]) -> AsyncIterator[Work]:
        """Remember the conversations once for every arm that is left. Raises Unusable where no model is configured."""
        if not (self.settings.local or self.settings.frontier):
            raise Unusable(
                "without a model there is nothing to switch off: set TIRTHA_LOCAL_URL or TIRTHA_FRONTIER_URL"
            )
        async with AsyncExitStack() as stack:
            services = {
                arm: await self._open(stack, ARMS[arm], [id_ for id_ in wanted if id_.startswith(f"{arm}/")])
                for arm in dict.fromkeys(id_.partition("/")[0] for id_ in wanted)
            }

            async def work(id_: str) -> Sample:
                arm, _, question = id_.partition("/")
                try:
                    return await self._ask(services[arm], arm, question)
                except CascadeFault as fault:
                    return Sample(id=id_, fault=str(fault))

            yield work

    async def _open(
        self, stack: AsyncExitStack, change: Callable[[Cascade], Cascade], wanted: Sequence[str]
    ) -> Service:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="tirtha-ablation-"))
        own = self.settings.model_copy(update={"home": Path(folder), "database_url": None})
        service = await stack.enter_async_context(open_service(own, encoder=self.encoder, change=change))
        conversations = {one.id: one for id_ in wanted for one, _ in [self._asked[id_.partition("/")[2]]]}
        for conversation in conversations.values():
            await remember_all(service.memory, conversation.requests())
        return service

    async def _ask(self, service: Service, arm: str, id_: str) -> Sample:
        conversation, question = self._asked[id_]
        replies = [
            await ask_memory(
                service, question.question, conversation.asked_at, budget=self.options.budget,
                use_cache=arm != NO_CACHE, scope=conversation.scope,
            )
            for _ in range(_ASKED)
        ]  # fmt: skip
        first, cost = replies[0], sum(reply.cost_nanousd for reply in replies)
        f1 = answer_f1(question.kind, question.answer, first.text, abstained=first.path == "abstain")
        value: dict[str, Json] = {"arm": arm, "question": id_, "f1": f1, "path": first.path, "cost_nanousd": cost}
        return Sample(id=f"{arm}/{id_}", value=value, cost_nanousd=cost)

    def marks(self, answer: Sample, score: Sample | None) -> dict[str, float]:  # noqa: ARG002 - nothing is scored later
        """Return the F1."""
        return {"F1": float(str(answer.value["f1"]))}

    def report(self, answers: Sequence[Sample], scores: Mapping[str, Sample]) -> Report:  # noqa: ARG002
        """Compare every arm with the full one, question by question."""
        read = TypeAdapter(_Row).validate_python
        rows = [read(dict(one.value)) for one in answers if not one.fault]
        by_arm = {arm: {row.question: row for row in rows if row.arm == arm} for arm in ARMS}
        table = Table(
            "arm", "n", "F1", "F1 less full's", "95%", "US$ an ask", "served cheap", "by the frontier tier", "abstained",
            title=f"LoCoMo answers, {self.options.data.name}, each asked {_ASKED} times",
        )  # fmt: skip
        figures: dict[str, Json] = {}
        points: list[Series] = []
        for arm, own in by_arm.items():
            shared = sorted(set(own) & set(by_arm[FULL]))
            if not shared:
                continue
            found = paired_difference([own[q].f1 for q in shared], [by_arm[FULL][q].f1 for q in shared])
            f1, cost = mean(row.f1 for row in own.values()), mean(row.cost_nanousd for row in own.values()) / _ASKED
            shares = [
                mean(row.path in paths for row in own.values())
                for paths in ({"local", "local_repaired", "widened"}, {"frontier"}, {"abstain"})
            ]
            figures[arm] = {
                "n": len(own), "f1": f1, "difference": found.mean, "difference_95": [found.low, found.high],
                "cost_nanousd": cost, "cheap": shares[0], "frontier": shares[1], "abstained": shares[2],
            }  # fmt: skip
            table.add_row(
                arm, str(len(own)), f"{f1:.3f}", f"{found.mean:+.3f}", found.bounds,
                dollars(round(cost)), *(f"{share:.1%}" for share in shares),
            )  # fmt: skip
            points.append(Series(name=arm, points=[(cost / 1e9, f1)]))
        figures["errors"] = sum(bool(one.fault) for one in answers)
        chart = Chart(title="Cost and quality", x="US$ an ask", y="F1", lines=points, dots=True)
        return Report(title="What the cascade's parts are worth", figures=figures, tables=[table], charts=[chart])
