"""Questions of a labelled set answered by one or several systems, and scored; a configured judge may read the answers as well.

Questions whose evidence names no turn are asked too: an answer can be scored without. The report counts the file's questions, those
asked, and those left out by reason. Known label errors can be left out by a list of ids: both figures are shown.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence, Set
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cascade.errors import CascadeFault
from eval.answers.report import Coverage, Facts, report_of
from eval.answers.rows import read_row, row_of
from eval.answers.systems import CASCADE, CHANGES, STUFFED, Stuffed, System, check_systems
from eval.evidence.sets import SetName, files_of, read_set
from eval.harness.answer_paths import remembered
from eval.harness.conversations import Conversation, LabelledQuestion
from eval.harness.judge import JudgeTier, ToJudge, judge_name, judging
from eval.harness.report import Json, Report
from eval.harness.runs import Sample, Work
from eval.long_context.hidden_facts import configured_models
from memory.encoding.encoder import Encoder
from tirtha.settings import Settings

__all__ = ["SetAnswers"]


@dataclass(frozen=True, kw_only=True)
class SetAnswers:
    """The benchmark over a set. A sample is `system/question`.

    exclude: ids of known label errors, which are answered and counted apart. limit: questions of each conversation. stuffed_tokens:
    how much history the system "stuffed" puts into its prompt. hour_usd: what an hour of the machine costs on which models run.
    told: what the manifest of a run says of the file's questions, to report it again without the file.
    """

    settings: Settings
    encoder: Encoder
    set: SetName
    path: Path
    budget: int = 165
    limit: int | None = None
    exclude: Set[str] = frozenset()
    judge: JudgeTier | None = None
    pristine: bool = True
    systems: Sequence[str] = (CASCADE,)
    stuffed_tokens: int = 2_000
    hour_usd: float | None = None
    told: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """What it is called."""
        return f"{self.set}-qa"

    @property
    def config(self) -> dict[str, Json]:
        """What was asked for, and what of the file's questions that is."""
        return {
            "set": self.set, "budget": self.budget, "limit": self.limit, "excluded": sorted(self.exclude), "judge": self.judge,
            "pristine": self.pristine, "systems": list(self.systems), "stuffed_tokens": self.stuffed_tokens,
            "hour_usd": self.hour_usd, "questions": self._coverage.figures(),
        }  # fmt: skip

    @property
    def data(self) -> Sequence[Path]:
        """The conversations."""
        return files_of(self.set, self.path)

    @property
    def models(self) -> dict[str, Json]:
        """Who answers, and who judges."""
        return {**configured_models(self.settings), "judge": judge_name(self.settings, self.judge)}

    @cached_property
    def _conversations(self) -> list[Conversation]:
        return read_set(self.set, self.path)

    @cached_property
    def _asked(self) -> dict[str, tuple[Conversation, LabelledQuestion]]:
        return {
            question.id: (conversation, question)
            for conversation in self._conversations
            for question in conversation.answered[: self.limit]
        }

    @cached_property
    def _coverage(self) -> Coverage:
        if self.told is not None:
            return Coverage(**{name: self.told[name] for name in Coverage.__slots__})
        left_out = Counter(why for one in self._conversations for why in one.left_out.values())
        beyond = sum(len(one.answered) for one in self._conversations) - len(self._asked)
        if beyond:
            left_out[f"beyond --limit {self.limit}"] = beyond
        without = sum(not question.evidence for _, question in self._asked.values())
        return Coverage(asked=len(self._asked), asked_without_valid_evidence=without, left_out=left_out)

    def ids(self) -> list[str]:
        """Name the questions of every system. Raises ValueError for systems that cannot be."""
        check_systems(self.systems, self.settings)
        return [f"{system}/{id_}" for system in self.systems for id_ in self._asked]

    @asynccontextmanager
    async def answering(self, wanted: Sequence[str]) -> AsyncIterator[Work]:
        """Remember the conversations that are still asked about, each in a scope of its own, and ask."""
        conversations = {one.id: one for id_ in wanted for one, _ in [self._asked[_question(id_)]]}
        requests = [request for one in conversations.values() for request in one.requests()]
        async with remembered(requests, settings=self.settings, encoder=self.encoder) as service:
            systems = {
                name: Stuffed(service, tokens=self.stuffed_tokens)
                if name == STUFFED
                else System(CHANGES[name], service, budget=self.budget, cache=not self.pristine)
                for name in self.systems
            }

            async def work(id_: str) -> Sample:
                system, asked = id_.partition("/")[0], _question(id_)
                conversation, question = self._asked[asked]
                try:
                    outcome = await systems[system].answer(conversation, question)
                except CascadeFault as fault:
                    return Sample(id=id_, fault=str(fault))
                return row_of(system, question, outcome, excluded=asked in self.exclude).as_sample()

            yield work

    def scoring(self, answers: Mapping[str, Sample]) -> AbstractAsyncContextManager[Work] | None:
        """Have the judge read the answers, if there is one."""
        if self.judge is None:
            return None
        return judging(self.settings, self.judge, {id_: self._to_judge(id_, one) for id_, one in answers.items()})

    def _to_judge(self, id_: str, answer: Sample) -> ToJudge:
        _, question = self._asked[_question(id_)]
        kind = question.kind if question.answerable else "abstention"
        why = question.answer or "The conversation does not say this of the person asked about."
        return ToJudge(type=kind, question=question.question, answer=why, reply=str(answer.value.get("answer", "")))

    def marks(self, answer: Sample, score: Sample | None) -> dict[str, float]:
        """Give the F1, whether it is right by our rule, and the judge's word."""
        row = read_row(answer)
        found = {"F1": row.f1, "right": float(row.right)}
        return found | ({"judged right": float(bool(score.value["right"]))} if score and not score.fault else {})

    def report(self, answers: Sequence[Sample], scores: Mapping[str, Sample]) -> Report:
        """Say what the systems made of the questions, by kind, and what that cost."""
        models = configured_models(self.settings)
        facts = Facts(
            title=f"{self.set} answers, {self._where}",
            coverage=self._coverage,
            models=models,
            judge=judge_name(self.settings, self.judge) if self.judge else None,
            hour_usd=self.hour_usd,
        )
        return report_of(answers, scores, facts)

    @property
    def _where(self) -> str:
        stuffed = f", {self.stuffed_tokens:,} tokens stuffed" if STUFFED in self.systems else ""
        return f"{self.path.name}, budget {self.budget}{stuffed}"


def _question(id_: str) -> str:
    return id_.partition("/")[2]
