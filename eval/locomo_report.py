"""What follows from the samples of a LoCoMo run: tables for people, JSON for machines, each figure with its n."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from statistics import mean

from eval.ablation import Ablation
from eval.locomo_data import CATEGORIES
from eval.report import Table
from eval.statistics import Calibration, calibration

__all__ = ["OURS", "Figures", "LocomoResults", "LocomoSample"]

OURS = "tirtha"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocomoSample:
    """What one system's context of one budget holds of a question's evidence. `answerable` is None for systems that do not say."""

    question_id: str
    conversation: str
    system: str
    budget: int
    category: int
    evidence_recall: float
    all_evidence: bool
    answer_word_recall: float | None
    tokens: int
    latency_ms: float | None = None
    answerable: float | None = None


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
    """A run. `samples` are ours at the budget asked for, over HTTP; `ladder` ours at others; `others` the baselines'.

    Questions of category 5 count for answerability only: their answer is not there.
    """

    data: str
    budget: int
    samples: tuple[LocomoSample, ...]
    raw_tokens: dict[str, int]
    ladder: tuple[LocomoSample, ...] = ()
    others: tuple[LocomoSample, ...] = ()
    ablation: Ablation | None = field(default=None)

    def scored(self) -> list[LocomoSample]:
        """Give the samples of categories 1 to 4."""
        return [sample for sample in self.samples if sample.category in CATEGORIES]

    def figures(self) -> list[Figures]:
        """Give the figures of each category and of all of them."""
        scored = self.scored()
        groups = [(name, [s for s in scored if s.category == number]) for number, name in CATEGORIES.items()]
        return [_figures(name, group) for name, group in [*groups, ("all", scored)] if group]

    def calibration(self) -> Calibration | None:
        """Judge `answerable` on categories 1 to 4 against 5; None without both."""
        known = [sample for sample in self.samples if sample.answerable is not None]
        return calibration([s.answerable or 0.0 for s in known], [s.category in CATEGORIES for s in known])

    def compaction(self) -> tuple[float, float, float]:
        """Give the mean raw tokens a question, the mean context tokens, and their ratio."""
        raw = mean(self.raw_tokens[sample.conversation] for sample in self.scored())
        tokens = mean(sample.tokens for sample in self.scored())
        return raw, tokens, raw / max(tokens, 1)

    def latency_ms(self) -> tuple[float, float]:
        """Give the median and the 95th percentile of the time of a request, in milliseconds."""
        times = sorted(sample.latency_ms for sample in self.samples if sample.latency_ms is not None)
        return times[len(times) // 2], times[int(len(times) * 0.95)]

    def tables(self) -> Iterator[Table]:
        """Lay everything out."""
        yield self._by_category()
        if self.ladder:
            yield _table(
                "Budget ladder", "budget", [_figures(str(b), own) for b, own in _groups(self.ladder, "budget")]
            )
        if self.others:
            rows = [_figures(OURS, self.scored())]
            rows += [_figures(str(name), own) for name, own in _groups(self.others, "system")]
            yield _table(f"Baselines, budget {self.budget}", "system", rows)
        if (judged := self.calibration()) is not None:
            yield _calibration_table(judged)
        if self.ablation is not None:
            yield self.ablation.table()

    def as_json(self) -> str:
        """Give everything as JSON: the figures, and each sample they come from."""
        raw, tokens, ratio = self.compaction()
        p50, p95 = self.latency_ms()
        judged = self.calibration()
        return json.dumps(
            {
                "benchmark": "locomo",
                "data": self.data,
                "budget": self.budget,
                "figures": [asdict(row) for row in self.figures()],
                "raw_tokens_mean": raw,
                "context_tokens_mean": tokens,
                "compaction_ratio": ratio,
                "latency_ms": {"p50": p50, "p95": p95},
                "answerability": asdict(judged) if judged else None,
                "ladder": [asdict(_figures(str(b), own)) for b, own in _groups(self.ladder, "budget")],
                "baselines": [asdict(_figures(str(name), own)) for name, own in _groups(self.others, "system")],
                "ablation": asdict(self.ablation) if self.ablation else None,
                "samples": [asdict(sample) for sample in [*self.samples, *self.ladder, *self.others]],
            },
            indent=1,
        )

    def _by_category(self) -> Table:
        raw, tokens, ratio = self.compaction()
        p50, p95 = self.latency_ms()
        table = _table(f"LoCoMo, {self.data}, budget {self.budget}", "category", self.figures())
        table.caption = (
            f"raw {raw:,.0f} tokens, context {tokens:.0f}: {ratio:.0f}x compaction; "
            f"latency p50 {p50:.0f} ms, p95 {p95:.0f} ms; {len(self.raw_tokens)} conversations"
        )
        return table


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
