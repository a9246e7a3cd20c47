"""What each part of recall and distillation is worth: off, one at a time, on conversations that the fit never saw.

For every conversation recall's weights are fitted on the others of its set, with and without a part's features; the plain fusion
that they correct stays. Three things are compared question by question: evidence recall of the context distilled; the share of
the answer's words that it holds, since the wrong sentence of the right turn may be quoted; and the AUROC of answerability, where
the set has questions without an answer. A part earns its place by any of them; one whose intervals all hold zero has not shown its
worth. Beside them, the words that whole turns in the same order would hold.

The fit has no chance in it: the same questions give the same figures. Following names from turn to turn searches the memory again,
which is not here: it cannot be switched off.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean

import numpy as np
from pydantic import TypeAdapter

from compaction import distill
from compaction.distill import DistillOptions
from eval.harness.baselines import pack_whole_turns
from eval.harness.intervals import Interval, auroc_difference, calibration, paired_difference
from eval.harness.report import Table
from eval.training.answerability import make_case, unseen_probabilities
from eval.training.fitting import Asked, held_out
from memory.model import Evidence
from memory.recall.neighbour_features import PARTS
from memory.recall.ranking import ranked_evidence
from memory.recall.reranker import Reranked

__all__ = ["NOTHING", "SWITCHED_OFF", "Ablated", "Ablation", "Figures", "Judged", "compare_parts", "judge_without"]

NOTHING = "nothing"
ALL = "all"
_OPTIONS = {
    "redundancy of lines": replace(DistillOptions(), redundancy=0.0, redundancy_broad=0.0),
    "cost of a line": replace(DistillOptions(), cost_exponent=0.0),
}
_SUPERSESSION = "supersession"
SWITCHED_OFF = (NOTHING, *PARTS, *_OPTIONS, _SUPERSESSION)

Shares = tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """All questions of a set without one part, by weights that never saw their conversation.

    kinds, recalls, words: of the answerable questions, in order: as the set calls it; evidence recall; the share of the answer's
    words that the context holds, None for an answer without any. whole_turn_words: what whole turns would hold, with nothing
    switched off. truths, probabilities: of all questions: whether there is an answer, and how likely that was said to be; no
    probabilities where the part has nothing to do with it.
    """

    kinds: tuple[str, ...]
    recalls: tuple[float, ...]
    words: Shares
    truths: tuple[bool, ...]
    whole_turn_words: Shares = ()
    probabilities: tuple[float, ...] = ()

    @classmethod
    def read(cls, value: Mapping[str, object]) -> "Judged":
        """Read it back from a row's value."""
        return TypeAdapter(cls).validate_python(dict(value))


def judge_without(part: str, asked: Sequence[Asked], *, full: Sequence[Reranked], budget: int) -> Judged:
    """Judge all questions without `part`, one of `SWITCHED_OFF`; `full` is what unseen weights say with everything."""
    if part in _OPTIONS:
        return _judged(asked, full, budget, _OPTIONS[part])
    if part == _SUPERSESSION:
        return _judged(asked, full, budget, DistillOptions(), supersession=False)
    if part == NOTHING:
        judged = _judged(asked, full, budget, DistillOptions())
        judged = replace(judged, whole_turn_words=_whole_turn_words(asked, full, budget))
        return replace(judged, probabilities=_probabilities(asked, full))
    reranked = held_out(asked, fitted_on=asked, without=part)
    bare = [_bare(one, part) for one in asked]
    return replace(_judged(asked, reranked, budget, DistillOptions()), probabilities=_probabilities(bare, reranked))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablated:
    """What a part is worth: evidence recall, answer words and AUROC of answerability with everything, less those without it."""

    part: str
    evidence_recall: Interval
    answer_words: Interval | None
    auroc: Interval | None

    @property
    def earned(self) -> bool:
        """Whether one of the intervals lies above zero."""
        return any(worth.low > 0 for worth in (self.evidence_recall, self.answer_words, self.auroc) if worth)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Means over `n` questions of one kind, or all; of words None where no answer has any."""

    n: int
    evidence_recall: float
    all_evidence_rate: float
    answer_words: float | None
    whole_turn_words: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablation:
    """Figures of unseen conversations with everything, by kind and for all, and what each part adds."""

    budget: int
    by_kind: dict[str, Figures]
    auroc: float | None
    parts: tuple[Ablated, ...]

    def tables(self) -> Iterator[Table]:
        """Lay the figures out for people, then the worths."""
        table = Table("kind", "n", "evidence recall", "all evidence", "answer words", "whole turns'")
        table.title = f"Unseen conversations, budget {self.budget}"
        table.caption = "" if self.auroc is None else f"AUROC of answerability {self.auroc:.3f}"
        for kind, found in self.by_kind.items():
            words = (found.answer_words, found.whole_turn_words)
            shares = (found.evidence_recall, found.all_evidence_rate, *words)
            table.add_row(kind, str(found.n), *("-" if share is None else f"{share:.3f}" for share in shares))
        yield table
        table = Table(
            "part, switched off", "evidence recall lost", "answer words lost", "AUROC lost", "earns its place"
        )
        table.title = "What each part is worth"
        for one in self.parts:
            words_lost, auroc = (_written(worth) if worth else "-" for worth in (one.answer_words, one.auroc))
            earned = "yes" if one.earned else "not shown"
            table.add_row(one.part, _written(one.evidence_recall), words_lost, auroc, earned)
        yield table


def compare_parts(judged: Mapping[str, Judged], *, budget: int) -> Ablation | None:
    """Return what each part is worth, question by question; None unless the questions were judged with nothing switched off."""
    full = judged.get(NOTHING)
    if full is None:
        return None
    found = calibration(full.probabilities, full.truths) if full.probabilities else None
    return Ablation(
        budget=budget,
        by_kind={kind: _figures(full, kind) for kind in (ALL, *sorted(set(full.kinds)))},
        auroc=found.auroc if found else None,
        parts=tuple(_worth(part, full, judged[part]) for part in SWITCHED_OFF[1:] if part in judged),
    )


def _figures(judged: Judged, kind: str) -> Figures:
    chosen = [place for place, of in enumerate(judged.kinds) if kind in {ALL, of}]
    recalls = [judged.recalls[place] for place in chosen]
    return Figures(
        n=len(recalls),
        evidence_recall=mean(recalls),
        all_evidence_rate=mean(float(recall == 1) for recall in recalls),
        answer_words=_mean_of([judged.words[place] for place in chosen]),
        whole_turn_words=_mean_of([judged.whole_turn_words[place] for place in chosen]),
    )


def _mean_of(shares: Shares | list[float | None]) -> float | None:
    known = _known(shares)
    return mean(known) if known else None


def _known(shares: Shares | list[float | None]) -> list[float]:
    return [share for share in shares if share is not None]


def _worth(part: str, full: Judged, without: Judged) -> Ablated:
    both = full.probabilities and without.probabilities
    words, words_without = _known(full.words), _known(without.words)
    return Ablated(
        part=part,
        evidence_recall=paired_difference(full.recalls, without.recalls),
        answer_words=paired_difference(words, words_without) if words else None,
        auroc=auroc_difference(full.probabilities, without.probabilities, full.truths) if both else None,
    )


def _written(interval: Interval) -> str:
    return f"{interval.mean:+.3f} ({interval.bounds})"


def _probabilities(asked: Sequence[Asked], reranked: Sequence[Reranked]) -> tuple[float, ...]:
    """Return how likely each question has an answer, by a fit on the other conversations; nothing where it cannot be fitted.

    It takes questions with an answer and without in all conversations but any one.
    """
    for left_out in {one.conversation for one in asked}:
        if len({one.question.answerable for one in asked if one.conversation != left_out}) < len((True, False)):
            return ()
    cases = [make_case(one, of_one) for one, of_one in zip(asked, reranked, strict=True)]
    return tuple(unseen_probabilities(cases).tolist())


def _bare(one: Asked, part: str) -> Asked:
    """Return a question whose features of a part are 0: answerability must not see them either."""
    return replace(one, features=one.features | {name: np.zeros_like(one.features[name]) for name in PARTS[part]})


def _judged(
    asked: Sequence[Asked],
    reranked: Sequence[Reranked],
    budget: int,
    options: DistillOptions,
    *,
    supersession: bool = True,
) -> Judged:
    """Distil what the weights say."""
    kinds: list[str] = []
    recalls: list[float] = []
    words: list[float | None] = []
    for one, evidence in _answerable(asked, reranked, supersession=supersession):
        context = distill(evidence, budget=budget, breadth=one.found.question.breadth, options=options)
        kinds.append(one.question.kind)
        recalls.append(one.question.recall_of(context))
        words.append(one.question.words_in(context.text))
    return Judged(
        kinds=tuple(kinds),
        recalls=tuple(recalls),
        words=tuple(words),
        truths=tuple(one.question.answerable for one in asked),
    )


def _whole_turn_words(asked: Sequence[Asked], reranked: Sequence[Reranked], budget: int) -> Shares:
    """Compute the share of the answers' words that contexts of whole turns in the same order hold."""
    shares: list[float | None] = []
    for one, evidence in _answerable(asked, reranked):
        turns = list({found.turn.pk: found.turn for found in evidence}.values())
        shares.append(one.question.words_in(pack_whole_turns(turns, budget).text))
    return tuple(shares)


def _answerable(
    asked: Sequence[Asked], reranked: Sequence[Reranked], *, supersession: bool = True
) -> Iterator[tuple[Asked, tuple[Evidence, ...]]]:
    for one, of_one in zip(asked, reranked, strict=True):
        if one.question.answerable:
            yield one, ranked_evidence(one.found.candidates, of_one, supersession=supersession)
