"""Where we stand to plain searches: paired, question by question, against the one that is best at the same budget.

The best is chosen by its mean on the very questions that are compared, which favours it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Literal

from eval.harness.intervals import paired_difference

__all__ = ["Comparison", "compare_with_best"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Our mean and that of the best search over the same `n` questions, and the 95% interval of the difference, `low` to `high`.

    verdict: "below" or "above" where the interval lies on one side of zero, else "level".
    """

    kind: str
    measure: str
    budget: int
    n: int
    ours: float
    search: str
    best_search: float
    low: float
    high: float
    verdict: Literal["below", "level", "above"]


def compare_with_best(
    kind: str, measure: str, budget: int, *, ours: Sequence[float], searches: Mapping[str, Sequence[float]]
) -> Comparison:
    """Compare our values with those of the search that has the greatest mean; all are of the same questions, in one order."""
    search = max(searches, key=lambda name: mean(searches[name]))
    found = paired_difference(ours, searches[search])
    return Comparison(
        kind=kind,
        measure=measure,
        budget=budget,
        n=len(ours),
        ours=mean(ours),
        search=search,
        best_search=mean(searches[search]),
        low=found.low,
        high=found.high,
        verdict="below" if found.high < 0 else "above" if found.low > 0 else "level",
    )
