"""LoCoMo: what each part of recall is worth, as a benchmark. One sample judges all questions without one part, by one fit.

How it is judged is in `eval.locomo.ablation`. The questions' candidates are gathered once for all samples.
"""

from collections.abc import AsyncIterator, Mapping, Sequence, Set
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import anyio

from eval.harness.conversations import Conversation
from eval.harness.report import Json, Report
from eval.harness.runs import Sample, Work
from eval.locomo.ablation import SWITCHED_OFF, Judged, compare_parts, judge_without
from eval.locomo.data import read_locomo
from eval.training.fitting import SHIPPED_SEED, Asked, ask_conversations, held_out
from memory.encoding.encoder import Encoder
from memory.recall.rescorer import Rescored
from tirtha.settings import Settings

__all__ = ["RecallAblation"]


@dataclass(frozen=True, kw_only=True)
class RecallAblation:
    """The benchmark over a LoCoMo file. Ids are `PART/SEED`.

    Only questions with valid evidence count; `exclude` names others to leave out (label errors). `fits` is how many times
    everything is fitted, each time with another seed.
    """

    settings: Settings
    encoder: Encoder
    file: Path
    budget: int = 165
    limit: int | None = None
    exclude: Set[str] = frozenset()
    fits: int = 3
    name: str = "recall-ablation"

    @property
    def config(self) -> dict[str, Json]:
        """What was asked for."""
        return {
            "budget": self.budget, "limit": self.limit, "excluded": sorted(self.exclude), "fits": self.fits,
            "embedding_model": self.settings.embedding_model or "bundled",
        }  # fmt: skip

    @property
    def data(self) -> Sequence[Path]:
        """The conversations."""
        return [self.file]

    @property
    def models(self) -> dict[str, Json]:
        """Nobody answers here."""
        return {}

    @cached_property
    def _conversations(self) -> list[Conversation]:
        read = read_locomo(self.file, exclude=self.exclude)
        return [replace(one, questions=one.questions[: self.limit]) for one in read]

    def ids(self) -> list[str]:
        """Name what is switched off. Raises ValueError unless there is a conversation to fit on for each that is judged."""
        with_answers = [one for one in self._conversations if any(question.answerable for question in one.questions)]
        if len(with_answers) < len(("to fit on", "to judge")):
            raise ValueError(f"{self.file} needs two conversations with valid evidence: to fit on, and to judge")
        seeds = range(SHIPPED_SEED, SHIPPED_SEED + self.fits)
        return [f"{part}/{seed}" for seed in seeds for part in SWITCHED_OFF]

    @asynccontextmanager
    async def answering(self, wanted: Sequence[str]) -> AsyncIterator[Work]:  # noqa: ARG002 - candidates serve all of them
        """Give what judges all questions without a part."""
        unseen = _Unseen(conversations=self._conversations, encoder=self.encoder, budget=self.budget)

        async def work(id_: str) -> Sample:
            return Sample(id=id_, value=asdict(await unseen.judged(*_part_and_seed(id_))))

        yield work

    def scoring(self, answers: Mapping[str, Sample]) -> None:
        """Score nothing later: evidence is named or not."""

    def marks(self, answer: Sample, score: Sample | None) -> dict[str, float]:  # noqa: ARG002 - nothing is scored later
        """Return nothing: a sample is no question."""
        return {}

    def report(self, answers: Sequence[Sample], scores: Mapping[str, Sample]) -> Report:  # noqa: ARG002
        """Say what each part is worth, in the mean of the fits."""
        done = [one for one in answers if not one.fault]
        parts: dict[str, dict[int, Judged]] = {}
        for one in done:
            part, seed = _part_and_seed(one.id)
            parts.setdefault(part, {})[seed] = Judged.read(one.value)
        found = compare_parts(parts, budget=self.budget)
        return Report(
            title=f"What recall's parts are worth, {self.file.name}",
            figures={"ablation": asdict(found) if found else None, "errors": len(answers) - len(done)},
            tables=list(found.tables()) if found else [],
        )


class _Unseen:
    """The questions' candidates, gathered once, and what ensembles say of them that never saw their conversation."""

    def __init__(self, *, conversations: Sequence[Conversation], encoder: Encoder, budget: int) -> None:
        self._conversations = conversations
        self._encoder = encoder
        self._budget = budget
        self._asked: list[Asked] = []
        self._full: dict[int, list[Rescored]] = {}

    async def judged(self, part: str, seed: int) -> Judged:
        """Judge all questions without a part, by the fit of a seed."""
        if not self._asked:
            self._asked = await ask_conversations(self._conversations, self._encoder)
        return await anyio.to_thread.run_sync(self._judge, part, seed)

    def _judge(self, part: str, seed: int) -> Judged:
        if seed not in self._full:
            self._full[seed] = held_out(self._asked, fitted_on=self._asked, seed=seed)
        return judge_without(part, self._asked, full=self._full[seed], seed=seed, budget=self._budget)


def _part_and_seed(id_: str) -> tuple[str, int]:
    part, _, seed = id_.rpartition("/")
    return part, int(seed)
