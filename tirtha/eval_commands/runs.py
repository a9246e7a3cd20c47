"""Commands over runs: list them, compare them, report one again, a small run of everything, and what answers have cost so far."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from tirtha.eval_commands.options import RunFolder, eval_app
from tirtha.running import err, give_up, out, read_settings, run_here

if TYPE_CHECKING:
    from memory.encoder import Encoder
    from tirtha.settings import Settings

__all__: list[str] = []


@eval_app.command("list")
def eval_list() -> None:
    """List the runs in the data folder."""
    from eval.report import for_console  # noqa: PLC0415 - only the eval commands may see the benchmarks
    from eval.runs import list_runs  # noqa: PLC0415
    from eval.suite import list_table  # noqa: PLC0415

    out.print(for_console(list_table(list_runs(read_settings().folder / "eval" / "runs"))))


@eval_app.command("compare")
def eval_compare(
    runs: Annotated[list[Path], typer.Argument(help="run folders, or their names in the data folder; two or more")],
) -> None:
    """Compare runs of one benchmark, sample by sample: paired differences with bootstrap intervals."""
    from eval.report import for_console  # noqa: PLC0415
    from eval.suite import compare  # noqa: PLC0415

    if len(runs) < 2:
        raise typer.BadParameter("two runs, or more, are compared")
    with _opened() as (settings, encoder):
        for table in compare([_found(one, settings) for one in runs], settings=settings, encoder=encoder):
            out.print(for_console(table))


@eval_app.command("report")
def eval_report(run: Annotated[Path, typer.Argument(help="a run folder, or its name in the data folder")]) -> None:
    """Write a run's summary and reports again, from its samples alone."""
    from eval.report import for_console  # noqa: PLC0415
    from eval.runs import write_report  # noqa: PLC0415
    from eval.suite import benchmark_of  # noqa: PLC0415

    with _opened() as (settings, encoder):
        folder = _found(run, settings)
        report = write_report(benchmark_of(folder, settings=settings, encoder=encoder), folder)
    for table in report.tables:
        out.print(for_console(table))


@eval_app.command("smoke")
def eval_smoke(
    *,
    data: Annotated[Path | None, typer.Option(help="a folder with LoCoMo, LongMemEval and HumanEval+ files")] = None,
    folder: RunFolder = None,
) -> None:
    """Run a small piece of every benchmark that needs no model; what needs a file that is not there says so."""
    from eval.report import for_console  # noqa: PLC0415
    from eval.runs import Options, run_benchmark  # noqa: PLC0415
    from eval.suite import smoke_parts  # noqa: PLC0415

    began_s = perf_counter()
    with _opened() as (settings, encoder):
        for part in smoke_parts(settings, encoder, data):
            if part.benchmark is None:
                err.print(f"{part.name}: not run, {part.missing}", markup=False)
                continue
            options = Options(folder=folder / part.name if folder else None, at_once=part.at_once)
            run = run_here(run_benchmark(part.benchmark, settings=settings, options=options, console=err))
            for table in run.report.tables:
                out.print(for_console(table))
    err.print(f"{perf_counter() - began_s:.0f} s in all")


@eval_app.command("cost")
def eval_cost(
    tenant: Annotated[str, typer.Option(help="whose decisions")] = "default",
) -> None:
    """Say what answering has cost, from the decision records: by where answers came from, and by tier."""
    from eval.cost import cost_tables  # noqa: PLC0415
    from eval.report import for_console  # noqa: PLC0415

    for table in run_here(cost_tables(read_settings(), tenant=tenant)):
        out.print(for_console(table))


@contextmanager
def _opened() -> "Iterator[tuple[Settings, Encoder]]":
    from eval.embedding_cache import CachedEncoder  # noqa: PLC0415

    settings = read_settings()
    with closing(CachedEncoder(settings.folder / "eval" / "embeddings.sqlite3", settings.embedding_model)) as encoder:
        try:
            yield settings, encoder
        except (OSError, ValueError) as fault:
            give_up(fault)


def _found(run: Path, settings: "Settings") -> Path:
    """Find a run by its folder, or by its name in the data folder."""
    own = settings.folder / "eval" / "runs" / run
    return own if not run.exists() and own.exists() else run
