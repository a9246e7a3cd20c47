"""Benchmarks whose figures come at once and go to the console: evidence recall on LoCoMo, and the cascade over recordings."""

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from tirtha.eval_commands.options import EvalBudget, eval_app
from tirtha.running import err, out, read_settings, run_here

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cascade.pricing import Price
    from eval.report import Table

__all__: list[str] = []

Baselines = Annotated[bool, typer.Option("--baselines", help="also run what anyone can do without us")]
JsonFile = Annotated[Path | None, typer.Option("--json", help="write the results there as JSON")]


class Results(Protocol):
    """What such a benchmark gives."""

    def tables(self) -> "Iterable[Table]":
        """For people."""

    def as_json(self) -> str:
        """For machines."""


@eval_app.command("locomo")
def eval_locomo(
    *,
    data: Annotated[Path, typer.Option(help="a LoCoMo file, such as locomo10.json")],
    budget: EvalBudget = 165,
    limit: Annotated[int | None, typer.Option(min=1, help="questions of each conversation")] = None,
    exclude: Annotated[Path | None, typer.Option(help="ids to leave out (label errors), one a line: conv-26:0")] = None,
    ladder: Annotated[bool, typer.Option(help="also distil to 82, 165, 330, 660 and 1,320 tokens")] = True,
    ablation: Annotated[bool, typer.Option(help="also switch every part off, on unseen conversations")] = True,
    baselines: Baselines = False,
    json_file: JsonFile = None,
) -> None:
    """Measure evidence recall and answerability on LoCoMo, and what each part of recall is worth."""
    from eval.locomo import LocomoRun, run_locomo  # noqa: PLC0415 - only the eval commands may see the benchmarks

    ids = frozenset(exclude.read_text("utf-8").split()) if exclude else frozenset()
    run = LocomoRun(budget=budget, limit=limit, exclude=ids, ladder=ladder, baselines=baselines, ablation=ablation)
    results = run_here(run_locomo(data, settings=read_settings(), run=run, console=err))
    _show(results, json_file)


@eval_app.command("cascade")
def eval_cascade(
    *,
    recordings: Annotated[Path, typer.Option(help="recorded completions, such as humaneval_recorded.jsonl.gz")],
    problems: Annotated[Path | None, typer.Option(help="HumanEvalPlus.jsonl.gz; default beside the recordings")] = None,
    public_tests: Annotated[Path | None, typer.Option(help="humaneval_public_tests.json; default beside them")] = None,
    cheap: Annotated[str | None, typer.Option(help="the cheap model, if more than two are recorded")] = None,
    frontier: Annotated[str | None, typer.Option(help="the frontier model, likewise")] = None,
    price: Annotated[list[str] | None, typer.Option(help="MODEL=INPUT/OUTPUT, US$ a million tokens")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="only the first problems")] = None,
    json_file: JsonFile = None,
) -> None:
    """Run the cascade over recorded completions: cost and correctness of every policy, and the ablation. Offline."""
    from eval.cascade import CascadeRun, run_cascade  # noqa: PLC0415 - only the eval commands may see the benchmarks

    prices = dict(_price(one) for one in price or ())
    what = CascadeRun(
        recordings=recordings,
        problems=problems,
        public_tests=public_tests,
        cheap=cheap,
        frontier=frontier,
        prices=prices,
        limit=limit,
    )
    _show(run_here(run_cascade(what, console=err)), json_file)


def _price(told: str) -> "tuple[str, Price]":
    from cascade.pricing import Price  # noqa: PLC0415 - the engine is slow to import

    try:
        model, _, rates = told.rpartition("=")
        paid, _, earned = rates.partition("/")
        return model, Price(
            input_usd=Decimal(paid), output_usd=Decimal(earned), cached_usd=None, as_of=None, source="command line"
        )
    except InvalidOperation:
        raise typer.BadParameter(f"{told!r} is not MODEL=INPUT/OUTPUT") from None


def _show(results: Results, json_file: Path | None) -> None:
    from eval.report import for_console  # noqa: PLC0415

    for table in results.tables():
        out.print(for_console(table))
    if json_file:
        json_file.write_text(results.as_json())
