"""The application that the commands hang on, and what they open first."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from eval.harness.embedding_cache import CachedEncoder
from memory.encoding.encoder import Encoder
from tirtha.cli.running import give_up, read_settings
from tirtha.settings import Settings

__all__ = ["RunFolder", "app", "opened"]

app = typer.Typer(no_args_is_help=True, help="Benchmarks.")
RunFolder = Annotated[
    Path | None,
    typer.Option("--run", help="the run's folder; an unfinished run there goes on (default: found or made)"),
]


@contextmanager
def opened() -> Iterator[tuple[Settings, Encoder]]:
    """Open the settings and the encoder, whose embeddings are kept between runs; faults of files and values end the command."""
    settings = read_settings()
    with closing(CachedEncoder(settings.folder / "eval" / "embeddings.sqlite3", settings.embedding_model)) as encoder:
        try:
            yield settings, encoder
        except (OSError, ValueError) as fault:
            give_up(fault)
