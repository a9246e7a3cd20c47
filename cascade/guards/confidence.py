"""The guard over the model's own confidence: the mean probability of the answer's tokens, where the server reports them.

A weak sign alone (long answers look surer, and reasoning models are too sure); there only if a threshold is configured.
"""

from dataclasses import dataclass
from typing import ClassVar

from cascade.decision import Verdict
from cascade.guards.guard import Case, Cost

__all__ = ["ConfidenceGuard"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidenceGuard:
    """Passes if the geometric mean of the answer's token probabilities is at least `threshold`; unsure if it reports none."""

    name: ClassVar[str] = "confidence"
    cost: ClassVar[Cost] = "free"
    threshold: float

    @property
    def version(self) -> str:
        """Say the version and the threshold."""
        return f"1 threshold={self.threshold}"

    async def check(self, case: Case) -> Verdict:
        """Judge the draft's token probabilities."""
        confidence = case.draft.confidence
        if confidence is None:
            return Verdict(
                guard=self.name, status="unsure", score=0.0, reason="the server tells no token probabilities"
            )
        status = "pass" if confidence >= self.threshold else "fail"
        reason = f"mean token probability {confidence:.2f}; {self.threshold:.2f} is asked for"
        return Verdict(guard=self.name, status=status, score=confidence, reason=reason)  # type: ignore[arg-type]
