"""What the benchmarks' commands share: the application they hang on, their options, and running one in a run folder."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import typer

from eval.harness.embedding_cache import CachedEncoder
from eval.harness.report import for_console
from eval.harness.runs import Benchmark, Options, run_benchmark
from memory.encoding.encoder import BUNDLED_MODEL, Encoder
from tirtha.cli.running import err, out, read_settings, run_here
from tirtha.settings import Settings

__all__ = [
    "AtOnce",
    "EvalBudget",
    "Haystack",
    "Judge",
    "Lengths",
    "MaxCost",
    "Pristine",
    "RawWindow",
    "RunFolder",
    "app",
    "ids_in",
    "numbers",
    "run_in_folder",
    "with_encoder",
]

T = TypeVar("T")
app = typer.Typer(no_args_is_help=True, help="Benchmarks.")

EvalBudget = Annotated[int, typer.Option("--budget", min=1, help="tokens of a context")]
RunFolder = Annotated[
    Path | None,
    typer.Option("--run", help="the run's folder; an unfinished run there goes on (default: found or made)"),
]
MaxCost = Annotated[
    float | None, typer.Option("--max-cost", min=0, help="US dollars after which nothing more is begun")
]
AtOnce = Annotated[int, typer.Option("--at-once", min=1, help="samples at a time")]
Judge = Annotated[
    Literal["local", "frontier"] | None, typer.Option("--judge", help="the tier whose model judges the answers")
]
Lengths = Annotated[str, typer.Option("--lengths", help="tokens of the histories, separated by commas")]
Haystack = Annotated[Path | None, typer.Option("--haystack", help="a text to hide things in; default: made by us")]
RawWindow = Annotated[
    int, typer.Option("--raw-window", min=1, help="window assumed for raw prompts where no model is configured")
]
Pristine = Annotated[
    bool,
    typer.Option("--pristine/--cached", help="whether the answer cache is empty and passed by; the report proves it"),
]


def run_in_folder(
    make: Callable[[Settings, Encoder], Benchmark],
    *,
    folder: Path | None,
    max_cost: float | None = None,
    at_once: int = 1,
) -> None:
    """Run a benchmark in a run folder and print its tables; embeddings are kept between runs."""
    settings = read_settings()
    with closing(CachedEncoder(settings.folder / "eval" / "embeddings.sqlite3", settings.embedding_model)) as encoder:
        options = Options(folder=folder, max_cost_usd=max_cost, at_once=at_once)
        run = run_here(run_benchmark(make(settings, encoder), settings=settings, options=options, console=err))
    for note in run.report.notes:
        out.print(note, style="yellow")
    for table in run.report.tables:
        out.print(for_console(table))


def with_encoder(make: Callable[[Settings, Encoder], T]) -> T:
    """Make something that needs the settings and the embedding model, outside of a run."""
    settings = read_settings()
    return make(settings, Encoder(settings.embedding_model or BUNDLED_MODEL))


def ids_in(file: Path | None) -> frozenset[str]:
    """Return the ids that stand in a file, one a line; none without a file. Raises OSError."""
    return frozenset(file.read_text("utf-8").split()) if file else frozenset()


def numbers(told: str) -> tuple[int, ...]:
    """Read numbers separated by commas; underscores are allowed in them."""
    try:
        return tuple(int(one) for one in told.split(","))
    except ValueError:
        raise typer.BadParameter(f"{told!r} is not a list of whole numbers") from None
