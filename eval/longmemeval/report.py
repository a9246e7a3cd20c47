"""What follows from the samples of a LongMemEval run: tables for people, figures for machines, each figure with its n.

Three denominators are in use, and figures differ by points between them: `all` counts every question with `answer_session_ids` as
targets; `without abstention` is what the paper's printer shows, where the 51 questions without a labelled user's turn count as
recall_all 1 and recall_any 0; `strict` leaves those out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

from eval.harness.intervals import share_bounds
from eval.harness.ranking_metrics import CUTOFFS, judge_ranking
from eval.harness.report import Json, Table

__all__ = ["OURS", "Judgement", "LongMemEvalResults", "LongMemEvalSample", "Ranked"]

OURS = "tirtha"
DENOMINATORS = ("all", "without abstention", "strict")
_SHOWN = (("recall_any", 1), ("recall_any", 5), ("recall_all", 5), ("recall_all", 10), ("ndcg_any", 10))
_METRICS = ("recall_any", "recall_all", "ndcg_any")

Figures = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """Documents of one level, best first, and which of them each denominator wants; an absent one does not count it."""

    ranking: tuple[str, ...]
    targets: Mapping[str, frozenset[str]]

    def figures(self) -> dict[str, Figures]:
        """Compute, by denominator, every metric at every k."""
        return {
            denominator: {
                f"{metric}@{k}": getattr(judge_ranking(self.ranking, wanted, k), metric)
                for k in CUTOFFS
                for metric in _METRICS
            }
            for denominator, wanted in self.targets.items()
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LongMemEvalSample:
    """What one system got for one question.

    sessions, turns: figures by denominator. named: the share of the answer's sessions that the context's lines name; None if the
    history has none of them. labelled: whether the file says which turns hold the answer.
    """

    question_id: str
    type: str
    system: str
    labelled: bool
    sessions: dict[str, Figures]
    turns: dict[str, Figures]
    named: float | None
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the judge said of one answer."""

    type: str
    abstention: bool
    right: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LongMemEvalResults:
    """A run: every sample of every system, ours first, and the judge's word on our answers."""

    data: str
    budget: int
    samples: tuple[LongMemEvalSample, ...]
    judged: tuple[Judgement, ...] = ()

    def tables(self) -> Iterator[Table]:
        """Lay the figures out: by denominator, by type, and turns where the file labels them."""
        for denominator in DENOMINATORS:
            if any(denominator in sample.sessions for sample in self.samples):
                yield self._by_system("sessions", denominator)
        yield self._by_type()
        if self.judged:
            yield self._answers()
        if any(sample.turns for sample in self.samples):
            yield self._by_system("turns", "strict")

    def figures(self) -> dict[str, Json]:
        """Return every figure, with its n."""
        return {
            "retrieval": {
                system: {
                    level: {denominator: self._figures(system, level, denominator) for denominator in DENOMINATORS}
                    for level in ("sessions", "turns")
                }
                for system in self._systems()
            },
            "answers": {name: {"n": len(own), "right": sum(own)} for name, own in self._judged_groups().items()},
        }

    def _judged_groups(self) -> dict[str, list[bool]]:
        """Group the judge's words as the paper prints them: by type, all together, and abstention questions once more apart."""
        types = sorted({one.type for one in self.judged})
        groups = {kind: [one.right for one in self.judged if one.type == kind] for kind in types}
        abstained = [one.right for one in self.judged if one.abstention]
        return (
            groups | {"overall": [one.right for one in self.judged]} | ({"abstention": abstained} if abstained else {})
        )

    def _answers(self) -> Table:
        groups = self._judged_groups()
        by_type = [mean(own) for name, own in groups.items() if name not in {"overall", "abstention"}]
        table = Table("answers, by type", "n", "right", "share", "95%", title="Answers, as judged")
        table.caption = f"task-averaged (mean over types): {mean(by_type):.3f}" if by_type else ""
        for name, own in groups.items():
            right = sum(own)
            table.add_row(name, str(len(own)), str(right), f"{mean(own):.3f}", share_bounds(right, len(own)))
        return table

    def _systems(self) -> list[str]:
        return list(dict.fromkeys(sample.system for sample in self.samples))

    def _counted(self, system: str, level: str, denominator: str) -> list[LongMemEvalSample]:
        return [one for one in self.samples if one.system == system and denominator in getattr(one, level)]

    def _by_system(self, level: str, denominator: str) -> Table:
        counted = {system: self._counted(system, level, denominator) for system in self._systems()}
        ours = counted[OURS]
        unlabelled = sum(not one.labelled for one in ours)
        table = Table("system", *_columns(), "named", "all named", "tokens")
        table.title = f"LongMemEval, {self.data}, {level}, {denominator} (n = {len(ours)}), budget {self.budget}"
        if unlabelled:
            table.caption = f"{unlabelled} of them have no turn labels: all their answer_session_ids are targets"
        for system, samples in counted.items():
            table.add_row(system, *_row(samples, level, denominator), f"{mean(one.tokens for one in samples):.0f}")
        return table

    def _by_type(self) -> Table:
        table = Table("type", "n", *_columns(), "named", "all named", title=f"{OURS} by type, sessions, all")
        ours = self._counted(OURS, "sessions", "all")
        for kind in sorted({sample.type for sample in ours}):
            group = [sample for sample in ours if sample.type == kind]
            table.add_row(kind, str(len(group)), *_row(group, "sessions", "all"))
        return table

    def _figures(self, system: str, level: str, denominator: str) -> dict[str, float]:
        samples = self._counted(system, level, denominator)
        if not samples:
            return {"n": 0}
        means = {
            name: mean(getattr(one, level)[denominator][name] for one in samples) for name in _names(samples, level)
        }
        return {"n": len(samples)} | means | _naming(samples)


def _names(samples: Sequence[LongMemEvalSample], level: str) -> list[str]:
    return list(next(iter(getattr(samples[0], level).values())))


def _columns() -> list[str]:
    return [f"{metric}@{k}" for metric, k in _SHOWN]


def _row(samples: Sequence[LongMemEvalSample], level: str, denominator: str) -> list[str]:
    shown = [mean(getattr(one, level)[denominator][name] for one in samples) for name in _columns()]
    return [f"{value:.3f}" for value in [*shown, *_naming(samples).values()]]


def _naming(samples: Sequence[LongMemEvalSample]) -> dict[str, float]:
    named = [one.named for one in samples if one.named is not None] or [0.0]
    return {"named": mean(named), "all_named": mean(float(share == 1) for share in named)}
