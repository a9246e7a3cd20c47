"""The guards as detectors of unfaithful answers: AUROC, balanced accuracy of the gate, risk by coverage. No model is asked.

Judged are the deterministic guards over facts and support, as the cascade joins them: a draft passes if both pass, and its score is
the lower of theirs. What they cannot see is in the table like what they can.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from statistics import mean
from time import perf_counter
from typing import Annotated

from pydantic import Field, TypeAdapter
from sklearn.metrics import roc_auc_score

from cascade.call_trace import Trace
from cascade.guards import Case, FactsGuard, PolarityGuard, SupportGuard
from cascade.model import Draft
from eval.faithfulness.data import FACTS, Judged, Source, read_judged
from eval.harness.benchmark import Benchmark, Options, Sample, Work
from eval.harness.intervals import bounds, wilson
from eval.harness.report import Chart, Json, Report, Series, Table
from tirtha.wiring.cascade import GuardEncoder

__all__ = ["Faithfulness", "FaithfulnessOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    """What the guards said of one answer."""

    kind: str
    faithful: bool
    passed: bool
    score: float
    facts: float
    support: float


class FaithfulnessOptions(Options):
    """Which answers are judged."""

    data: Path = Field(description="a LoCoMo file, RAGTruth's response.jsonl, or HaluEval's qa_data.json")
    source: Source = Field(default="locomo", description="the file's format")
    limit: Annotated[int | None, Field(ge=1, description="only the first answers")] = None
    seed: Annotated[int, Field(description="of what is changed in LoCoMo's answers")] = 1


@dataclass(frozen=True, kw_only=True)
class Faithfulness(Benchmark[FaithfulnessOptions]):
    """The benchmark over one set of judged answers."""

    @cached_property
    def _judged(self) -> dict[str, Judged]:
        asked = self.options
        return {one.id: one for one in islice(read_judged(asked.source, asked.data, seed=asked.seed), asked.limit)}

    def ids(self) -> list[str]:
        """Name the answers."""
        return list(self._judged)

    @asynccontextmanager
    async def answering(self, wanted: Sequence[str]) -> AsyncIterator[Work]:  # noqa: ARG002 - all are read at once
        """Have the guards judge each answer, every line of its source cited."""
        facts = FactsGuard()
        polarity = PolarityGuard()
        support = SupportGuard(threshold=self.settings.policy.support_from, embed=GuardEncoder(self.encoder))

        async def work(id_: str) -> Sample:
            judged = self._judged[id_]
            draft = Draft(answer=judged.answer, citations=tuple(quote.n for quote in judged.brief.quotes))
            trace = Trace(started_s=perf_counter(), deadline_s=float("inf"))
            case = Case(brief=judged.brief, draft=draft, model="", trace=trace)
            verdicts = [await guard.check(case) for guard in (facts, support, polarity)]
            found = _Verdict(
                kind=judged.kind,
                faithful=judged.faithful,
                passed=all(verdict.status == "pass" for verdict in verdicts),
                score=min(verdict.score for verdict in verdicts),
                facts=verdicts[0].score,
                support=verdicts[1].score,
            )
            return Sample(
                id=id_, value={**asdict(found), "reason": "; ".join(v.reason for v in verdicts if v.status != "pass")}
            )

        yield work

    def marks(self, answer: Sample, score: Sample | None) -> dict[str, float]:  # noqa: ARG002 - nothing is scored later
        """Return whether the guards were right."""
        return {"guards right": float(answer.value["passed"] == answer.value["faithful"])}

    def report(self, answers: Sequence[Sample], scores: Mapping[str, Sample]) -> Report:  # noqa: ARG002
        """Return AUROC and the gate's figures: by what was changed where we changed it, else by the set's own kinds."""
        read = TypeAdapter(_Verdict).validate_python
        verdicts = {
            one.id: read({name: one.value[name] for name in _Verdict.__slots__}) for one in answers if not one.fault
        }
        groups = _against_given(verdicts) if self.options.source == "locomo" else _by_kind(verdicts)
        table = Table(
            "unfaithful by", "n", "AUROC", "caught", "95%", "false alarms", "balanced accuracy",
            title=f"Guards over facts, support and polarity, {self.options.source}",
        )  # fmt: skip
        figures: dict[str, Json] = {}
        for kind, own in groups.items():
            found = _figures(own)
            if found is not None:
                figures[kind] = asdict(found)
                table.add_row(kind, *found.cells())
        if self.options.source == "locomo":
            paraphrased = [one for one in verdicts.values() if one.kind == "paraphrase"]
            alarms = mean(not one.passed for one in paraphrased) if paraphrased else 0.0
            figures["paraphrase"] = {"n": len(paraphrased), "false_alarms": alarms}
            table.caption = (
                f"Right answers in other words: {alarms:.0%} of {len(paraphrased)} rejected. Told otherwise: the evidence does not "
                "have what was changed in those words, so that the answer as given cannot be checked by words either."
            )
        curve = Chart(
            title="Risk by coverage", x="share of answers served, best score first", y="share of them unfaithful",
            lines=[Series(name=kind, points=_risk(own)) for kind, own in groups.items() if kind in figures],
        )  # fmt: skip
        return Report(title=f"Faithfulness, {self.options.source}", figures=figures, tables=[table], charts=[curve])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figures:
    n: int
    auroc: float
    caught: float
    caught_95: tuple[float, float]
    false_alarms: float
    balanced_accuracy: float

    def cells(self) -> list[str]:
        return [
            str(self.n), f"{self.auroc:.3f}", f"{self.caught:.3f}", bounds(*self.caught_95),
            f"{self.false_alarms:.3f}", f"{self.balanced_accuracy:.3f}",
        ]  # fmt: skip


Pairs = Sequence[tuple[_Verdict, _Verdict | None]]


def _against_given(verdicts: Mapping[str, _Verdict]) -> dict[str, Pairs]:
    """Pair each changed answer with the one it was made of, by what was changed; and all hard facts together."""
    together = ", ".join(FACTS)
    groups: dict[str, list[tuple[_Verdict, _Verdict | None]]] = {together: []}
    for id_, one in verdicts.items():
        given = verdicts.get(f"{id_.rpartition('/')[0]}/given")
        if one.kind not in {"given", "paraphrase"} and given is not None:
            groups.setdefault(one.kind, []).append((one, given))
            if one.kind in FACTS:
                groups[together].append((one, given))
    return dict(groups)


def _by_kind(verdicts: Mapping[str, _Verdict]) -> dict[str, Pairs]:
    kinds = dict.fromkeys(one.kind for one in verdicts.values())
    groups: dict[str, Pairs] = {kind: [(one, None) for one in verdicts.values() if one.kind == kind] for kind in kinds}
    return {"all": [(one, None) for one in verdicts.values()]} | groups if len(kinds) > 1 else groups


def _flat(pairs: Pairs) -> list[_Verdict]:
    return [one for pair in pairs for one in pair if one is not None]


def _figures(pairs: Pairs) -> _Figures | None:
    """Compute the figures of a group; None unless it has faithful and unfaithful answers."""
    flat = _flat(pairs)
    wrong, right = [v for v in flat if not v.faithful], [v for v in flat if v.faithful]
    if not wrong or not right:
        return None
    caught, alarms = sum(not v.passed for v in wrong), mean(not v.passed for v in right)
    return _Figures(
        n=len(flat),
        auroc=_auroc(flat),
        caught=caught / len(wrong),
        caught_95=wilson(caught, len(wrong)),
        false_alarms=alarms,
        balanced_accuracy=(caught / len(wrong) + 1 - alarms) / 2,
    )


def _auroc(verdicts: Sequence[_Verdict]) -> float:
    truths = [one.faithful for one in verdicts]
    return float(roc_auc_score(truths, [one.score for one in verdicts])) if len(set(truths)) > 1 else 0.0


def _risk(pairs: Pairs) -> list[tuple[float, float]]:
    """Return the share of unfaithful ones among the answers served, as more and more are."""
    ranked = sorted(_flat(pairs), key=lambda one: -one.score)
    wrong = 0
    points: list[tuple[float, float]] = []
    every = max(1, len(ranked) // 40)
    for place, one in enumerate(ranked, 1):
        wrong += not one.faithful
        if place % every == 0 or place == len(ranked):
            points.append((place / len(ranked), wrong / place))
    return points
