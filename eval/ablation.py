"""What each part of recall and distillation is worth: off, one at a time, on conversations that the ensembles never saw.

For every conversation the re-scorer is fitted on the others, with and without a part; contexts are distilled from what it says,
and evidence recall is compared question by question. A part whose interval holds zero has not earned its place.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import mean

from rich.table import Table

from compaction import distill
from compaction.distill import Taste
from eval.rescoring import Asked, held_out
from eval.statistics import Interval, paired_difference
from memory.ranking import ranked_evidence
from memory.rescorer import Rescored
from memory.standing import PARTS

__all__ = ["Ablated", "Ablation", "ablate", "steps"]

_TASTES = {
    "news of a turn": replace(Taste(), told=0.0, told_broad=0.0),
    "thrift": replace(Taste(), thrift=0.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablated:
    """What a part is worth: evidence recall with everything, less that without the part."""

    part: str
    worth: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablation:
    """Figures on unseen conversations: with everything, and what each part adds."""

    n: int
    budget: int
    evidence_recall: float
    all_evidence_rate: float
    by_category: dict[int, float]
    parts: tuple[Ablated, ...]

    def table(self) -> Table:
        """Lay the worths out for people."""
        table = Table("part, switched off", "evidence recall lost", "95% interval", "earns its place")
        table.title = (
            f"Unseen conversations, budget {self.budget}: evidence recall {self.evidence_recall:.3f}, "
            f"all evidence {self.all_evidence_rate:.3f} (n = {self.n})"
        )
        for one in self.parts:
            worth = one.worth
            verdict = "yes" if worth.low > 0 else "not shown"
            table.add_row(one.part, f"{worth.mean:.3f}", f"{worth.low:.3f} to {worth.high:.3f}", verdict)
        return table


def steps(asked: Sequence[Asked]) -> int:
    """Count the steps of an ablation, for a progress bar."""
    return (1 + len(PARTS)) * len({one.conversation for one in asked})


def ablate(asked: Sequence[Asked], *, budget: int, advance: Callable[[], None]) -> Ablation:
    """Switch every part off in turn. Raises ValueError unless there are two conversations with answerable questions."""
    answerable = [one for one in asked if one.question.answerable]
    if len({one.conversation for one in answerable}) < 2:
        raise ValueError("an ablation needs two conversations: one to fit on and one to judge")
    full = held_out(answerable, fitted_on=answerable, topic=False, advance=advance)
    recalls = _recalls(answerable, full, budget, Taste())
    worths = []
    for part in PARTS:
        judged = held_out(answerable, fitted_on=answerable, without=part, topic=False, advance=advance)
        worths.append(
            Ablated(part=part, worth=paired_difference(recalls, _recalls(answerable, judged, budget, Taste())))
        )
    for part, taste in _TASTES.items():
        worths.append(Ablated(part=part, worth=paired_difference(recalls, _recalls(answerable, full, budget, taste))))
    categories = sorted({one.question.category for one in answerable})
    return Ablation(
        n=len(answerable),
        budget=budget,
        evidence_recall=mean(recalls),
        all_evidence_rate=mean(float(recall == 1) for recall in recalls),
        by_category={
            category: mean(r for one, r in zip(answerable, recalls, strict=True) if one.question.category == category)
            for category in categories
        },
        parts=tuple(worths),
    )


def _recalls(asked: Sequence[Asked], judged: Sequence[Rescored], budget: int, taste: Taste) -> list[float]:
    return [_recall(one, rescored, budget, taste) for one, rescored in zip(asked, judged, strict=True)]


def _recall(one: Asked, rescored: Rescored, budget: int, taste: Taste) -> float:
    evidence = ranked_evidence(one.found.candidates, rescored, one.own)
    named = {
        line.turn_id for line in distill(evidence, budget=budget, broad=one.found.question.compares, taste=taste).lines
    }
    return len(one.question.evidence & named) / len(one.question.evidence)
