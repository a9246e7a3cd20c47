"""What follows from the samples of an evidence run: every measure by kind, system and budget, and how far from the best search.

Turn-level recall flatters: a wrong sentence of the right turn counts. So the share of the answer's words, and whether the answer
is there as a whole, stand beside it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import mean

from pydantic import TypeAdapter

from eval.evidence.comparison import Comparison, compare_with_best
from eval.harness.benchmark import Sample
from eval.harness.intervals import Calibration, calibration
from eval.harness.report import Chart, Json, Report, Series, Table

__all__ = ["BUDGETS", "OURS", "EvidenceResults", "EvidenceSample", "Held"]

BUDGETS = (82, 165, 330, 660, 1_320, 2_640)
OURS = "tirtha"
ALL = "all"
_COMPARED_FROM = 30  # questions of a kind
_COMPARED = ("evidence recall", "answer words")
_USUAL = BUDGETS.index(165)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What one system's contexts hold of a question, one value a budget of `BUDGETS`; words and contained are empty without a word.

    first: whether the best of what was found is of the evidence. evidence: the share of its turns that are quoted. words: the share
    of the answer's content words. contained: 1 where the whole answer is there, else 0. tokens: of the contexts.
    """

    first: bool
    evidence: tuple[float, ...]
    words: tuple[float, ...]
    contained: tuple[float, ...]
    tokens: tuple[int, ...]


MEASURES: Mapping[str, Callable[[Held], Sequence[float]]] = {
    "evidence recall": lambda held: held.evidence,
    "all evidence": lambda held: [float(share == 1) for share in held.evidence],
    "answer words": lambda held: held.words,
    "answer contained": lambda held: held.contained,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSample:
    """A question: whether it has an answer, how likely we said so, and what contexts hold of it, by system.

    held: nothing of a question without an answer. by_session: its evidence is labelled by session only. not_asked: questions of
    the whole set that name no evidence.
    """

    conversation: str
    kind: str
    has_answer: bool
    by_session: bool
    answerable: float
    raw_tokens: int
    not_asked: int = 0
    held: dict[str, Held] = field(default_factory=dict)

    @staticmethod
    def read(row: Sample) -> "EvidenceSample":
        """Read it back from its row."""
        return TypeAdapter(EvidenceSample).validate_python(dict(row.value))

    def values(self, system: str, measure: str) -> Sequence[float]:
        """Return a system's values of a measure, one a budget; none where the question has no such measure."""
        return MEASURES[measure](self.held[system]) if system in self.held else ()

    def marks(self) -> dict[str, float]:
        """Return ours by measure and budget."""
        return {
            f"{measure}, {budget}": value
            for measure in MEASURES
            for budget, value in zip(BUDGETS, self.values(OURS, measure), strict=False)
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceResults:
    """A run over one set."""

    title: str
    samples: tuple[EvidenceSample, ...]

    def report(self, errors: int) -> Report:
        """Lay everything out."""
        compared = list(self.comparisons())
        judged = self.calibration()
        figures: dict[str, Json] = {
            "budgets": BUDGETS,
            "by_kind": {kind: self._figures(group) for kind, group in self.kinds().items()},
            "against_the_best_search": [asdict(one) for one in compared],
            "answerability": asdict(judged) if judged else None,
            "raw_tokens_mean": mean(one.raw_tokens for one in self._scored),
            "questions_not_asked": self._not_asked,
            "labelled_by_session": sum(one.by_session for one in self._scored),
            "errors": errors,
        }
        return Report(
            title=f"Evidence, {self.title}",
            figures=figures,
            tables=[*self._tables(compared), *([_calibration_table(judged)] if judged else [])],
            charts=[self._chart(measure) for measure in _COMPARED],
            notes=list(self._notes()),
        )

    def kinds(self) -> dict[str, list[EvidenceSample]]:
        """Group the questions with an answer by kind, all of them first."""
        names = sorted({one.kind for one in self._scored})
        return {ALL: self._scored} | {kind: [one for one in self._scored if one.kind == kind] for kind in names}

    def comparisons(self) -> Iterator[Comparison]:
        """Compare ours with the best plain search, for all questions and each kind that has enough."""
        for kind, group in self.kinds().items():
            if kind != ALL and len(group) < _COMPARED_FROM:
                continue
            for measure in _COMPARED:
                for place, budget in enumerate(BUDGETS):
                    values = {
                        system: [own[place] for one in group if (own := one.values(system, measure))]
                        for system in group[0].held
                    }
                    if values[OURS]:
                        yield compare_with_best(kind, measure, budget, ours=values.pop(OURS), searches=values)

    def calibration(self) -> Calibration | None:
        """Judge `answerable`; None unless there are questions with an answer and without."""
        return calibration([one.answerable for one in self.samples], [one.has_answer for one in self.samples])

    @property
    def _scored(self) -> list[EvidenceSample]:
        return [one for one in self.samples if one.has_answer]

    @property
    def _not_asked(self) -> int:
        return max(one.not_asked for one in self.samples)

    def _figures(self, group: Sequence[EvidenceSample]) -> dict[str, Json]:
        systems: dict[str, Json] = {
            system: {measure: _means(group, system, measure) for measure in MEASURES}
            | {"tokens": [mean(one.held[system].tokens[place] for one in group) for place in range(len(BUDGETS))]}
            | {"right first": mean(one.held[system].first for one in group)}
            for system in group[0].held
        }
        return {"n": len(group), "systems": systems}

    def _notes(self) -> Iterator[str]:
        by_session = sum(one.by_session for one in self._scored)
        if by_session:
            yield (
                f"{by_session} of {len(self._scored)} questions are labelled by session: of these, evidence recall is the share of"
                " the answer's sessions that a context quotes anything of."
            )
        if self._not_asked:
            yield (
                f"{self._not_asked} questions are not asked: they name no turn of their conversation, or have no answer in the"
                " file."
            )

    def _tables(self, compared: Sequence[Comparison]) -> Iterator[Table]:
        for measure in MEASURES:
            yield self._measure_table(measure)
        yield self._first_table()
        yield _comparison_table(compared)
        yield _below_table([one for one in compared if one.verdict == "below"])

    def _measure_table(self, measure: str) -> Table:
        table = Table("kind", "n", "system", *(f"{budget:,}" for budget in BUDGETS), title=f"{measure}, {self.title}")
        if measure == "evidence recall":
            tokens = mean(one.held[OURS].tokens[_USUAL] for one in self._scored)
            raw = mean(one.raw_tokens for one in self._scored)
            table.caption = (
                f"raw {raw:,.0f} tokens, context {tokens:.0f} of {BUDGETS[_USUAL]}: {raw / max(tokens, 1):.0f}x"
            )
        for kind, group in self.kinds().items():
            for system in group[0].held:
                means = _means(group, system, measure)
                n = sum(bool(one.values(system, measure)) for one in group)
                table.add_row(kind, str(n), system, *(f"{value:.3f}" for value in means) if means else _NOTHING)
        return table

    def _first_table(self) -> Table:
        systems = list(self._scored[0].held)
        table = Table("kind", "n", *systems, title=f"the best find is evidence, {self.title}")
        for kind, group in self.kinds().items():
            shares = (mean(one.held[system].first for one in group) for system in systems)
            table.add_row(kind, str(len(group)), *(f"{share:.3f}" for share in shares))
        return table

    def _chart(self, measure: str) -> Chart:
        lines = [
            Series(
                name=system, points=list(zip(map(float, BUDGETS), _means(self._scored, system, measure), strict=False))
            )
            for system in self._scored[0].held
        ]
        return Chart(title=f"{measure} by budget", x="budget, tokens", y="share", lines=lines, log_x=True)


_NOTHING = ("-",) * len(BUDGETS)


def _means(group: Sequence[EvidenceSample], system: str, measure: str) -> list[float]:
    """Return the mean of a measure at each budget, over the questions that have it."""
    known = [own for one in group if (own := one.values(system, measure))]
    return [mean(values) for values in zip(*known, strict=True)]


def _comparison_table(compared: Sequence[Comparison]) -> Table:
    table = Table("kind", "n", "measure", *(f"{budget:,}" for budget in BUDGETS))
    table.title = "Ours less the best plain search's"
    table.caption = f"by the 95% interval of paired bootstraps; kinds of {_COMPARED_FROM} questions or more"
    for kind, measure in dict.fromkeys((one.kind, one.measure) for one in compared):
        own = [one for one in compared if (one.kind, one.measure) == (kind, measure)]
        table.add_row(
            kind, str(own[0].n), measure, *(f"{one.verdict} {one.ours - one.best_search:+.3f}" for one in own)
        )
    return table


def _below_table(below: Sequence[Comparison]) -> Table:
    table = Table("kind", "n", "measure", "budget", "ours", "best search", "its", "difference", "95%")
    table.title = "Where a plain search is better"
    table.caption = "" if below else "nowhere"
    for one in below:
        table.add_row(
            one.kind, str(one.n), one.measure, f"{one.budget:,}", f"{one.ours:.3f}", one.search, f"{one.best_search:.3f}",
            f"{one.ours - one.best_search:+.3f}", f"{one.low:+.3f} to {one.high:+.3f}",
        )  # fmt: skip
    return table


def _calibration_table(judged: Calibration) -> Table:
    table = Table("answerable", "n", "mean said", "came true", title=f"Answerability: AUROC {judged.auroc:.3f}")
    table.caption = f"Brier score {judged.brier:.3f}; always saying the base rate: {judged.brier_of_base_rate:.3f}"
    for one in judged.bins:
        table.add_row(f"{one.low:.1f} to {one.high:.1f}", str(one.n), f"{one.said:.2f}", f"{one.came_true:.2f}")
    return table
