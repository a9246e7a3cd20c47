"""What marking and ordering by supersession is worth, on questions about what changed, with the weights that ship.

The questions of a set about updates and contradictions are asked, or all of them, which shows what is replaced falsely. The same
evidence is distilled with the newest of replacing
statements first and the others marked, and by score alone.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from statistics import fmean

from pydantic import Field, TypeAdapter

from compaction import distill
from compaction.rendering import SUPERSEDED
from eval.errors import Unusable
from eval.evidence.sets import LabelledSet
from eval.harness.benchmark import Benchmark, Sample, Work
from eval.harness.conversations import Conversation, LabelledQuestion
from eval.harness.report import Json, Report, Table
from eval.training.fitting import Asked, ask_conversations
from memory.recall.ranking import ranked_evidence
from memory.recall.reranker import RecallModels, Reranked, reranked

__all__ = ["BothWays", "Supersession", "SupersessionOptions", "about_changes", "both_ways"]

BUDGETS = (165, 660)
_ALL = "all"
_CHANGES = ("update", "contradiction")  # in the names of the sets' kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class BothWays:
    """Evidence recall and answer words at a budget, with supersession and without; and whether the context marks a line."""

    budget: int
    recall: tuple[float, float]
    words: tuple[float, float]
    marked: bool


class SupersessionOptions(LabelledSet):
    """Which questions of which set."""

    every_question: bool = Field(default=False, description="not only those about what changed")


def about_changes(conversations: Sequence[Conversation], *, every_question: bool = False) -> list[Conversation]:
    """Return the conversations that have questions about what changed, with these alone; with every answerable one if asked."""
    chosen = [
        replace(
            one,
            questions=tuple(
                q for q in one.questions if q.answerable and (every_question or any(k in q.kind for k in _CHANGES))
            ),
        )
        for one in conversations
    ]
    return [one for one in chosen if one.questions]


def both_ways(asked: Asked, scores: Reranked, *, budget: int) -> BothWays:
    """Distil a question's evidence in both ways."""
    found: list[tuple[float, float]] = []
    marked = False
    for newest_first in (True, False):
        evidence = ranked_evidence(asked.found.candidates, scores, supersession=newest_first)
        context = distill(evidence, budget=budget, breadth=asked.found.question.breadth)
        found.append((asked.question.recall_of(context), asked.question.words_in(context.text) or 0.0))
        marked |= newest_first and SUPERSEDED in context.text
    (recall, words), (recall_without, words_without) = found
    return BothWays(budget=budget, recall=(recall, recall_without), words=(words, words_without), marked=marked)


@dataclass(frozen=True, kw_only=True)
class Supersession(Benchmark[SupersessionOptions]):
    """The benchmark over one set; ids are those of its questions about changes."""

    @cached_property
    def _asked(self) -> dict[str, tuple[Conversation, LabelledQuestion]]:
        chosen = about_changes(self.options.conversations(), every_question=self.options.every_question)
        return {question.id: (one, question) for one in chosen for question in one.questions}

    def ids(self) -> list[str]:
        """Name the questions. Raises Unusable where none is about a change."""
        if not self._asked:
            raise Unusable(f"{self.options.path} holds no question about an update or a contradiction")
        return list(self._asked)

    @asynccontextmanager
    async def answering(self, wanted: Sequence[str]) -> AsyncIterator[Work]:  # noqa: ARG002 - memories are made as they are needed
        """Open what distils a question's evidence in both ways; a conversation is remembered once for all of its questions."""
        weights = RecallModels.load(self.encoder.name).reranker
        gathered: dict[str, dict[str, Asked]] = {}

        async def work(id_: str) -> Sample:
            conversation, question = self._asked[id_]
            if conversation.id not in gathered:
                gathered.clear()
                found = await ask_conversations(self.options.set, [conversation], self.encoder)
                gathered[conversation.id] = {one.question.id: one for one in found}
            one = gathered[conversation.id].get(id_)
            if one is None:
                return Sample(id=id_, fault="nothing was recalled")
            scores = reranked(weights, one.features)
            rows = [asdict(both_ways(one, scores, budget=budget)) for budget in BUDGETS]
            return Sample(id=id_, value={"kind": question.kind, "budgets": rows})

        yield work

    def marks(self, answer: Sample, score: Sample | None) -> dict[str, float]:  # noqa: ARG002 - nothing is scored later
        """Return evidence recall with supersession, at every budget."""
        return {f"evidence recall, {row.budget}": row.recall[0] for row in _rows(answer)}

    def report(self, answers: Sequence[Sample], scores: Mapping[str, Sample]) -> Report:  # noqa: ARG002
        """Return what supersession is worth, by kind of question and budget."""
        done = [one for one in answers if not one.fault]
        table = Table("kind", "n", "budget", "recall with", "without", "words with", "without", "marked")
        figures: dict[str, Json] = {"errors": len(answers) - len(done)}
        for kind in [*sorted({str(one.value["kind"]) for one in done}), _ALL]:
            rows = [row for one in done if kind in (one.value["kind"], _ALL) for row in _rows(one)]
            for budget in sorted({row.budget for row in rows}):
                here = [row for row in rows if row.budget == budget]
                recall, words = (
                    [fmean(pair[way] for pair in pairs) for way in (0, 1)]
                    for pairs in ([row.recall for row in here], [row.words for row in here])
                )
                marked = sum(row.marked for row in here)
                figures[f"{kind}, {budget}"] = {"n": len(here), "recall": recall, "words": words, "marked": marked}
                cells = [f"{value:.3f}" for value in (*recall, *words)]
                table.add_row(kind, str(len(here)), str(budget), *cells, str(marked))
        return Report(title=f"What supersession is worth, {self.options.set}", figures=figures, tables=[table])


def _rows(answer: Sample) -> list[BothWays]:
    return TypeAdapter(list[BothWays]).validate_python(answer.value["budgets"])
