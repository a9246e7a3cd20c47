"""Context rot: the same conversation and questions, while the history around them grows from a thousand to a million tokens.

What long prompts lose (Hong, Troynikov & Huber, "Context Rot", 2025) a memory need not: the context stays at its budget whatever
was remembered beside it. The conversation is the sample that ships with Tirtha; the growing rest is small talk of other sessions.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from datetime import timedelta

from compaction.tokens import count_tokens
from eval.harness.answer_paths import USUAL_WINDOW, history_scope
from eval.harness.benchmark import Benchmark, Budget, Options, Sample, Seed, Work
from eval.harness.report import Chart, Json, Report, Series
from eval.long_context.haystack import Haystack, Hidden, History, as_requests, paragraphs, take
from eval.long_context.hidden_facts import (
    Histories,
    Lengths,
    RawWindow,
    asking_histories,
    by_length,
    cells_of,
    configured_models,
    marks_of,
    notes_on_models,
    recall_line,
    table_of,
)
from memory import NewTurn, Remember
from tirtha.sample import SampleQuestion, sample_questions, sample_sessions

__all__ = ["LENGTHS", "ContextRot", "RotOptions"]

LENGTHS = (1_000, 10_000, 100_000, 1_000_000)


class RotOptions(Options):
    """How far the history grows."""

    lengths: Lengths = LENGTHS
    budget: Budget = 165
    seed: Seed = 1
    haystack: Haystack = None
    raw_window: RawWindow = USUAL_WINDOW


@dataclass(frozen=True, kw_only=True)
class ContextRot(Benchmark[RotOptions]):
    """The benchmark. Sample ids are `length/number of the question`; a length below the conversation's own is that."""

    @property
    def models(self) -> dict[str, Json]:
        """Who answers."""
        return configured_models(self.settings)

    def ids(self) -> list[str]:
        """Name the questions of every length."""
        return [f"{length}/{number}" for length in self.options.lengths for number in range(len(_questions()))]

    def answering(self, wanted: Sequence[str]) -> AbstractAsyncContextManager[Work]:  # noqa: ARG002 - histories open when asked
        """Remember each length's history once and ask it every question."""
        return asking_histories(
            Histories(
                make=self.history,
                settings=self.settings,
                encoder=self.encoder,
                budget=self.options.budget,
                raw_window=self.options.raw_window,
            )
        )

    def history(self, length: int) -> History:
        """Make the history of `length` tokens: the conversation, and other sessions around it."""
        own = sample_sessions()
        texts = {turn.id: turn.text for turns in own.values() for turn in turns if turn.id}
        mine = [f"{turn.speaker}: {turn.text}" for turns in own.values() for turn in turns]
        room = length - count_tokens("\n".join(mine))
        others = take(paragraphs(self.options.seed, self.options.haystack), room) if room > 0 else []
        text = "\n".join([*others, *mine])
        last = max(turn.said_at for turns in own.values() for turn in turns if turn.said_at)
        hidden = {
            str(number): Hidden(
                question=one.question,
                facts=tuple(texts[turn] for turn in sorted(one.evidence)),
                answer=one.answer,
                asked_at=last + timedelta(days=1),
            )
            for number, one in enumerate(_questions())
        }
        requests = [*as_requests(others, prefix="small talk"), *(_request(id_, turns) for id_, turns in own.items())]
        return History(requests=tuple(requests), text=text, tokens=count_tokens(text), hidden=hidden)

    def marks(self, answer: Sample, score: Sample | None) -> dict[str, float]:  # noqa: ARG002 - nothing is scored later
        """Return evidence recall, and whether the answer is right."""
        return marks_of(answer)

    def report(self, answers: Sequence[Sample], scores: Mapping[str, Sample]) -> Report:  # noqa: ARG002 - nothing is scored
        """Return recall and accuracy by length."""
        cells = cells_of(answers)
        found = by_length(cells, {"all": cells})
        right = [(one.history_tokens, one.right) for one in found.values()]
        return Report(
            title=f"Context rot, budget {self.options.budget}",
            figures={
                "lengths": {key: asdict(one) for key, one in found.items()},
                "errors": sum(bool(one.fault) for one in answers),
                "cache_hits": sum(cell.cached for cell in cells),
            },
            tables=[table_of(found, title="The same questions as the history grows")],
            charts=[
                Chart(
                    title="As the history grows",
                    x="tokens of history",
                    y="share",
                    log_x=True,
                    lines=[
                        recall_line("evidence recall", cells, lambda c: c.history_tokens),
                        Series(name="right", points=right),
                    ],
                )
            ],
            notes=notes_on_models(self.models),
        )


def _questions() -> list[SampleQuestion]:
    return [question for question in sample_questions() if question.evidence]


def _request(session_id: str, turns: Sequence[NewTurn]) -> Remember:
    return Remember(scope=history_scope(), session_id=session_id, turns=turns)
