"""The guard over quotes: is the best line that is quoted useful enough for the question to be shown as its answer?"""

from dataclasses import dataclass
from typing import ClassVar

from cascade.decision import Verdict
from cascade.guards.guard import Case, Cost

__all__ = ["RelevanceGuard"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RelevanceGuard:
    """Passes if the best cited line's score (predicted usefulness, 0 to 1) is at least `threshold`."""

    name: ClassVar[str] = "relevance"
    cost: ClassVar[Cost] = "free"
    threshold: float

    @property
    def version(self) -> str:
        """Return the version and the threshold."""
        return f"1 threshold={self.threshold}"

    async def check(self, case: Case) -> Verdict:
        """Judge the lines that the draft cites."""
        cited = set(case.draft.citations)
        best = max((quote.score for quote in case.brief.quotes if quote.n in cited), default=0.0)
        reason = f"the best line quoted scores {best:.2f}; {self.threshold:.2f} is asked for"
        passes = best >= self.threshold
        return Verdict(
            guard=self.name, status="pass" if passes else "fail", score=best, reason=reason, blames="context"
        )
