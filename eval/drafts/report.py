"""What the rows say: systems side by side, and each guard as a judge of drafts. Nothing but the committed rows is read.

`python -m eval.drafts.report systems|guards ROWS` prints Markdown.
"""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Annotated

import typer

from cascade.guards.correctness import correctness_score
from eval.answers.rows import Row
from eval.drafts.labelled import Labelled, read_labelled
from eval.drafts.systems import SYSTEMS, read_rows
from eval.harness.intervals import wilson

__all__ = ["guards_table", "systems_table"]

_NAMES = {
    "local-alone": "solo, cheap model",
    "frontier-alone": "solo, model above",
    "cascade": "cascade",
    "no-verification": "cascade without verification",
    "no-guards": "cascade without guards",
    "no-repair": "cascade without repair",
    "serving-unverified": "cascade that serves its best draft unverified where none passes",
}


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
    for name in sorted(SYSTEMS, key=[*_NAMES].index):
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


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _share(count: int, n: int) -> str:
    if not n:
        return "-"
    low, high = wilson(count, n)
    return f"{count}/{n} = {count / n:.2f} ({low:.2f} to {high:.2f})"


def _mean_tokens(rows: Sequence[Row], tier: str) -> float:
    spent = [row.spent[tier] for row in rows if tier in row.spent]
    return sum(one.prompt_tokens + one.completion_tokens for one in spent) / len(rows)


def _mean_seconds(rows: Sequence[Row], tier: str) -> float:
    return sum(row.spent[tier].seconds for row in rows if tier in row.spent) / len(rows)


def main(
    what: Annotated[str, typer.Argument(help="systems or guards")],
    rows: Annotated[Path, typer.Argument(help="what eval.drafts.systems, or eval.drafts.labelled, wrote")],
    use: Annotated[str, typer.Option(help="of guards: the drafts for fitting or for testing")] = "testing",
) -> None:
    """Print a table."""
    if what == "systems":
        typer.echo(systems_table(read_rows(rows)))
    else:
        typer.echo(guards_table([row for row in read_labelled(rows) if row.use == use]))


if __name__ == "__main__":
    typer.run(main)
