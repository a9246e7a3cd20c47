"""The guard over quotes: is an answer without a model likely enough to be right to be shown?

How likely is a logistic model of two figures, fitted by `eval/training/quoting.py` on our own dialogues and judged there on talk
that it never saw. It reads no words: it does not know whether a line that is useful says what is asked.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

from cascade.claims import about_what_is_asked
from cascade.decision import Verdict
from cascade.guards.guard import Case, Cost
from cascade.model import Brief, Draft

__all__ = ["RelevanceGuard", "quoting_figures"]

_WEIGHTS = {"share": 3.52, "answerable": 0.39}
_INTERCEPT = -1.58
_COMPETING = 5  # lines: more of them, each a little useful, say nothing against the best one
_NEVER, _ALWAYS = 0.001, 0.999  # bounds of a probability, so that its log-odds are finite


@dataclass(frozen=True, slots=True, kw_only=True)
class RelevanceGuard:
    """Passes if the draft is right with a probability of at least `threshold`."""

    name: ClassVar[str] = "relevance"
    cost: ClassVar[Cost] = "free"
    threshold: float

    @property
    def version(self) -> str:
        """Return the version and the threshold."""
        return f"5 threshold={self.threshold}"

    async def check(self, case: Case) -> Verdict:
        """Judge the lines that the draft cites; a draft that cites none fails."""
        figures = quoting_figures(case.brief, case.draft)
        likely = _probability(figures) if figures else 0.0
        passes = bool(figures) and likely >= self.threshold
        reason = f"a quote as useful as this is right with probability {likely:.2f}; {self.threshold:.2f} is asked for"
        return Verdict(
            guard=self.name, status="pass" if passes else "fail", score=likely, reason=reason, blames="context"
        )


def quoting_figures(brief: Brief, draft: Draft) -> dict[str, float] | None:
    """Return what a quoted answer is judged by, by name; None if it cites no line of the brief.

    share: the predicted usefulness of the best line cited, as a part of what it and its four strongest competitors have together.
    Where little competes, a weak line may be right. answerable: the log-odds that the memory holds the answer.
    """
    cited = [quote for quote in brief.quotes if quote.n in draft.citations]
    if not cited:
        return None
    answerable = min(max(brief.answerable, _NEVER), _ALWAYS)
    best = max(cited, key=lambda quote: quote.score)
    others = sorted((quote.score for quote in about_what_is_asked(brief) if quote.n != best.n), reverse=True)
    together = best.score + sum(others[: _COMPETING - 1])
    share = best.score / together if together else 0.0
    return {"share": share, "answerable": math.log(answerable / (1 - answerable))}


def _probability(figures: dict[str, float]) -> float:
    log_odds = _INTERCEPT + sum(_WEIGHTS[name] * value for name, value in figures.items())
    return 1 / (1 + math.exp(-log_odds))
