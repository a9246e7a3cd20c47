"""What a run of answers says: by kind of question, what was served as verified, what was invented, what it cost; systems compared.

Everything follows from the rows. A question that a system's models met with silence is answered by nobody: it is in every n,
counted as not right, and apart as silent.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import mean

from cascade import dollars
from eval.answers.rows import Row, read_row
from eval.answers.systems import CASCADE
from eval.harness.benchmark import Sample
from eval.harness.intervals import paired_difference, share_bounds
from eval.harness.judge import judge_note
from eval.harness.report import Json, Report, Table
from eval.long_context.hidden_facts import notes_on_models

__all__ = ["Coverage", "Facts", "report_of"]

_NANO, _HOUR_S = 1_000_000_000, 3_600
Right = Mapping[str, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many of the file's questions are asked, and why the others are not: no question is dropped without a word."""

    asked: int
    asked_without_valid_evidence: int
    left_out: Mapping[str, int]

    @property
    def all(self) -> int:
        """The questions of the file."""
        return self.asked + sum(self.left_out.values())

    def figures(self) -> dict[str, Json]:
        """Return it for machines."""
        return asdict(self) | {"left_out": dict(self.left_out), "in_file": self.all}

    def table(self) -> Table:
        """Lay it out."""
        table = Table("questions", "n", title="Questions of the file")
        table.add_row("in the file", str(self.all))
        table.add_row("asked", str(self.asked))
        table.add_row("of these without valid evidence", str(self.asked_without_valid_evidence))
        table.add_row("left out", str(self.all - self.asked))
        for why, count in self.left_out.items():
            table.add_row(f"left out: {why}", str(count))
        return table

    def sentence(self) -> str:
        """Say it in a sentence."""
        reasons = "; ".join(f"{count} {why}" for why, count in self.left_out.items())
        return (
            f"Of {self.all} questions of the file {self.asked} were asked, {self.asked_without_valid_evidence} of them without "
            f"valid evidence; {self.all - self.asked} were left out{f' ({reasons})' if reasons else ''}."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a report needs beside the rows."""

    title: str
    coverage: Coverage
    models: Mapping[str, Json]
    judge: str | None
    hour_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """The answers to one kind of question: means and counts."""

    n: int
    f1: float
    contained: int
    right: int
    abstained: int
    silent: int
    judged: int
    judged_right: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Served:
    """What was served as verified, and what was made up. `coverage` is the share that is served; `right` are of those."""

    n: int
    verified: int
    coverage: float
    right: int
    unanswerable: int
    invented: int
    invented_as_verified: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cost:
    """What a question took on average: by tokens at the stated prices, and by measured seconds of the models."""

    nanousd: float
    model_seconds: Mapping[str, float]
    prompt_tokens: float
    completion_tokens: float
    calls: float
    seconds: float
    nanousd_by_seconds: float | None


def report_of(answers: Sequence[Sample], scores: Mapping[str, Sample], facts: Facts) -> Report:
    """Make the report of a run."""
    rows = [read_row(one) for one in answers if not one.fault]
    judged = {id_: bool(one.value["right"]) for id_, one in scores.items() if not one.fault}
    systems = list(dict.fromkeys(row.system for row in rows))
    by_system = {name: [row for row in rows if row.system == name] for name in sorted(systems, key=_first_cascade)}
    kept = {name: [row for row in own if not row.excluded] for name, own in by_system.items()}
    tables = [_kinds_table(by_system, judged, facts.title, judge=bool(facts.judge))]
    if kept != by_system:
        left_out = len({row.question for row in rows if row.excluded})
        tables.append(_kinds_table(kept, judged, f"Without {left_out} known label errors", judge=bool(facts.judge)))
    tables += [_served_table(by_system), _cost_table(by_system, facts.hour_usd)]
    if CASCADE in by_system and len(by_system) > 1:
        tables.append(_compared(by_system))
    tables.append(facts.coverage.table())
    figures: dict[str, Json] = {
        "all": {name: _figures(own, judged, facts.hour_usd) for name, own in by_system.items()},
        "without_excluded": {name: _figures(own, judged, facts.hour_usd) for name, own in kept.items()},
        "questions": facts.coverage.figures(),
        "errors": len(answers) - len(rows),
        "cache_hits": sum(row.cached for row in rows),
        "cost_nanousd": sum(one.cost_nanousd for one in [*answers, *scores.values()]),
    }
    notes = [
        facts.coverage.sentence(),
        *notes_on_models(facts.models),
        *(judge_note(facts.judge) if facts.judge else []),
    ]
    return Report(title=facts.title, figures=figures, tables=tables, notes=notes)


def _first_cascade(name: str) -> tuple[bool, str]:
    return name != CASCADE, name


def _groups(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Group answers by kind; those that the conversations hold an answer to, together; and all."""
    groups = {kind: [row for row in rows if row.kind == kind] for kind in sorted({row.kind for row in rows})}
    groups["answerable"] = [row for row in rows if row.answerable]
    return {name: own for name, own in (groups | {"all": list(rows)}).items() if own}


def _kind(rows: Sequence[Row], judged: Right) -> _Kind:
    said = [judged[id_] for row in rows if (id_ := f"{row.system}/{row.question}") in judged]
    return _Kind(
        n=len(rows),
        f1=mean(row.f1 for row in rows),
        contained=sum(row.contained for row in rows),
        right=sum(row.right for row in rows),
        abstained=sum(row.abstained for row in rows),
        silent=sum(row.silent for row in rows),
        judged=len(said),
        judged_right=sum(said),
    )


def _served(rows: Sequence[Row]) -> _Served:
    verified = [row for row in rows if row.verified]
    return _Served(
        n=len(rows),
        verified=len(verified),
        coverage=len(verified) / len(rows),
        right=sum(row.right for row in verified),
        unanswerable=sum(not row.answerable for row in rows),
        invented=sum(row.invented for row in rows),
        invented_as_verified=sum(row.invented for row in verified),
    )


def _cost(rows: Sequence[Row], hour_usd: float | None) -> _Cost:
    def on_average(figure: Callable[[Row], float]) -> float:
        return mean(figure(row) for row in rows)

    tiers = sorted({tier for row in rows for tier in row.spent})
    seconds = {tier: sum(row.spent[tier].seconds for row in rows if tier in row.spent) / len(rows) for tier in tiers}
    by_seconds = None if hour_usd is None else sum(seconds.values()) / _HOUR_S * hour_usd * _NANO
    return _Cost(
        nanousd=on_average(lambda row: row.cost_nanousd),
        model_seconds=seconds,
        prompt_tokens=on_average(lambda row: sum(one.prompt_tokens for one in row.spent.values())),
        completion_tokens=on_average(lambda row: sum(one.completion_tokens for one in row.spent.values())),
        calls=on_average(lambda row: sum(one.calls for one in row.spent.values())),
        seconds=on_average(lambda row: row.seconds),
        nanousd_by_seconds=by_seconds,
    )


def _figures(rows: Sequence[Row], judged: Right, hour_usd: float | None) -> dict[str, Json]:
    if not rows:
        return {}
    kinds: dict[str, Json] = {name: asdict(_kind(own, judged)) for name, own in _groups(rows).items()}
    return {"kinds": kinds, "served": asdict(_served(rows)), "cost": asdict(_cost(rows, hour_usd))}


def _kinds_table(by_system: Mapping[str, Sequence[Row]], judged: Right, title: str, *, judge: bool) -> Table:
    columns = ("system", "kind", "n", "F1", "holds the answer", "right", "95%", "abstained", "silent")
    table = Table(*columns, *(("judged right", "95%") if judge else ()), title=title)
    table.caption = (
        "right: holds the gold answer's words in a row, or F1 of a half; without an answer in the conversation: abstains. "
        "silent: models said nothing"
    )
    for system, rows in by_system.items():
        for name, own in _groups(rows).items():
            one = _kind(own, judged)
            cells = [
                system,
                name,
                str(one.n),
                f"{one.f1:.3f}",
                f"{one.contained / one.n:.3f}",
                *_share(one.right, one.n),
            ]
            cells += [str(one.abstained), str(one.silent)]
            table.add_row(*cells, *(_share(one.judged_right, one.judged) if judge else ()))
    return table


def _served_table(by_system: Mapping[str, Sequence[Row]]) -> Table:
    table = Table(
        "system", "served as verified", "coverage", "right of these", "95%", "without an answer", "invented", "95%",
        "invented as verified", title="What can be relied on",
    )  # fmt: skip
    table.caption = "invented: answers to questions that the conversation does not answer"
    for system, rows in by_system.items():
        one = _served(rows)
        table.add_row(
            system, str(one.verified), f"{one.coverage:.3f}", *_share(one.right, one.verified), str(one.unanswerable),
            *_share(one.invented, one.unanswerable), str(one.invented_as_verified),
        )  # fmt: skip
    return table


def _cost_table(by_system: Mapping[str, Sequence[Row]], hour_usd: float | None) -> Table:
    table = Table(
        "system", "US$ an ask", "US$ by seconds", "prompt tokens", "answer tokens", "calls", "seconds of models", "seconds",
        title="What a question costs, on average",
    )  # fmt: skip
    rate = f"at US$ {hour_usd:g} an hour of the machine" if hour_usd is not None else "no price of an hour was given"
    table.caption = f"US$ an ask: tokens at the stated prices; by seconds: what models ran, {rate}"
    for system, rows in by_system.items():
        one = _cost(rows, hour_usd)
        timed = ", ".join(f"{tier} {seconds:.2f}" for tier, seconds in one.model_seconds.items()) or "-"
        by_seconds = "-" if one.nanousd_by_seconds is None else dollars(round(one.nanousd_by_seconds))
        table.add_row(
            system, dollars(round(one.nanousd)), by_seconds, f"{one.prompt_tokens:.0f}", f"{one.completion_tokens:.0f}",
            f"{one.calls:.2f}", timed, f"{one.seconds:.2f}",
        )  # fmt: skip
    return table


def _compared(by_system: Mapping[str, Sequence[Row]]) -> Table:
    """Compare every system with the cascade, question by question."""
    table = Table("system", "n", "right less the cascade's", "95%", "F1 less the cascade's", "95%", title="Compared")
    ours = {row.question: row for row in by_system[CASCADE]}
    for system, rows in by_system.items():
        pairs = [(row, ours[row.question]) for row in rows if system != CASCADE and row.question in ours]
        if not pairs:
            continue
        cells: list[str] = []
        for figure in (lambda row: float(row.right), lambda row: row.f1):
            found = paired_difference([figure(one) for one, _ in pairs], [figure(other) for _, other in pairs])
            cells += [f"{found.mean:+.3f}", found.bounds]
        table.add_row(system, str(len(pairs)), *cells)
    return table


def _share(count: int, n: int) -> tuple[str, str]:
    return f"{count}/{n}" if n else "-", share_bounds(count, n)
