"""Fitting recall's weights for the configured encoder, or for another one."""

import json
from contextlib import closing
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.progress import Progress

from eval.commands.application import app, user_faults
from eval.harness.embedding_cache import CachedEncoder
from eval.training.reranker import fit_recall
from eval.training.sets import read_sets
from tirtha.cli.running import err, out, read_settings

__all__: list[str] = []

_SetName = Literal["beam", "dialogues", "transcripts", "plain-facts", "locomo", "realtalk"]


@app.command("fit")
def eval_fit(
    *,
    to: Annotated[Path, typer.Option("--to", help="the folder that the weights go to, for the setting recall_models")],
    data: Annotated[
        Path | None, typer.Option("--data", help="a folder with BEAM's chats, in 100K; none: our own three sets alone")
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option("--encoder", help="a sentence-transformers model; default: the setting embedding_model"),
    ] = None,
    locomo: Annotated[Path | None, typer.Option(help="a LoCoMo file: such weights may not be shipped")] = None,
    realtalk: Annotated[Path | None, typer.Option(help="REALTALK's chats: such weights may not be shipped")] = None,
    leave_out: Annotated[_SetName | None, typer.Option(help="a set to fit without, to judge by it")] = None,
) -> None:
    """Fit recall's weights for an encoder, and print how they do on conversations that the fit did not see."""
    settings = read_settings()
    with user_faults():
        found = read_sets(beam=data, locomo=locomo, realtalk=realtalk)
        sets = {name: conversations for name, conversations in found.items() if name != leave_out}
        kept = settings.folder / "eval" / "embeddings.sqlite3"
        with (
            closing(CachedEncoder(kept, encoder or settings.embedding_model)) as vectors,
            Progress(console=err) as progress,
        ):
            unseen = fit_recall(sets, vectors, to=to, progress=progress)
    out.print_json(json.dumps(unseen))
