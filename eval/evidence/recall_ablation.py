"""What each part of recall is worth on a set, as a benchmark. One sample judges all questions without one part.

How it is judged is in `eval.evidence.ablation`. The questions' candidates are gathered once for all samples.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import cached_property

import anyio

from eval.errors import Unusable
from eval.evidence.ablation import SWITCHED_OFF, Judged, compare_parts, judge_without
from eval.evidence.sets import LabelledSet
from eval.harness.benchmark import Benchmark, Budget, Sample, Work
from eval.harness.conversations import Conversation
from eval.harness.report import Report
from eval.training.fitting import Asked, ask_conversations, held_out
from memory.encoding.encoder import Encoder
from memory.recall.reranker import Reranked

__all__ = ["AblationOptions", "RecallAblation"]


class AblationOptions(LabelledSet):
    """Which questions of which set, each part unseen by the fit."""

    budget: Budget = 165


@dataclass(frozen=True, kw_only=True)
class RecallAblation(Benchmark[AblationOptions]):
    """The benchmark over one set; ids are the parts. Only questions with valid evidence count."""

    @cached_property
    def _conversations(self) -> list[Conversation]:
        return self.options.conversations()

    def ids(self) -> list[str]:
        """Name what is switched off. Raises Unusable unless there is a conversation to fit on for each that is judged."""
        with_answers = [one for one in self._conversations if any(question.answerable for question in one.questions)]
        if len(with_answers) < len(("to fit on", "to judge")):
            raise Unusable(f"{self.options.path} needs two conversations with valid evidence: to fit on, and to judge")
        return list(SWITCHED_OFF)

    @asynccontextmanager
    async def answering(self, wanted: Sequence[str]) -> AsyncIterator[Work]:  # noqa: ARG002 - candidates serve all of them
        """Yield a function that judges all questions without a part."""
        unseen = _Unseen(
            name=self.options.set, conversations=self._conversations, encoder=self.encoder, budget=self.options.budget
        )

        async def work(id_: str) -> Sample:
            return Sample(id=id_, value=asdict(await unseen.judged(id_)))

        yield work

    def report(self, answers: Sequence[Sample], scores: Mapping[str, Sample]) -> Report:  # noqa: ARG002
        """Return what each part is worth."""
        done = [one for one in answers if not one.fault]
        found = compare_parts({one.id: Judged.read(one.value) for one in done}, budget=self.options.budget)
        size = f", {self.options.size}" if self.options.size else ""
        return Report(
            title=f"What recall's parts are worth, {self.options.set}{size}",
            figures={"ablation": asdict(found) if found else None, "errors": len(answers) - len(done)},
            tables=list(found.tables()) if found else [],
        )


class _Unseen:
    """The questions' candidates, gathered once, and what weights say of them that never saw their conversation."""

    def __init__(self, *, name: str, conversations: Sequence[Conversation], encoder: Encoder, budget: int) -> None:
        self._name = name
        self._conversations = conversations
        self._encoder = encoder
        self._budget = budget
        self._asked: list[Asked] = []
        self._full: list[Reranked] = []

    async def judged(self, part: str) -> Judged:
        """Judge all questions without a part."""
        if not self._asked:
            self._asked = await ask_conversations(self._name, self._conversations, self._encoder)
        return await anyio.to_thread.run_sync(self._judge, part)

    def _judge(self, part: str) -> Judged:
        if not self._full:
            self._full = held_out(self._asked, fitted_on=self._asked)
        return judge_without(part, self._asked, full=self._full, budget=self._budget)
