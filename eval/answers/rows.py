"""The rows of a run: what came of each question, with every draft and what the guards said of it.

A row names its question by id and holds no word of it, of the gold answer or of the conversation; it does hold what models wrote,
so a run's rows stay in the run's folder. What is made to be kept elsewhere is in `drafts`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256

from pydantic import TypeAdapter

from cascade.decision import Attempt, Call, Decision
from eval.answers.rightness import is_right
from eval.answers.scoring import answer_f1, contains
from eval.answers.systems import SystemOutcome
from eval.harness.benchmark import Sample
from eval.harness.conversations import LabelledQuestion
from eval.harness.report import Json

__all__ = ["Draft", "Row", "Spent", "digest", "read_row", "row_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What the calls of one tier took for a question."""

    calls: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A draft and its verdicts, by guard: the score, and pass, fail, unsure or error. `right`: whether it would have been right."""

    path: str
    tier: str
    model: str
    answer: str
    right: bool
    abstains: bool
    citations: int
    confidence: float | None
    context_tokens: int
    answerable: float
    scores: Mapping[str, float]
    statuses: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a system made of a question. `path` "error": its models said nothing. `hashes` are what a decision was made with."""

    system: str
    question: str
    kind: str
    answerable: bool
    excluded: bool
    answer: str
    path: str
    cached: bool
    abstained: bool
    verified: bool
    f1: float
    contained: bool
    right: bool
    context_tokens: int
    seconds: float
    cost_nanousd: int
    spent: Mapping[str, Spent]
    drafts: Sequence[Draft] = ()
    hashes: Mapping[str, str] | None = None

    @property
    def silent(self) -> bool:
        """Whether nothing was said at all."""
        return self.path == "error"

    @property
    def invented(self) -> bool:
        """Whether it answers what the conversation does not hold."""
        return not self.answerable and not self.abstained and not self.silent

    def as_sample(self) -> Sample:
        """Return it as a row of the run."""
        value: dict[str, Json] = asdict(self)
        return Sample(id=f"{self.system}/{self.question}", value=value, cost_nanousd=self.cost_nanousd)


_ROW = TypeAdapter(Row)


def read_row(sample: Sample) -> Row:
    """Read a row back. Raises ValueError for one of another kind of run."""
    return _ROW.validate_python(dict(sample.value))


def row_of(system: str, question: LabelledQuestion, outcome: SystemOutcome, *, excluded: bool) -> Row:
    """Score what a system made of a question."""
    decision, abstained = outcome.decision, outcome.abstained
    answer = "" if outcome.path == "error" else outcome.text
    return Row(
        system=system,
        question=question.id,
        kind=question.kind,
        answerable=question.answerable,
        excluded=excluded,
        answer=answer,
        path=outcome.path,
        cached=outcome.cached,
        abstained=abstained,
        verified=bool(decision and decision.verified and not abstained and _was_judged(decision)),
        f1=answer_f1(question.kind, question.answer, answer, abstained=abstained),
        contained=not abstained and contains(question.answer, answer),
        right=is_right(question, answer, abstained=abstained),
        context_tokens=outcome.context_tokens,
        seconds=round(outcome.seconds, 3),
        cost_nanousd=sum(call.cost_nanousd for call in outcome.calls),
        spent=_spent(outcome.calls),
        drafts=[_draft(attempt, decision, question) for attempt in decision.attempts] if decision else (),
        hashes=asdict(decision.hashes) if decision else None,
    )


def digest(answer: str) -> str:
    """Return a short hash of an answer, which tells equal ones without their words."""
    return sha256(answer.encode()).hexdigest()[:16]


def _was_judged(decision: Decision) -> bool:
    """Whether a guard was asked: with verification switched off everything is let through, and nothing verified."""
    return any(verdict.hard for verdict in decision.verdicts)


def _spent(calls: Sequence[Call]) -> dict[str, Spent]:
    by_tier: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        by_tier[call.tier].append(call)
    return {
        tier: Spent(
            calls=len(own),
            prompt_tokens=sum(call.usage.prompt_tokens for call in own),
            completion_tokens=sum(call.usage.completion_tokens for call in own),
            seconds=sum(call.latency_ms for call in own) / 1_000,
        )
        for tier, own in by_tier.items()
    }


def _draft(attempt: Attempt, decision: Decision, question: LabelledQuestion) -> Draft:
    draft, brief = attempt.draft, decision.contexts[attempt.context]
    return Draft(
        path=attempt.path,
        tier=attempt.tier,
        model=attempt.model,
        answer=draft.answer,
        right=is_right(question, draft.answer, abstained=draft.abstains),
        abstains=draft.abstains,
        citations=len(draft.citations),
        confidence=draft.confidence,
        context_tokens=brief.tokens,
        answerable=brief.answerable,
        scores={verdict.guard: verdict.score for verdict in attempt.verdicts},
        statuses={verdict.guard: verdict.status for verdict in attempt.verdicts},
    )
