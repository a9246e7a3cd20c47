"""What follows from the samples of a LoCoMo run: figures, tables and charts, each figure with its n."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import mean

from pydantic import TypeAdapter

from eval.harness.intervals import Calibration, calibration
from eval.harness.report import Chart, Json, Line, Report, Table
from eval.harness.runs import Sample
from eval.locomo.ablation import Ablation, Judged, compare_parts
from eval.locomo.data import ANSWERED

__all__ = ["OURS", "Figures", "LocomoResults", "LocomoSample"]

OURS = "tirtha"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocomoSample:
    """What one system's context of one budget holds of a question's evidence.

    rung: it is of the budget ladder. answerable: None for systems that do not say.
    """

    system: str
    rung: bool
    budget: int
    kind: str
    evidence_recall: float
    all_evidence: bool
    answer_word_recall: float | None
    tokens: int
    answerable: float | None = None

    @property
    def scored(self) -> bool:
        """Whether its evidence counts: in category 5 the answer is not there, and only answerability is judged."""
        return self.kind in ANSWERED

    def marks(self) -> dict[str, float]:
        """Give what it counts for."""
        found = {"evidence recall": self.evidence_recall, "all evidence": float(self.all_evidence)}
        return found if self.scored else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Means over some questions."""

    name: str
    n: int
    evidence_recall: float
    all_evidence_rate: float
    answer_word_recall: float
    tokens_mean: float
    tokens_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LocomoResults:
    """A run. `ours` are at the budget asked for; `ladder` ours at others; `others` the baselines'; `raw` tokens of histories."""

    data: str
    budget: int
    ours: tuple[LocomoSample, ...]
    ladder: tuple[LocomoSample, ...]
    others: tuple[LocomoSample, ...]
    raw: tuple[int, ...]
    ablation: Ablation | None = field(default=None)

    @staticmethod
    def samples_of(row: Sample) -> tuple[LocomoSample, ...]:
        """Read a question's samples from its row, ours at the budget asked for first."""
        return TypeAdapter(tuple[LocomoSample, ...]).validate_python(row.value["samples"])

    @classmethod
    def read(
        cls, data: str, budget: int, rows: Sequence[Sample], parts: Mapping[str, Mapping[int, Judged]]
    ) -> "LocomoResults":
        """Read the rows of questions, and of parts switched off, by part and seed."""
        samples = [sample for row in rows for sample in cls.samples_of(row)]
        asked = [(row, cls.samples_of(row)[0]) for row in rows]
        return cls(
            data=data,
            budget=budget,
            ours=tuple(sample for _, sample in asked),
            ladder=tuple(one for one in samples if one.rung),
            others=tuple(one for one in samples if one.system != OURS),
            raw=tuple(int(str(row.value["raw_tokens"])) for row, sample in asked if sample.scored),
            ablation=compare_parts(parts, budget=budget),
        )

    def scored(self) -> list[LocomoSample]:
        """Give the samples of categories 1 to 4."""
        return [sample for sample in self.ours if sample.scored]

    def figures(self) -> list[Figures]:
        """Give the figures of each category and of all of them."""
        scored = self.scored()
        groups = [(kind, [s for s in scored if s.kind == kind]) for kind in ANSWERED]
        return [_figures(name, group) for name, group in [*groups, ("all", scored)] if group]

    def calibration(self) -> Calibration | None:
        """Judge `answerable` on categories 1 to 4 against 5; None without both."""
        return calibration([s.answerable or 0.0 for s in self.ours], [s.scored for s in self.ours])

    def compaction(self) -> tuple[float, float, float]:
        """Give the mean raw tokens a question, the mean context tokens, and their ratio."""
        scored = self.scored()
        raw, tokens = (mean(self.raw), mean(one.tokens for one in scored)) if scored else (0.0, 0.0)
        return raw, tokens, raw / max(tokens, 1)

    def report(self, errors: int) -> Report:
        """Lay everything out."""
        raw, tokens, ratio = self.compaction()
        judged = self.calibration()
        figures: dict[str, Json] = {
            "by_category": {one.name: asdict(one) for one in self.figures()},
            "raw_tokens_mean": raw,
            "context_tokens_mean": tokens,
            "compaction_ratio": ratio,
            "answerability": asdict(judged) if judged else None,
            "ladder": {one.name: asdict(one) for one in self._rungs()},
            "baselines": {one.name: asdict(one) for one in self._baselines()},
            "ablation": asdict(self.ablation) if self.ablation else None,
            "errors": errors,
        }
        return Report(
            title=f"LoCoMo, {self.data}, budget {self.budget}",
            figures=figures,
            tables=list(self.tables()),
            charts=list(self._charts(judged)),
        )

    def tables(self) -> Iterator[Table]:
        """Give each kind of figures that there are."""
        raw, tokens, ratio = self.compaction()
        table = _table(f"LoCoMo, {self.data}, budget {self.budget}", "category", self.figures())
        table.caption = f"raw {raw:,.0f} tokens, context {tokens:.0f}: {ratio:.0f}x compaction"
        yield table
        if self.ladder:
            yield _table("Budget ladder", "budget", self._rungs())
        if self.others:
            rows = [_figures(OURS, self.scored()), *self._baselines()]
            yield _table(f"Baselines, budget {self.budget}", "system", rows)
        if (judged := self.calibration()) is not None:
            yield _calibration_table(judged)
        if self.ablation is not None:
            yield from self.ablation.tables()

    def _rungs(self) -> list[Figures]:
        return [_figures(str(budget), own) for budget, own in _groups(self.ladder, "budget")]

    def _baselines(self) -> list[Figures]:
        return [_figures(str(name), own) for name, own in _groups(self.others, "system")]

    def _charts(self, judged: Calibration | None) -> Iterator[Chart]:
        if self.ladder:
            rungs = {name: [(float(one.name), value(one)) for one in self._rungs()] for name, value in _CURVES.items()}
            lines = [Line(name=name, points=points) for name, points in rungs.items()]
            yield Chart(title="Recall by budget", x="budget, tokens", y="share", lines=lines, log_x=True)
        if judged is not None:
            points = [(one.said, one.came_true) for one in judged.bins]
            line = Line(name="answerable", points=points)
            yield Chart(title="Reliability", x="said", y="came true", lines=[line], diagonal=True)


_CURVES: Mapping[str, Callable[[Figures], float]] = {
    "evidence recall": lambda one: one.evidence_recall,
    "all evidence": lambda one: one.all_evidence_rate,
}


def _groups(samples: Sequence[LocomoSample], by: str) -> list[tuple[object, list[LocomoSample]]]:
    keys = dict.fromkeys(getattr(sample, by) for sample in samples)
    return [(key, [sample for sample in samples if getattr(sample, by) == key]) for key in keys]


def _figures(name: str, samples: Sequence[LocomoSample]) -> Figures:
    return Figures(
        name=name,
        n=len(samples),
        evidence_recall=mean(sample.evidence_recall for sample in samples),
        all_evidence_rate=mean(sample.all_evidence for sample in samples),
        answer_word_recall=mean([s.answer_word_recall for s in samples if s.answer_word_recall is not None] or [0.0]),
        tokens_mean=mean(sample.tokens for sample in samples),
        tokens_max=max(sample.tokens for sample in samples),
    )


def _table(title: str, first: str, rows: Sequence[Figures]) -> Table:
    table = Table(
        first, "n", "evidence recall", "all evidence", "answer words", "tokens mean", "tokens max", title=title
    )
    for row in rows:
        shares = (f"{value:.3f}" for value in (row.evidence_recall, row.all_evidence_rate, row.answer_word_recall))
        table.add_row(row.name, str(row.n), *shares, f"{row.tokens_mean:.0f}", str(row.tokens_max))
    return table


def _calibration_table(judged: Calibration) -> Table:
    table = Table("answerable", "n", "mean said", "came true", title=f"Answerability: AUROC {judged.auroc:.3f}")
    table.caption = f"Brier score {judged.brier:.3f}; always saying the base rate: {judged.brier_of_base_rate:.3f}"
    for one in judged.bins:
        table.add_row(f"{one.low:.1f} to {one.high:.1f}", str(one.n), f"{one.said:.2f}", f"{one.came_true:.2f}")
    return table
