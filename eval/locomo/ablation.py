"""What each part of recall and distillation is worth: off, one at a time, on conversations that the ensembles never saw.

For every conversation the re-scorer and answerability are fitted on the others, with and without a part. Three things are
compared question by question: evidence recall of the context distilled; the share of the answer's words that it tells, since the
wrong sentence of the right turn may be quoted; and the AUROC of answerability against adversarial questions. A part earns its
place by any of them; one whose intervals all hold zero has not shown its worth. Beside them, the words that whole turns in the
same order would tell.

Fits that differ by their seed alone differ by as much as some parts are worth, and an interval over questions knows nothing of it.
So everything is fitted several times, what is compared are means over the fits, and the worth by each fit stands beside the mean.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean

from pydantic import TypeAdapter

from compaction import distill
from compaction.distill import DistillOptions
from eval.harness.baselines import pack_whole_turns
from eval.harness.intervals import Interval, auroc_difference, calibration, paired_difference
from eval.harness.report import Table
from eval.locomo.data import ANSWERED
from eval.training.answerability import make_case, unseen_probabilities
from eval.training.fitting import Asked, held_out
from memory.model import Evidence
from memory.recall.neighbour_features import PARTS
from memory.recall.ranking import ranked_evidence
from memory.recall.rescorer import Rescored

__all__ = ["NOTHING", "SWITCHED_OFF", "Ablated", "Ablation", "Fit", "Judged", "compare_parts", "judge_without"]

NOTHING = "nothing"
_OPTIONS = {
    "news of a turn": replace(DistillOptions(), redundancy=0.0, redundancy_broad=0.0),
    "thrift": replace(DistillOptions(), cost_exponent=0.0),
}
_SUPERSESSION = "supersession"
SWITCHED_OFF = (NOTHING, *PARTS, *_OPTIONS, _SUPERSESSION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """All questions of a file without one part, by one fit of ensembles that never saw their conversation.

    kinds: of all questions, in order; recalls: evidence recall of the answerable ones; words: the share of each answer's that
    the context tells, where it has any, and whole_turn_words that whole turns would, with nothing switched off; probabilities:
    answerability of all, none where the part has nothing to do with it.
    """

    kinds: tuple[str, ...]
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
        return [kind in ANSWERED for kind in self.kinds]


def judge_without(part: str, asked: Sequence[Asked], *, full: Sequence[Rescored], seed: int, budget: int) -> Judged:
    """Judge all questions without `part`, one of `SWITCHED_OFF`; `full` is what the ensembles of `seed` say with everything."""
    if part in _OPTIONS:
        return _judged(asked, full, budget, _OPTIONS[part])
    if part == _SUPERSESSION:
        return _judged(asked, full, budget, DistillOptions(), supersession=False)
    without = None if part == NOTHING else part
    rescored = full if part == NOTHING else held_out(asked, fitted_on=asked, without=without, seed=seed)
    judged = _judged(asked, rescored, budget, DistillOptions())
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
    """What a part is worth: evidence recall, answer words and AUROC of answerability with everything, less those without the part.

    The intervals are over questions, of means over the fits; `by_fit` is evidence recall lost by the seed of each.
    """

    part: str
    evidence_recall: Interval
    by_fit: dict[int, float]
    answer_words: Interval | None
    auroc: Interval | None

    @property
    def earned(self) -> bool:
        """Whether one of the intervals lies above zero."""
        return any(worth.low > 0 for worth in (self.evidence_recall, self.answer_words, self.auroc) if worth)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Figures on unseen conversations with everything; what was not judged is None."""

    evidence_recall: float
    all_evidence_rate: float
    by_kind: dict[str, float]
    answer_words: float | None
    whole_turn_words: float | None
    auroc: float | None

    def cells(self) -> Iterator[str]:
        """Write the figures out, evidence recall of each kind behind that of all."""
        kinds = (self.by_kind.get(kind) for kind in ANSWERED)
        words = (self.answer_words, self.whole_turn_words)
        for share in (self.evidence_recall, *kinds, self.all_evidence_rate, *words, self.auroc):
            yield "-" if share is None else f"{share:.3f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablation:
    """Figures of `n` questions of unseen conversations, by the seed of a fit and in the mean, and what each part adds."""

    n: int
    budget: int
    fits: dict[int, Fit]
    mean: Fit
    parts: tuple[Ablated, ...]

    def tables(self) -> Iterator[Table]:
        """Lay the fits out for people, then the worths."""
        table = Table("fit", "evidence recall", *ANSWERED, "all evidence", "answer words", "whole turns'", "AUROC")
        table.title = f"Unseen conversations, budget {self.budget} (n = {self.n})"
        for seed, fit in self.fits.items():
            table.add_row(f"seed {seed}", *fit.cells())
        table.add_row("mean", *self.mean.cells())
        yield table
        table = Table(
            "part, switched off",
            "evidence recall lost",
            "fit by fit",
            "answer words lost",
            "AUROC lost",
            "earns its place",
        )
        table.title = "What each part is worth, in the mean of the fits"
        for one in self.parts:
            by_fit = ", ".join(f"{worth:.3f}" for worth in one.by_fit.values())
            words, auroc = (_written(worth) if worth else "-" for worth in (one.answer_words, one.auroc))
            earned = "yes" if one.earned else "not shown"
            table.add_row(one.part, _written(one.evidence_recall), by_fit, words, auroc, earned)
        yield table


def compare_parts(judged: Mapping[str, Mapping[int, Judged]], *, budget: int) -> Ablation | None:
    """Say what each part is worth, question by question; None unless everything was judged with nothing switched off.

    `judged` is by part and seed; a part is compared over the seeds that it was judged for.
    """
    full = judged.get(NOTHING)
    if not full:
        return None
    fits = {seed: _figures(one) for seed, one in sorted(full.items())}
    return Ablation(
        n=len(next(iter(full.values())).recalls),
        budget=budget,
        fits=fits,
        mean=_mean(list(fits.values())),
        parts=tuple(
            _worth(part, full, judged[part]) for part in SWITCHED_OFF[1:] if full.keys() & judged.get(part, {})
        ),
    )


def _figures(judged: Judged) -> Fit:
    answerable = [kind for kind in judged.kinds if kind in ANSWERED]
    found = calibration(judged.probabilities, judged.truths) if judged.probabilities else None
    return Fit(
        evidence_recall=mean(judged.recalls),
        all_evidence_rate=mean(float(recall == 1) for recall in judged.recalls),
        by_kind={
            kind: mean(r for of, r in zip(answerable, judged.recalls, strict=True) if of == kind)
            for kind in sorted(set(answerable))
        },
        answer_words=mean(judged.words) if judged.words else None,
        whole_turn_words=mean(judged.whole_turn_words) if judged.whole_turn_words else None,
        auroc=found.auroc if found else None,
    )


def _mean(fits: Sequence[Fit]) -> Fit:
    return Fit(
        evidence_recall=mean(fit.evidence_recall for fit in fits),
        all_evidence_rate=mean(fit.all_evidence_rate for fit in fits),
        by_kind={kind: mean(fit.by_kind[kind] for fit in fits) for kind in fits[0].by_kind},
        answer_words=_mean_of([fit.answer_words for fit in fits]),
        whole_turn_words=_mean_of([fit.whole_turn_words for fit in fits]),
        auroc=_mean_of([fit.auroc for fit in fits]),
    )


def _mean_of(shares: Sequence[float | None]) -> float | None:
    known = [share for share in shares if share is not None]
    return mean(known) if known else None


def _both_kinds(asked: Sequence[Asked]) -> bool:
    """Whether answerability can be fitted on all conversations but any one: it takes questions with an answer and without."""
    conversations = {one.conversation for one in asked}
    return all(
        len({one.question.answerable for one in asked if one.conversation != left_out}) == len((True, False))
        for left_out in conversations
    )


def _worth(part: str, full: Mapping[int, Judged], without: Mapping[int, Judged]) -> Ablated:
    seeds = sorted(full.keys() & without.keys())
    ours, theirs = [full[seed] for seed in seeds], [without[seed] for seed in seeds]
    truths = ours[0].truths
    both = all(one.probabilities for one in theirs) and 0 < sum(truths) < len(truths)
    said = ([one.probabilities for one in ours], [one.probabilities for one in theirs])
    return Ablated(
        part=part,
        evidence_recall=_difference([one.recalls for one in ours], [one.recalls for one in theirs]),
        answer_words=_difference([one.words for one in ours], [one.words for one in theirs]) if ours[0].words else None,
        by_fit={seed: mean(full[seed].recalls) - mean(without[seed].recalls) for seed in seeds},
        auroc=auroc_difference(*said, truths) if both else None,
    )


def _difference(ours: Sequence[Sequence[float]], theirs: Sequence[Sequence[float]]) -> Interval:
    """Compare question by question what fits gave in the mean."""
    ours_mean, theirs_mean = ([mean(of_question) for of_question in zip(*fits, strict=True)] for fits in (ours, theirs))
    return paired_difference(ours_mean, theirs_mean)


def _written(interval: Interval) -> str:
    return f"{interval.mean:.3f} ({interval.low:.3f} to {interval.high:.3f})"


def _judged(
    asked: Sequence[Asked],
    rescored: Sequence[Rescored],
    budget: int,
    options: DistillOptions,
    *,
    supersession: bool = True,
) -> Judged:
    """Distil what the ensembles say."""
    recalls: list[float] = []
    words: list[float | None] = []
    for one, evidence in _answerable(asked, rescored, supersession=supersession):
        context = distill(evidence, budget=budget, broad=one.found.question.compares, options=options)
        recalls.append(one.question.recall_of(context))
        words.append(one.question.words_in(context.text))
    return Judged(
        kinds=tuple(one.question.kind for one in asked),
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


def _answerable(
    asked: Sequence[Asked], rescored: Sequence[Rescored], *, supersession: bool = True
) -> Iterator[tuple[Asked, tuple[Evidence, ...]]]:
    for one, of_one in zip(asked, rescored, strict=True):
        if one.question.answerable:
            yield one, ranked_evidence(one.found.candidates, of_one, supersession=supersession)
