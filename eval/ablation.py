"""What each part of recall and distillation is worth: off, one at a time, on conversations that the ensembles never saw.

For every conversation the re-scorer and answerability are fitted on the others, with and without a part. Two things are compared
question by question: evidence recall of the context distilled, and the AUROC of answerability against adversarial questions. A part
earns its place by either; one whose intervals both hold zero has not shown its worth. Beside them, the share of the answers' words
that the context tells, and that whole turns in the same order would tell.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean

from pydantic import TypeAdapter

from compaction import distill
from compaction.distill import Taste
from eval.answerability import make_case, unseen_probabilities
from eval.baselines import pack_whole_turns
from eval.locomo_data import CATEGORIES
from eval.report import Table
from eval.rescoring import Asked, held_out
from eval.statistics import Interval, auroc_difference, calibration, paired_difference
from memory.ranking import ranked_evidence
from memory.rescorer import Rescored
from memory.standing import PARTS
from memory.turns import Evidence

__all__ = ["NOTHING", "SWITCHED_OFF", "Ablated", "Ablation", "Judged", "compare_parts", "judge_without"]

NOTHING = "nothing"
_TASTES = {
    "news of a turn": replace(Taste(), told=0.0, told_broad=0.0),
    "thrift": replace(Taste(), thrift=0.0),
}
SWITCHED_OFF = (NOTHING, *PARTS, *_TASTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """All questions of a file without one part, by ensembles that never saw their conversation.

    categories: of all questions, in order; recalls: evidence recall of the answerable ones; words: the share of each answer's that
    the context tells, where it has any, and whole_turn_words that whole turns would, with nothing switched off; probabilities:
    answerability of all, none where the part has nothing to do with it.
    """

    categories: tuple[int, ...]
    recalls: tuple[float, ...]
    words: tuple[float, ...] = ()
    whole_turn_words: tuple[float, ...] = ()
    probabilities: tuple[float, ...] = ()

    @classmethod
    def read(cls, value: Mapping[str, object]) -> "Judged":
        """Read it back from a row's value."""
        return TypeAdapter(cls).validate_python(dict(value))

    @property
    def truths(self) -> list[bool]:
        """Whether each question is answerable."""
        return [category in CATEGORIES for category in self.categories]

    @property
    def auroc(self) -> float | None:
        """How well answerability tells the answerable questions from the others; None where that was not judged."""
        found = calibration(self.probabilities, self.truths) if self.probabilities else None
        return found.auroc if found else None


def judge_without(part: str, asked: Sequence[Asked], *, full: Sequence[Rescored], budget: int) -> Judged:
    """Judge all questions without `part`, one of `SWITCHED_OFF`; `full` is what the ensembles say with everything."""
    if part in _TASTES:
        return _judged(asked, full, budget, _TASTES[part])
    without = None if part == NOTHING else part
    rescored = full if part == NOTHING else held_out(asked, fitted_on=asked, without=without)
    judged = _judged(asked, rescored, budget, Taste())
    if part == NOTHING:
        judged = replace(judged, whole_turn_words=_whole_turn_words(asked, rescored, budget))
    if not _both_kinds(asked):
        return judged
    cases = [
        make_case("answerable" if one.question.answerable else "adversarial", one, of_one, without=without)
        for one, of_one in zip(asked, rescored, strict=True)
    ]
    return replace(judged, probabilities=tuple(unseen_probabilities(cases).tolist()))


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
    answer_words: float | None
    whole_turn_words: float | None
    auroc: float | None
    by_category: dict[int, float]
    parts: tuple[Ablated, ...]

    def table(self) -> Table:
        """Lay the worths out for people."""
        table = Table("part, switched off", "evidence recall lost", "AUROC lost", "earns its place")
        kinds = ", ".join(f"{CATEGORIES[category]} {recall:.3f}" for category, recall in self.by_category.items())
        table.title = (
            f"Unseen conversations, budget {self.budget}: evidence recall {self.evidence_recall:.3f} ({kinds}), all evidence "
            f"{self.all_evidence_rate:.3f} (n = {self.n}); answer words {_share(self.answer_words)}, in whole turns "
            f"{_share(self.whole_turn_words)}; AUROC {_share(self.auroc)}"
        )
        for one in self.parts:
            lost = _written(one.auroc) if one.auroc else "-"
            table.add_row(one.part, _written(one.evidence_recall), lost, "yes" if one.earned else "not shown")
        return table


def compare_parts(judged: Mapping[str, Judged], *, budget: int) -> Ablation | None:
    """Say what each part is worth, question by question; None unless everything was judged with nothing switched off."""
    full = judged.get(NOTHING)
    if full is None:
        return None
    answerable = [category for category in full.categories if category in CATEGORIES]
    return Ablation(
        n=len(full.recalls),
        budget=budget,
        evidence_recall=mean(full.recalls),
        all_evidence_rate=mean(float(recall == 1) for recall in full.recalls),
        answer_words=mean(full.words) if full.words else None,
        whole_turn_words=mean(full.whole_turn_words) if full.whole_turn_words else None,
        auroc=full.auroc,
        by_category={
            category: mean(r for of, r in zip(answerable, full.recalls, strict=True) if of == category)
            for category in sorted(set(answerable))
        },
        parts=tuple(_worth(part, full, judged[part]) for part in SWITCHED_OFF[1:] if part in judged),
    )


def _both_kinds(asked: Sequence[Asked]) -> bool:
    """Whether answerability can be fitted on all conversations but any one: it takes questions with an answer and without."""
    conversations = {one.conversation for one in asked}
    return all(
        len({one.question.answerable for one in asked if one.conversation != left_out}) == len((True, False))
        for left_out in conversations
    )


def _worth(part: str, full: Judged, without: Judged) -> Ablated:
    truths = full.truths
    both = without.probabilities and 0 < sum(truths) < len(truths)
    return Ablated(
        part=part,
        evidence_recall=paired_difference(full.recalls, without.recalls),
        auroc=auroc_difference(full.probabilities, without.probabilities, truths) if both else None,
    )


def _written(interval: Interval) -> str:
    return f"{interval.mean:.3f} ({interval.low:.3f} to {interval.high:.3f})"


def _share(share: float | None) -> str:
    return "not judged" if share is None else f"{share:.3f}"


def _judged(asked: Sequence[Asked], rescored: Sequence[Rescored], budget: int, taste: Taste) -> Judged:
    """Distil what the ensembles say."""
    recalls: list[float] = []
    words: list[float | None] = []
    for one, evidence in _answerable(asked, rescored):
        context = distill(evidence, budget=budget, broad=one.found.question.compares, taste=taste)
        recalls.append(one.question.recall_of(context))
        words.append(one.question.words_in(context.text))
    return Judged(
        categories=tuple(one.question.category for one in asked),
        recalls=tuple(recalls),
        words=tuple(share for share in words if share is not None),
    )


def _whole_turn_words(asked: Sequence[Asked], rescored: Sequence[Rescored], budget: int) -> tuple[float, ...]:
    """Say what contexts of whole turns in the same order tell of the answers' words."""
    shares: list[float | None] = []
    for one, evidence in _answerable(asked, rescored):
        turns = list({found.turn.pk: found.turn for found in evidence}.values())
        shares.append(one.question.words_in(pack_whole_turns(turns, budget).text))
    return tuple(share for share in shares if share is not None)


def _answerable(asked: Sequence[Asked], rescored: Sequence[Rescored]) -> Iterator[tuple[Asked, tuple[Evidence, ...]]]:
    for one, of_one in zip(asked, rescored, strict=True):
        if one.question.answerable:
            yield one, ranked_evidence(one.found.candidates, of_one)
