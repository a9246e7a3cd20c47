"""Questions of a labelled set answered by one or several systems, and scored; a configured judge may read the answers as well.

Questions whose evidence names no turn are asked too: an answer can be scored without. The report counts the file's questions, those
asked, and those left out by reason. Known label errors can be left out by a list of ids: both figures are shown.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from cascade.errors import CascadeFault
from eval.answers.report import Coverage, Facts, report_of
from eval.answers.rows import read_row, row_of
from eval.answers.systems import CASCADE, CHANGES, STUFFED, SYSTEMS, Stuffed, System, check_systems
from eval.evidence.sets import SetName, files_of, ids_in, read_set
from eval.harness.answer_paths import Cached, remembered
from eval.harness.benchmark import Benchmark, Budget, Options, Sample, Work
from eval.harness.conversations import Conversation, LabelledQuestion
from eval.harness.judge import JudgedBy, ToJudge, judge_name, judging
from eval.harness.report import Json, Report
from eval.long_context.hidden_facts import configured_models
from tirtha.service import Service

__all__ = ["AnswerOptions", "SetAnswers"]


class AnswerOptions(Options):
    """Which questions of which set, and who answers and judges them."""

    set: SetName
    data: Path = Field(description="the set's file or folder")
    budget: Budget = 165
    limit: Annotated[int | None, Field(ge=1, description="questions of each conversation")] = None
    exclude: Path | None = Field(default=None, description="ids of label errors, one a line; both figures are shown")
    systems: tuple[str, ...] = Field(default=(CASCADE,), description=f"what answers, or all: {', '.join(SYSTEMS)}")
    stuffed_tokens: int = Field(default=2_000, ge=1, description="of the history in the prompt of the system `stuffed`")
    hour_usd: float | None = Field(
        default=None, ge=0, description="US dollars an hour of the machine that the models run on"
    )
    judge: JudgedBy = None
    cached: Cached = False

    @field_validator("systems")
    @classmethod
    def _all(cls, systems: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(SYSTEMS) if systems == ("all",) else systems

    def files(self) -> list[Path]:
        """Return the conversations, and the ids of label errors."""
        return [*files_of(self.set, self.data), *([self.exclude] if self.exclude else [])]


@dataclass(frozen=True, kw_only=True)
class SetAnswers(Benchmark[AnswerOptions]):
    """The benchmark over a set. A sample is `system/question`. Label errors are answered, and counted apart."""

    def facts(self) -> dict[str, Json]:
        """Return which of the file's questions are asked: a report is made again without the file."""
        return {"questions": self._coverage.figures()}

    @property
    def models(self) -> dict[str, Json]:
        """Who answers, and who judges."""
        return {**configured_models(self.settings), "judge": judge_name(self.settings, self.options.judge)}

    @cached_property
    def _conversations(self) -> list[Conversation]:
        return read_set(self.options.set, self.options.data)

    @cached_property
    def _asked(self) -> dict[str, tuple[Conversation, LabelledQuestion]]:
        return {
            question.id: (conversation, question)
            for conversation in self._conversations
            for question in conversation.answered[: self.options.limit]
        }

    @cached_property
    def _coverage(self) -> Coverage:
        if self.recorded is not None:
            return Coverage(**{name: self.recorded["questions"][name] for name in Coverage.__slots__})
        left_out = Counter(why for one in self._conversations for why in one.left_out.values())
        beyond = sum(len(one.answered) for one in self._conversations) - len(self._asked)
        if beyond:
            left_out[f"beyond --limit {self.options.limit}"] = beyond
        without = sum(not question.evidence for _, question in self._asked.values())
        return Coverage(asked=len(self._asked), asked_without_valid_evidence=without, left_out=left_out)

    def ids(self) -> list[str]:
        """Name the questions of every system. Raises Unusable for systems that cannot be."""
        check_systems(self.options.systems, self.settings)
        return [f"{system}/{id_}" for system in self.options.systems for id_ in self._asked]

    @asynccontextmanager
    async def answering(self, wanted: Sequence[str]) -> AsyncIterator[Work]:
        """Remember the conversations that are still asked about, each in a scope of its own, and ask."""
        conversations = {one.id: one for id_ in wanted for one, _ in [self._asked[_question(id_)]]}
        requests = [request for one in conversations.values() for request in one.requests()]
        async with remembered(requests, settings=self.settings, encoder=self.encoder) as service:
            systems = {name: self._system(name, service) for name in self.options.systems}
            excluded = ids_in(self.options.exclude)

            async def work(id_: str) -> Sample:
                system, asked = id_.partition("/")[0], _question(id_)
                conversation, question = self._asked[asked]
                try:
                    outcome = await systems[system].answer(conversation, question)
                except CascadeFault as fault:
                    return Sample(id=id_, fault=str(fault))
                return row_of(system, question, outcome, excluded=asked in excluded).as_sample()

            yield work

    def _system(self, name: str, service: Service) -> System | Stuffed:
        """Return a system over the memory; a history is stuffed into the prompt of the more expensive tier."""
        if name != STUFFED:
            return System(CHANGES[name], service, budget=self.options.budget, cache=self.options.cached)
        tier = service.ask.cascade.frontier or service.ask.cascade.local
        assert tier  # noqa: S101 - `check_systems` has looked
        return Stuffed(service.memory, tier, tokens=self.options.stuffed_tokens)

    def scoring(self, answers: Mapping[str, Sample]) -> AbstractAsyncContextManager[Work] | None:
        """Have the judge read the answers, if there is one."""
        if self.options.judge is None:
            return None
        return judging(
            self.settings, self.options.judge, {id_: self._to_judge(id_, one) for id_, one in answers.items()}
        )

    def _to_judge(self, id_: str, answer: Sample) -> ToJudge:
        _, question = self._asked[_question(id_)]
        kind = question.kind if question.answerable else "abstention"
        why = question.answer or "The conversation does not say this of the person asked about."
        return ToJudge(type=kind, question=question.question, answer=why, reply=str(answer.value.get("answer", "")))

    def marks(self, answer: Sample, score: Sample | None) -> dict[str, float]:
        """Return the F1, whether it is right by our rule, and the judge's word."""
        row = read_row(answer)
        found = {"F1": row.f1, "right": float(row.right)}
        return found | ({"judged right": float(bool(score.value["right"]))} if score and not score.fault else {})

    def report(self, answers: Sequence[Sample], scores: Mapping[str, Sample]) -> Report:
        """Say what the systems made of the questions, by kind, and what that cost."""
        models = configured_models(self.settings)
        facts = Facts(
            title=f"{self.options.set} answers, {self._where}",
            coverage=self._coverage,
            models=models,
            judge=judge_name(self.settings, self.options.judge) if self.options.judge else None,
            hour_usd=self.options.hour_usd,
        )
        return report_of(answers, scores, facts)

    @property
    def _where(self) -> str:
        stuffed = f", {self.options.stuffed_tokens:,} tokens stuffed" if STUFFED in self.options.systems else ""
        return f"{self.options.data.name}, budget {self.options.budget}{stuffed}"


def _question(id_: str) -> str:
    return id_.partition("/")[2]
