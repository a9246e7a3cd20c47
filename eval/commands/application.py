"""The application that the commands hang on, and what they open first."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from eval.errors import Unusable
from eval.harness.embedding_cache import CachedEncoder
from memory.encoding.encoder import Encoder
from memory.errors import ModelUnusable
from tirtha.cli.running import give_up, read_settings
from tirtha.settings import Settings

__all__ = ["RunFolder", "app", "opened", "user_faults"]

app = typer.Typer(no_args_is_help=True, help="Benchmarks.")
RunFolder = Annotated[
    Path | None,
    typer.Option("--run", help="the run's folder; an unfinished run there goes on (default: found or made)"),
]


@contextmanager
def user_faults() -> Iterator[None]:
    """End the command with a line where a file, an option or a model is at fault. What is ours ends it with its traceback."""
    try:
        yield
    except (OSError, Unusable, ModelUnusable) as fault:
        give_up(fault)


@contextmanager
def opened() -> Iterator[tuple[Settings, Encoder]]:
    """Open the settings and the encoder, whose embeddings are kept between runs, under `user_faults`."""
    settings = read_settings()
    kept = settings.folder / "eval" / "embeddings.sqlite3"
    with user_faults(), closing(CachedEncoder(kept, settings.embedding_model)) as encoder:
        yield settings, encoder
