"""The guard over the evidence: does the memory probably hold the answer, and does the model agree that it does?"""

from dataclasses import dataclass
from typing import ClassVar

from cascade.decision import Verdict
from cascade.guards.guard import Case, Cost

__all__ = ["AnswerabilityGuard"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerabilityGuard:
    """Passes if the evidence probably holds the answer (at least `threshold`) and the draft does not say that it does not."""

    name: ClassVar[str] = "answerability"
    cost: ClassVar[Cost] = "free"
    threshold: float

    @property
    def version(self) -> str:
        """Say the version and the threshold."""
        return f"2 threshold={self.threshold}"

    async def check(self, case: Case) -> Verdict:
        """Judge the evidence, and what the draft says of it."""
        probability = case.brief.answerable
        likely = probability >= self.threshold
        reason = f"the memory holds the answer with probability {probability:.2f}; {self.threshold:.2f} is asked for"
        if likely and case.draft.abstains:
            reason = "the model finds no answer in these lines"
        passes = likely and not case.draft.abstains
        return Verdict(
            guard=self.name, status="pass" if passes else "fail", score=probability, reason=reason, blames="context"
        )
