"""Benchmarks that ask no model: evidence on every set, what recall's parts are worth, and the cascade over recordings."""

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from cascade.pricing import Price
from eval.code.recorded_cascade import RecordedCascade
from eval.commands.options import AtOnce, EvalBudget, RunFolder, app, ids_in, run_in_folder
from eval.evidence.benchmark import EvidenceBenchmark
from eval.evidence.recall_ablation import RecallAblation
from eval.evidence.sets import SetName
from memory.recall.reranker import MODELS

__all__: list[str] = []


_Limit = Annotated[int | None, typer.Option("--limit", min=1, help="only the first questions of each conversation")]
_Exclude = Annotated[
    Path | None, typer.Option("--exclude", help="ids to leave out (label errors), one a line: conv-26:0")
]
_Models = Annotated[
    Path,
    typer.Option(
        "--models",
        help="a folder of recall's weights, from eval.training.reranker --out",
        show_default="those that ship",
    ),
]
_Size = Annotated[str | None, typer.Option(help="only BEAM's chats in folders of this name: 100K, 500K")]
_GENERATED = Path("generated")


@app.command("locomo")
def eval_locomo(
    *,
    data: Annotated[Path, typer.Option(help="a LoCoMo file, such as locomo10.json")],
    limit: _Limit = None,
    exclude: _Exclude = None,
    models: _Models = MODELS,
    folder: RunFolder = None,
) -> None:
    """Measure what contexts hold of the evidence and of the answers on LoCoMo, beside plain searches of the same turns."""
    _run_evidence("locomo", data, limit=limit, exclude=exclude, models=models, folder=folder)


@app.command("realtalk")
def eval_realtalk(
    *,
    data: Annotated[Path, typer.Option(help="a folder of REALTALK's chats")],
    limit: _Limit = None,
    exclude: _Exclude = None,
    models: _Models = MODELS,
    folder: RunFolder = None,
) -> None:
    """Measure the same on REALTALK: chats of real people."""
    _run_evidence("realtalk", data, limit=limit, exclude=exclude, models=models, folder=folder)


@app.command("beam")
def eval_beam(
    *,
    data: Annotated[Path, typer.Option(help="a folder of BEAM's chats, at any depth")],
    size: _Size = None,
    limit: _Limit = None,
    exclude: _Exclude = None,
    models: _Models = MODELS,
    folder: RunFolder = None,
) -> None:
    """Measure the same on BEAM: chats of a user and an assistant over months, ten kinds of questions."""
    _run_evidence("beam", data, size=size, limit=limit, exclude=exclude, models=models, folder=folder)


@app.command("longmemeval-evidence")
def eval_longmemeval_evidence(
    *,
    data: Annotated[Path, typer.Option(help="an official LongMemEval file (JSON, or .xz of it)")],
    exclude: _Exclude = None,
    models: _Models = MODELS,
    folder: RunFolder = None,
) -> None:
    """Measure the same on LongMemEval; where turns have no labels, sessions count."""
    _run_evidence("longmemeval", data, exclude=exclude, models=models, folder=folder)


@app.command("plain-facts")
def eval_plain_facts(*, limit: _Limit = None, models: _Models = MODELS, folder: RunFolder = None) -> None:
    """Measure the same on sentences of one fact each, made by us in eleven languages; needs no file."""
    _run_evidence("plain-facts", _GENERATED, limit=limit, models=models, folder=folder)


@app.command("recall-ablation")
def eval_recall_ablation(
    *,
    name: Annotated[SetName, typer.Option("--set", help="the set that is fitted on and judged, each part unseen")],
    data: Annotated[Path | None, typer.Option(help="its file or folder; plain facts have none")] = None,
    size: _Size = None,
    budget: EvalBudget = 165,
    limit: _Limit = None,
    exclude: _Exclude = None,
    folder: RunFolder = None,
) -> None:
    """Switch every part of recall off, one at a time: what each is worth on conversations that the fit never saw."""
    if data is None and name != "plain-facts":
        raise typer.BadParameter(f"{name} is read from a file or folder: --data")
    run_in_folder(
        lambda settings, encoder: RecallAblation(
            settings=settings, encoder=encoder, set=name, path=data or _GENERATED, size=size, budget=budget, limit=limit,
            exclude=ids_in(exclude),
        ),
        folder=folder,
    )  # fmt: skip


def _run_evidence(
    name: SetName,
    data: Path,
    *,
    size: str | None = None,
    limit: int | None = None,
    exclude: Path | None = None,
    models: Path,
    folder: Path | None,
) -> None:
    run_in_folder(
        lambda settings, encoder: EvidenceBenchmark(
            settings=settings, encoder=encoder, set=name, path=data, size=size, limit=limit, exclude=ids_in(exclude),
            recall_models=models,
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
