"""Guards over the form of a draft: the model finished, was the one asked for, and said something of a form we know."""

from dataclasses import dataclass
from typing import ClassVar

from cascade.decision import Verdict
from cascade.guards.guard import Case, Cost
from cascade.model import Draft
from cascade.tiers.names import same_model

__all__ = ["FinishGuard", "SchemaGuard", "finish_fault"]

_FINISHED = frozenset({"stop", "eos", "end_turn"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishGuard:
    """Passes if the model asked for finished of its own accord, and said something."""

    name: ClassVar[str] = "finish"
    version: ClassVar[str] = "2"
    cost: ClassVar[Cost] = "free"

    async def check(self, case: Case) -> Verdict:
        """Judge how the draft ended."""
        fault = finish_fault(case.draft, case.model)
        if not fault and not case.draft.answer and not case.draft.abstains:
            fault = "the answer is empty"
        return self._verdict(fault)

    def _verdict(self, fault: str) -> Verdict:
        status, reason = ("fail", fault) if fault else ("pass", "the model finished, and said something")
        return Verdict(guard=self.name, status=status, score=float(not fault), reason=reason)  # type: ignore[arg-type]


def finish_fault(draft: Draft, model: str) -> str:
    """Say how a draft did not end well: another model answered, or it was cut off; "" if it did."""
    if draft.returned_model and not same_model(model, draft.returned_model):
        hint = "if that is the same model, the tier's setting accepted_models must name it"
        return f"{model!r} was asked and {draft.returned_model!r} answered; {hint}"
    if draft.finish_reason not in _FINISHED:
        return f"the model did not finish: {draft.finish_reason or 'no reason given'}"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaGuard:
    """Passes if the answer has a form we know, and is an answer rather than an essay."""

    name: ClassVar[str] = "schema"
    cost: ClassVar[Cost] = "free"
    longest: int = 2_000

    @property
    def version(self) -> str:
        """Say the version and the limit."""
        return f"2 longest={self.longest}"

    async def check(self, case: Case) -> Verdict:
        """Judge the draft's form."""
        fault = ""
        if not case.draft.parsed:
            fault = "the answer is not the JSON that was asked for"
        elif len(case.draft.answer) > self.longest:
            fault = f"the answer has {len(case.draft.answer):,} characters; {self.longest:,} are allowed"
        reason = fault or "the answer has the form that was asked for"
        return Verdict(guard=self.name, status="fail" if fault else "pass", score=float(not fault), reason=reason)
