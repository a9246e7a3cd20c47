"""LoCoMo: does the context of a question name the turns that hold its answer?

Every question is asked as `/v1/context` asks. The same evidence is also distilled at other budgets; on request, baselines pack the
same turns, and every part of recall is switched off in turn (`eval.locomo.ablation`).
"""

from collections.abc import AsyncIterator, Mapping, Sequence, Set
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import anyio

from compaction import Context
from eval.harness.answer_paths import caller_of, remembered
from eval.harness.baselines import BASELINES, pack_whole_turns
from eval.harness.conversations import Conversation, LabelledQuestion
from eval.harness.report import Json, Report
from eval.harness.runs import Sample, Work
from eval.locomo.ablation import SWITCHED_OFF, Judged, judge_without
from eval.locomo.data import read_locomo
from eval.locomo.report import OURS, LocomoResults, LocomoSample
from eval.training.fitting import SHIPPED_SEED, Asked, ask_conversations, held_out
from memory.encoding.encoder import Encoder
from memory.recall.rescorer import Rescored
from tirtha.operations.context import ContextRequest
from tirtha.service import Service
from tirtha.settings import Settings

__all__ = ["LADDER", "LocomoEvidence"]

LADDER = (82, 165, 330, 660, 1_320)
_WITHOUT = "without/"


@dataclass(frozen=True, kw_only=True)
class LocomoEvidence:
    """The benchmark over a LoCoMo file. Ids are those of its questions, and `without/PART/SEED` of the ablation.

    Only questions with at least one valid evidence id count; `exclude` names others to leave out (label errors). `fits` is how many
    times the ablation fits everything, each time with another seed.
    """

    settings: Settings
    encoder: Encoder
    file: Path
    budget: int = 165
    limit: int | None = None
    exclude: Set[str] = frozenset()
    ladder: bool = True
    baselines: bool = False
    ablation: bool = True
    fits: int = 3
    name: str = "locomo"

    @property
    def config(self) -> dict[str, Json]:
        """What was asked for."""
        return {
            "budget": self.budget, "limit": self.limit, "excluded": sorted(self.exclude), "ladder": self.ladder,
            "baselines": self.baselines, "ablation": self.ablation, "fits": self.fits,
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

    @cached_property
    def _questions(self) -> dict[str, tuple[Conversation, LabelledQuestion]]:
        return {question.id: (one, question) for one in self._conversations for question in one.questions}

    def ids(self) -> list[str]:
        """Name the questions, and what is switched off. Raises ValueError where the file is no LoCoMo file."""
        answerable = {conversation.id for conversation, question in self._questions.values() if question.answerable}
        if not answerable:
            raise ValueError(f"{self.file} holds no question of categories 1 to 4 with valid evidence")
        # One to fit on and one to judge, at the least.
        parts = SWITCHED_OFF if self.ablation and len(answerable) > 1 else ()
        seeds = range(SHIPPED_SEED, SHIPPED_SEED + self.fits)
        return [*self._questions, *(f"{_WITHOUT}{part}/{seed}" for seed in seeds for part in parts)]

    @asynccontextmanager
    async def answering(self, wanted: Sequence[str]) -> AsyncIterator[Work]:
        """Remember the conversations that are still asked about, each in a scope of its own, and ask."""
        conversations = {one.id: one for id_ in wanted if id_ in self._questions for one, _ in [self._questions[id_]]}
        requests = [request for one in conversations.values() for request in one.requests()]
        async with remembered(requests, settings=self.settings, encoder=self.encoder) as service:
            unseen = _Unseen(conversations=self._conversations, encoder=self.encoder, budget=self.budget)

            async def work(id_: str) -> Sample:
                if id_.startswith(_WITHOUT):
                    return Sample(id=id_, value=asdict(await unseen.judged(*_part_and_seed(id_))))
                return await self._ask(service, id_)

            yield work

    async def _ask(self, service: Service, id_: str) -> Sample:
        conversation, question = self._questions[id_]
        scope, caller = conversation.scope, caller_of(conversation.scope)
        request = ContextRequest(
            user_id=scope.user_id, question=question.question, budget=self.budget, asked_at=conversation.asked_at
        )
        found = await service.context(caller, request)
        samples = [replace(_sample(OURS, found.context, question), answerable=found.answerable)]
        if self.ladder and question.answerable:
            ladder = await service.context.ladder(caller, request, LADDER)
            samples += [_sample(OURS, context, question, rung=True) for context in ladder]
        if self.baselines and question.answerable:
            samples += await self._compare(service, conversation, question)
        value: dict[str, Json] = {
            "conversation": conversation.id,
            "raw_tokens": conversation.tokens,
            "samples": [asdict(sample) for sample in samples],
        }
        return Sample(id=id_, value=value)

    async def _compare(
        self, service: Service, conversation: Conversation, question: LabelledQuestion
    ) -> list[LocomoSample]:
        turns = await service.memory.history(conversation.scope)
        samples = []
        for name, rank in BASELINES.items():
            ranked = await anyio.to_thread.run_sync(rank, question.question, turns, self.encoder)
            samples.append(_sample(name, pack_whole_turns(ranked, self.budget), question))
        return samples

    def scoring(self, answers: Mapping[str, Sample]) -> None:
        """Score nothing later: evidence is named or not."""

    def marks(self, answer: Sample, score: Sample | None) -> dict[str, float]:  # noqa: ARG002 - nothing is scored later
        """Give a question's evidence recall and whether all of it is there."""
        if answer.id.startswith(_WITHOUT):
            return {}
        [ours, *_] = LocomoResults.samples_of(answer)
        return ours.marks()

    def report(self, answers: Sequence[Sample], scores: Mapping[str, Sample]) -> Report:  # noqa: ARG002
        """Give evidence recall by category and budget, baselines, answerability, and what each part is worth."""
        done = [one for one in answers if not one.fault]
        parts: dict[str, dict[int, Judged]] = {}
        for one in done:
            if one.id.startswith(_WITHOUT):
                part, seed = _part_and_seed(one.id)
                parts.setdefault(part, {})[seed] = Judged.read(one.value)
        questions = [one for one in done if not one.id.startswith(_WITHOUT)]
        return LocomoResults.read(self.file.name, self.budget, questions, parts).report(len(answers) - len(done))


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
    part, _, seed = id_.removeprefix(_WITHOUT).partition("/")
    return part, int(seed or SHIPPED_SEED)  # runs before there were several fits named none


def _sample(system: str, context: Context, question: LabelledQuestion, *, rung: bool = False) -> LocomoSample:
    recall = question.recall_of(context)
    return LocomoSample(
        system=system,
        rung=rung,
        budget=context.budget,
        kind=question.kind,
        evidence_recall=recall,
        all_evidence=recall == 1,
        answer_word_recall=question.words_in(context.text) if question.answerable else None,
        tokens=context.tokens,
    )
