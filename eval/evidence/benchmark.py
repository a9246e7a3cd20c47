"""Evidence on any set: do contexts hold the turns, and the words, of an answer, and more than plain searches' contexts do?

Every question is asked as `/v1/context` asks, and distilled at each budget; six plain searches (`eval.harness.baselines`) pack
contexts of the same turns at the same budgets. A conversation is remembered in a memory of its own and encoded once.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path

import anyio
from pydantic import Field

from compaction import Context
from eval.errors import Unusable
from eval.evidence.report import BUDGETS, OURS, EvidenceResults, EvidenceSample, Held
from eval.evidence.sets import LabelledSet
from eval.evidence.weights import fitted_on, set_apart, weights_sha256
from eval.harness.answer_paths import caller_of, remembered
from eval.harness.baselines import History, pack
from eval.harness.benchmark import Benchmark, Sample, Work
from eval.harness.conversations import Conversation, LabelledQuestion
from eval.harness.report import Json, Report
from memory.encoding.encoder import Encoder
from memory.recall.reranker import MODELS
from tirtha.operations.context import ContextRequest
from tirtha.service import Service
from tirtha.settings import Settings

__all__ = ["EvidenceBenchmark", "EvidenceOptions"]


class EvidenceOptions(LabelledSet):
    """Which questions of which set, and which weights are judged."""

    models: Path | None = Field(
        default=None,
        description="a folder of recall's weights, from `tirtha eval fit`; default: those that ship",
    )


@dataclass(frozen=True, kw_only=True)
class EvidenceBenchmark(Benchmark[EvidenceOptions]):
    """The benchmark over one set; ids are those of its questions."""

    def facts(self) -> dict[str, Json]:
        """Return which weights are judged, and what they were fitted on."""
        return {"fitted_on": list(self._fitted_on), "weights_sha256": weights_sha256(self._weights)}

    @property
    def _weights(self) -> Path:
        return self.options.models or MODELS

    @cached_property
    def _conversations(self) -> list[Conversation]:
        return self.options.conversations()

    @cached_property
    def _questions(self) -> dict[str, tuple[Conversation, LabelledQuestion]]:
        return {question.id: (one, question) for one in self._conversations for question in one.questions}

    @cached_property
    def _fitted_on(self) -> tuple[str, ...]:
        if self.recorded is not None:
            return tuple(self.recorded.get("fitted_on", ()))
        return fitted_on(self.encoder.name, self._weights)

    @cached_property
    def _not_asked(self) -> int:
        return sum(len(one.without_evidence) + len(one.left_out) for one in self._conversations)

    def ids(self) -> list[str]:
        """Name the questions. Raises Unusable where the files are not in the set's format, or no answer is labelled."""
        if not any(question.answerable for _, question in self._questions.values()):
            raise Unusable(f"{self.options.path} holds no question with labelled evidence")
        return list(self._questions)

    @asynccontextmanager
    async def answering(self, wanted: Sequence[str]) -> AsyncIterator[Work]:  # noqa: ARG002 - memories are made as they are needed
        """Yield a function that asks a question, of one conversation after the other."""
        async with AsyncExitStack() as stack:
            asking = _Asking(settings=self.settings, encoder=self.encoder, recall_models=self._weights, stack=stack)

            async def work(id_: str) -> Sample:
                conversation, question = self._questions[id_]
                sample = replace(await asking.ask(conversation, question), not_asked=self._not_asked)
                return Sample(id=id_, value=asdict(sample))

            yield work

    def marks(self, answer: Sample, score: Sample | None) -> dict[str, float]:  # noqa: ARG002 - nothing is scored later
        """Return what our contexts hold of each measure, at every budget."""
        return EvidenceSample.read(answer).marks()

    def report(self, answers: Sequence[Sample], scores: Mapping[str, Sample]) -> Report:  # noqa: ARG002
        """Compare our contexts with plain searches', by kind and budget."""
        done = [EvidenceSample.read(one) for one in answers if not one.fault]
        title = ", ".join(part for part in (self.options.set, self.options.size, set_apart(self._fitted_on)) if part)
        report = EvidenceResults(title=title, samples=tuple(done)).report(len(answers) - len(done))
        return replace(report, notes=[*report.notes, *self._in_sample()])

    def _in_sample(self) -> Iterator[str]:
        name = self.options.set
        if name in self._fitted_on:
            yield (
                f"Recall's weights were fitted on questions of {name}, too: figures are in sample where docs/models.md names"
                " the same part of it."
            )


@dataclass(slots=True, kw_only=True)
class _Asking:
    """The memory of one conversation at a time, and its turns as plain searches read them."""

    settings: Settings
    encoder: Encoder
    recall_models: Path
    stack: AsyncExitStack
    conversation: str = ""
    service: Service = field(init=False)
    history: History = field(init=False)
    in_use: anyio.Lock = field(default_factory=anyio.Lock)

    async def ask(self, conversation: Conversation, question: LabelledQuestion) -> EvidenceSample:
        async with self.in_use:
            if self.conversation != conversation.id:
                await self._open(conversation)
            return await self._ask(conversation, question)

    async def _open(self, conversation: Conversation) -> None:
        await self.stack.aclose()
        memory = remembered(
            conversation.requests(), settings=self.settings, encoder=self.encoder, recall_models=self.recall_models
        )
        self.service = await self.stack.enter_async_context(memory)
        self.history = History(await self.service.memory.history(conversation.scope), self.encoder)
        self.conversation = conversation.id

    async def _ask(self, conversation: Conversation, question: LabelledQuestion) -> EvidenceSample:
        scope = conversation.scope
        request = ContextRequest(user_id=scope.user_id, question=question.question, asked_at=conversation.asked_at)
        ladder = await self.service.context.ladder(caller_of(scope), request, BUDGETS)
        held: dict[str, Held] = {}
        if question.answerable:
            held[OURS] = _held(question, [one.context for one in ladder])
            held |= await anyio.to_thread.run_sync(self._plain, question)
        return EvidenceSample(
            conversation=conversation.id,
            kind=question.kind,
            has_answer=question.answerable,
            by_session=bool(question.sessions),
            answerable=ladder[0].answerable,
            raw_tokens=conversation.tokens,
            held=held,
        )

    def _plain(self, question: LabelledQuestion) -> dict[str, Held]:
        found = self.history.search(question.question)
        return {
            name: _held(question, [pack(evidence, budget) for budget in BUDGETS]) for name, evidence in found.items()
        }


def _held(question: LabelledQuestion, contexts: Sequence[Context]) -> Held:
    words = [question.words_in(one.text) for one in contexts]
    contained = [question.contained_in(one.text) for one in contexts]
    widest = contexts[-1]
    best = sorted(widest.lines, key=lambda line: -line.score)[:1]
    return Held(
        first=question.recall_of(replace(widest, lines=tuple(best))) > 0,
        evidence=tuple(question.recall_of(one) for one in contexts),
        words=tuple(share for share in words if share is not None),
        contained=tuple(float(one) for one in contained if one is not None),
        tokens=tuple(one.tokens for one in contexts),
    )
