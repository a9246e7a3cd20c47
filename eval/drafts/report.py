"""What the rows say: systems side by side, each guard as a judge of drafts, what a threshold buys. Only committed rows are read.

`python -m eval.drafts.report systems|guards|thresholds|cascade ROWS` prints Markdown. With `--labelled` the rows of the cascade
without repair are those of the score as it is now, and not of the one that `systems` ran with.
"""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Annotated

import typer

from cascade.guards.correctness import correctness_score
from eval.answers.rows import Row
from eval.drafts.labelled import Labelled, read_labelled
from eval.drafts.rejudged import REJUDGED, rejudged
from eval.drafts.systems import SYSTEMS, read_rows
from eval.harness.intervals import share_bounds
from eval.training.correctness import judged

__all__ = ["common", "guards_table", "systems_table", "thresholds_table"]

_THRESHOLDS = (0.0, 0.2, 0.3, 0.4, 0.5)

_NAMES = {
    "local-alone": "solo, cheap model",
    "frontier-alone": "solo, model above",
    "cascade": "cascade",
    "no-verification": "cascade without verification",
    "no-guards": "cascade without guards",
    "no-repair": "cascade without repair",
    "no-score": "cascade without the score over drafts",
    "serving-unverified": "cascade that serves its best draft unverified where none passes",
    "stuffed-8000-local": "8,000 tokens of history, cheap model",
    "stuffed-8000-frontier": "8,000 tokens of history, model above",
    "stuffed-28000-local": "28,000 tokens of history, cheap model",
}


def common(rows: Sequence[Row], systems: Sequence[str]) -> list[Row]:
    """Return the rows of the questions that each of these systems has one for."""
    of = [{row.question for row in rows if row.system == name} for name in systems]
    return [row for row in rows if row.system in systems and all(row.question in questions for questions in of)]


def systems_table(rows: Sequence[Row]) -> str:
    """Return a row a system.

    served: answers given, verified or not, of the answerable questions. right of served: of all answers given, those to
    unanswerable questions among them. invented: answers to unanswerable questions. tokens and seconds: of each tier, a question.
    """
    head = (
        "system", "served, of answerable", "right of served", "right, of answerable", "invented, of unanswerable", "F1",
        "holds the gold", "tokens: cheap, above", "seconds: cheap, above",
    )  # fmt: skip
    lines = [_line(head), _line(["---"] * len(head))]
    for name in [one for one in _NAMES if any(row.system == one for row in rows)]:
        own = [row for row in rows if row.system == name]
        answerable = [row for row in own if row.answerable]
        served = [row for row in own if not row.abstained and not row.silent]
        without = [row for row in own if not row.answerable]
        lines.append(
            _line(
                [
                    _NAMES[name],
                    _share(sum(row in served for row in answerable), len(answerable)),
                    _share(sum(row.right for row in served), len(served)),
                    _share(sum(row.right for row in answerable), len(answerable)),
                    _share(sum(row.invented for row in own), len(without)),
                    f"{mean(row.f1 for row in answerable):.3f}",
                    f"{mean(row.contained for row in answerable):.3f}",
                    ", ".join(f"{_mean_tokens(own, tier):.0f}" for tier in ("local", "frontier")),
                    ", ".join(f"{_mean_seconds(own, tier):.1f}" for tier in ("local", "frontier")),
                ]
            )
        )
    return "\n".join(lines)


def guards_table(rows: Sequence[Labelled]) -> str:
    """Return a row a guard: of the first drafts that answer, how many it stops, how many of these are wrong, and of the wrong ones
    which share that is. A guard over the draft's own abstention is judged on none."""
    drafts = [row for row in rows if row.path == "first" and not row.abstains]
    wrong = [row for row in drafts if not row.right]
    score = correctness_score()
    stopped = {
        guard: [row for row in drafts if row.statuses[guard] != "pass"]
        for guard in (drafts[0].statuses if drafts else ())
    }
    stopped["correctness"] = [row for row in drafts if score.probability(row.features) < score.threshold]
    lines = [
        _line(["guard", "stops", "wrong of these (precision)", "of the wrong ones (recall)", "right ones stopped"])
    ]
    lines.append(_line(["---"] * 5))
    for guard, own in stopped.items():
        right = sum(row.right for row in own)
        cells = [
            f"`{guard}`",
            f"{len(own)}/{len(drafts)}",
            _share(len(own) - right, len(own)),
            _share(len(own) - right, len(wrong)),
            f"{right}/{len(drafts) - len(wrong)}",
        ]
        lines.append(_line(cells))
    return "\n".join(lines)


def thresholds_table(rows: Sequence[Labelled]) -> str:
    """Return what a threshold of the score buys: of the first drafts of each model that every hard guard passes, how many pass it,
    and how many of these are right."""
    score, drafts = correctness_score(), judged(rows)
    models = sorted({row.model for row in drafts})
    lines = [_line(["threshold", *(f"{model}: right of those that pass" for model in models)])]
    lines.append(_line(["---"] * (1 + len(models))))
    for threshold in sorted({*_THRESHOLDS, score.threshold}):
        passed = [row for row in drafts if score.probability(row.features) >= threshold]
        own = [[row.right for row in passed if row.model == model] for model in models]
        lines.append(_line([str(threshold), *(_share(sum(right), len(right)) for right in own)]))
    return "\n".join(lines)


def cascade_table(rows: Sequence[Labelled]) -> str:
    """Return what a threshold of the score buys in the cascade without repair, whose models are those of the rows, by name."""
    score = correctness_score()
    head = (
        "threshold", "served, of answerable", "right of served", "right, of answerable", "invented", "asked above",
        "right, if the better draft is served unverified",
    )  # fmt: skip
    lines = [_line(head), _line(["---"] * len(head))]
    for threshold in sorted({*_THRESHOLDS, score.threshold}):
        own = rejudged(rows, _models(rows), score, threshold)
        unverified = rejudged(rows, _models(rows), score, threshold, unverified=True)
        answerable, served = [row for row in own if row.answerable], [row for row in own if not row.abstained]
        lines.append(
            _line(
                [
                    str(threshold),
                    _share(sum(row in served for row in answerable), len(answerable)),
                    _share(sum(row.right for row in served), len(served)),
                    _share(sum(row.right for row in answerable), len(answerable)),
                    _share(sum(row.invented for row in own), len(own) - len(answerable)),
                    f"{sum('frontier' in row.spent for row in own)}/{len(own)}",
                    f"{sum(row.right for row in unverified if row.answerable)}/{len(answerable)}",
                ]
            )
        )
    return "\n".join(lines)


def _models(rows: Sequence[Labelled]) -> list[str]:
    """Return the models, the cheap one first: their files are named by size."""
    return sorted({row.model for row in rows})


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _share(count: int, n: int) -> str:
    return f"{count}/{n} = {count / n:.3f} ({share_bounds(count, n)})" if n else "-"


def _mean_tokens(rows: Sequence[Row], tier: str) -> float:
    spent = [row.spent[tier] for row in rows if tier in row.spent]
    return sum(one.prompt_tokens + one.completion_tokens for one in spent) / len(rows)


def _mean_seconds(rows: Sequence[Row], tier: str) -> float:
    return sum(row.spent[tier].seconds for row in rows if tier in row.spent) / len(rows)


def main(
    what: Annotated[str, typer.Argument(help="systems, guards, thresholds or cascade")],
    rows: Annotated[list[Path], typer.Argument(help="what eval.drafts.systems, stuffed, or labelled wrote")],
    *,
    use: Annotated[str, typer.Option(help="of guards: the drafts for fitting or for testing")] = "testing",
    systems: Annotated[
        str, typer.Option(help="which, separated by commas: over the questions that all have")
    ] = ",".join(SYSTEMS),
    labelled: Annotated[Path | None, typer.Option(help="of systems: drafts that the score judges again")] = None,
) -> None:
    """Print a table."""
    if what == "systems":
        read = [row for file in rows for row in read_rows(file)]
        if labelled:
            drafts = [row for row in read_labelled(labelled) if row.use == use]
            again = rejudged(drafts, _models(drafts), correctness_score(), correctness_score().threshold)
            read = [row for row in read if row.system != REJUDGED] + again
        kept = common(read, systems.split(","))
        answerable = {row.question for row in kept if row.answerable}
        typer.echo(f"{len({row.question for row in kept})} questions, {len(answerable)} of them answerable\n")
        typer.echo(systems_table(kept))
        return
    drafts = [row for file in rows for row in read_labelled(file) if row.use == use]
    table = {"guards": guards_table, "thresholds": thresholds_table, "cascade": cascade_table}[what]
    typer.echo(table(drafts))


if __name__ == "__main__":
    typer.run(main)
