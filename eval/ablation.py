"""What each part of recall and distillation is worth: off, one at a time, on conversations that the ensembles never saw.

For every conversation the re-scorer and answerability are fitted on the others, with and without a part. Two things are compared
question by question: evidence recall of the context distilled, and the AUROC of answerability against adversarial questions. A part
earns its place by either; one whose intervals both hold zero has not shown its worth.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import mean

from compaction import distill
from compaction.distill import Taste
from eval.answerability import make_case, unseen_probabilities
from eval.report import Table
from eval.rescoring import Asked, held_out
from eval.statistics import Interval, auroc_difference, calibration, paired_difference
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
    """What a part is worth: evidence recall, and AUROC of answerability, with everything less that without the part."""

    part: str
    evidence_recall: Interval
    auroc: Interval | None

    @property
    def earned(self) -> bool:
        """Whether one of the intervals lies above zero."""
        return self.evidence_recall.low > 0 or bool(self.auroc and self.auroc.low > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablation:
    """Figures on unseen conversations: with everything, and what each part adds."""

    n: int
    budget: int
    evidence_recall: float
    all_evidence_rate: float
    auroc: float
    by_category: dict[int, float]
    parts: tuple[Ablated, ...]

    def table(self) -> Table:
        """Lay the worths out for people."""
        table = Table("part, switched off", "evidence recall lost", "AUROC lost", "earns its place")
        table.title = (
            f"Unseen conversations, budget {self.budget}: evidence recall {self.evidence_recall:.3f}, "
            f"all evidence {self.all_evidence_rate:.3f} (n = {self.n}); AUROC {self.auroc:.3f}"
        )
        for one in self.parts:
            auroc = _written(one.auroc) if one.auroc else "-"
            table.add_row(one.part, _written(one.evidence_recall), auroc, "yes" if one.earned else "not shown")
        return table


def steps(asked: Sequence[Asked]) -> int:
    """Count the steps of an ablation, for a progress bar."""
    return (1 + len(PARTS)) * len({one.conversation for one in asked})


def ablate(asked: Sequence[Asked], *, budget: int, advance: Callable[[], None]) -> Ablation:
    """Switch every part off in turn. Raises ValueError unless there are two conversations with answerable questions."""
    answerable = [one for one in asked if one.question.answerable]
    if len({one.conversation for one in answerable}) < 2:
        raise ValueError("an ablation needs two conversations: one to fit on and one to judge")
    full = _Judged.of(asked, budget, advance, without=None)
    worths = [_worth(part, full, _Judged.of(asked, budget, advance, without=part)) for part in PARTS]
    for part, taste in _TASTES.items():
        recalls = _recalls(answerable, full.rescored, budget, taste)
        worths.append(Ablated(part=part, evidence_recall=paired_difference(full.recalls, recalls), auroc=None))
    recalls = full.recalls
    categories = sorted({one.question.category for one in answerable})
    return Ablation(
        n=len(answerable),
        budget=budget,
        evidence_recall=mean(recalls),
        all_evidence_rate=mean(float(recall == 1) for recall in recalls),
        auroc=full.auroc,
        by_category={
            category: mean(r for one, r in zip(answerable, recalls, strict=True) if one.question.category == category)
            for category in categories
        },
        parts=tuple(worths),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """All questions, judged by ensembles that never saw their conversation."""

    rescored: list[Rescored]
    recalls: list[float]
    probabilities: list[float]
    truths: list[bool]

    @classmethod
    def of(cls, asked: Sequence[Asked], budget: int, advance: Callable[[], None], *, without: str | None) -> "_Judged":
        judged = held_out(asked, fitted_on=asked, without=without, advance=advance)
        cases = [
            make_case("answerable" if one.question.answerable else "adversarial", one, rescored, without=without)
            for one, rescored in zip(asked, judged, strict=True)
        ]
        both = [(one, rescored) for one, rescored in zip(asked, judged, strict=True) if one.question.answerable]
        answerable, rescored = [one for one, _ in both], [rescored for _, rescored in both]
        return cls(
            rescored=rescored,
            recalls=_recalls(answerable, rescored, budget, Taste()),
            probabilities=unseen_probabilities(cases).tolist(),
            truths=[case.kind == "answerable" for case in cases],
        )

    @property
    def auroc(self) -> float:
        found = calibration(self.probabilities, self.truths)
        return found.auroc if found else 0.0


def _worth(part: str, full: _Judged, without: _Judged) -> Ablated:
    return Ablated(
        part=part,
        evidence_recall=paired_difference(full.recalls, without.recalls),
        auroc=auroc_difference(full.probabilities, without.probabilities, full.truths)
        if 0 < sum(full.truths) < len(full.truths)
        else None,
    )


def _written(interval: Interval) -> str:
    return f"{interval.mean:.3f} ({interval.low:.3f} to {interval.high:.3f})"


def _recalls(asked: Sequence[Asked], judged: Sequence[Rescored], budget: int, taste: Taste) -> list[float]:
    return [_recall(one, rescored, budget, taste) for one, rescored in zip(asked, judged, strict=True)]


def _recall(one: Asked, rescored: Rescored, budget: int, taste: Taste) -> float:
    evidence = ranked_evidence(one.found.candidates, rescored)
    named = {
        line.turn_id for line in distill(evidence, budget=budget, broad=one.found.question.compares, taste=taste).lines
    }
    return len(one.question.evidence & named) / len(one.question.evidence)
