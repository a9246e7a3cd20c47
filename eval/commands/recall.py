"""Benchmarks that ask no model: evidence recall on LoCoMo, and the cascade over recordings."""

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from cascade.pricing import Price
from eval.code.recorded_cascade import RecordedCascade
from eval.commands.options import AtOnce, EvalBudget, RunFolder, app, run_in_folder
from eval.locomo.evidence import LocomoEvidence

__all__: list[str] = []


@app.command("locomo")
def eval_locomo(
    *,
    data: Annotated[Path, typer.Option(help="a LoCoMo file, such as locomo10.json")],
    budget: EvalBudget = 165,
    limit: Annotated[int | None, typer.Option(min=1, help="questions of each conversation")] = None,
    exclude: Annotated[Path | None, typer.Option(help="ids to leave out (label errors), one a line: conv-26:0")] = None,
    ladder: Annotated[bool, typer.Option(help="also distil to 82, 165, 330, 660 and 1,320 tokens")] = True,
    ablation: Annotated[bool, typer.Option(help="also switch every part off, on unseen conversations")] = True,
    fits: Annotated[
        int, typer.Option(min=1, help="how often the ablation fits everything, each with a seed of its own")
    ] = 3,
    baselines: Annotated[bool, typer.Option("--baselines", help="also run what anyone can do without us")] = False,
    folder: RunFolder = None,
) -> None:
    """Measure evidence recall and answerability on LoCoMo, and what each part of recall is worth."""
    ids = frozenset(exclude.read_text("utf-8").split()) if exclude else frozenset[str]()
    run_in_folder(
        lambda settings, encoder: LocomoEvidence(
            settings=settings, encoder=encoder, file=data, budget=budget, limit=limit, exclude=ids, ladder=ladder,
            baselines=baselines, ablation=ablation, fits=fits,
        ),
        folder=folder,
    )  # fmt: skip


@app.command("cascade")
def eval_cascade(
    *,
    recordings: Annotated[Path, typer.Option(help="recorded completions, such as humaneval_recorded.jsonl.gz")],
    problems: Annotated[Path | None, typer.Option(help="HumanEvalPlus.jsonl.gz; default beside the recordings")] = None,
    public_tests: Annotated[Path | None, typer.Option(help="humaneval_public_tests.json; default beside them")] = None,
    cheap: Annotated[str | None, typer.Option(help="the cheap model, if more than two are recorded")] = None,
    frontier: Annotated[str | None, typer.Option(help="the frontier model, likewise")] = None,
    price: Annotated[list[str] | None, typer.Option(help="MODEL=INPUT/OUTPUT, US$ a million tokens")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="only the first problems")] = None,
    folder: RunFolder = None,
    at_once: AtOnce = 2,
) -> None:
    """Run the cascade over recorded completions: cost and correctness of every policy, and the ablation. Offline."""
    prices = dict(_price(one) for one in price or ())
    run_in_folder(
        lambda *_: RecordedCascade(
            recordings=recordings, problems=problems, public_tests=public_tests, cheap=cheap, frontier=frontier,
            prices=prices, limit=limit,
        ),
        folder=folder, at_once=at_once,
    )  # fmt: skip


def _price(told: str) -> tuple[str, Price]:
    try:
        model, _, rates = told.rpartition("=")
        paid, _, earned = rates.partition("/")
        return model, Price(
            input_usd=Decimal(paid), output_usd=Decimal(earned), cached_usd=None, as_of=None, source="command line"
        )
    except InvalidOperation:
        raise typer.BadParameter(f"{told!r} is not MODEL=INPUT/OUTPUT") from None
