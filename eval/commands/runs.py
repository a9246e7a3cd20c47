"""Commands over runs: list them, compare them, report one again, a small run of everything, and what answers have cost so far."""

from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from eval.answers.drafts import drafts_of, write_drafts
from eval.commands.application import RunFolder, app, opened, user_faults
from eval.cost import cost_tables
from eval.harness.report import for_console
from eval.harness.runs import RunOptions, list_runs, run_benchmark, write_report
from eval.suite import benchmark_of, compare, list_table, smoke_parts
from tirtha.cli.running import err, out, read_settings, run_here
from tirtha.settings import Settings

__all__: list[str] = []


@app.command("list")
def eval_list() -> None:
    """List the runs in the data folder."""
    out.print(for_console(list_table(list_runs(read_settings().folder / "eval" / "runs"))))


@app.command("compare")
def eval_compare(
    runs: Annotated[list[Path], typer.Argument(help="run folders, or their names in the data folder; two or more")],
) -> None:
    """Compare runs of one benchmark, sample by sample: paired differences with bootstrap intervals."""
    if len(runs) < 2:
        raise typer.BadParameter("two runs, or more, are compared")
    with opened() as (settings, encoder):
        for table in compare([_found(one, settings) for one in runs], settings=settings, encoder=encoder):
            out.print(for_console(table))


@app.command("report")
def eval_report(run: Annotated[Path, typer.Argument(help="a run folder, or its name in the data folder")]) -> None:
    """Write a run's summary and reports again, from its samples alone."""
    with opened() as (settings, encoder):
        folder = _found(run, settings)
        report = write_report(benchmark_of(folder, settings=settings, encoder=encoder), folder)
    for table in report.tables:
        out.print(for_console(table))


@app.command("labelled-drafts")
def eval_labelled_drafts(
    runs: Annotated[list[Path], typer.Argument(help="folders of runs of answers, or their names in the data folder")],
    *,
    to: Annotated[Path, typer.Option(dir_okay=False, help="where the lines are written")] = Path("drafts.jsonl"),
) -> None:
    """Write every draft of runs as a line: what the guards said, and whether it would have been right. No text is in it."""
    settings = read_settings()
    with user_faults():
        lines = drafts_of([_found(one, settings) for one in runs])
        written = write_drafts(lines, to)
    right = sum(line["right"] for line in lines)
    out.print(f"{written} drafts, {right} of them right, are in {to}", highlight=False, soft_wrap=True)


@app.command("smoke")
def eval_smoke(
    *,
    data: Annotated[Path | None, typer.Option(help="a folder with LoCoMo, LongMemEval and HumanEval+ files")] = None,
    folder: RunFolder = None,
) -> None:
    """Run a small piece of every benchmark that needs no model; what needs a file that is not there says so."""
    began_s = perf_counter()
    with opened() as (settings, encoder):
        for part in smoke_parts(settings, encoder, data):
            if part.benchmark is None:
                err.print(f"{part.name}: not run, {part.missing}", markup=False)
                continue
            options = RunOptions(folder=folder / part.name if folder else None, at_once=part.at_once)
            run = run_here(run_benchmark(part.name, part.benchmark, options=options, console=err))
            for table in run.report.tables:
                out.print(for_console(table))
    err.print(f"{perf_counter() - began_s:.0f} s in all")


@app.command("cost")
def eval_cost(
    tenant: Annotated[str, typer.Option(help="whose decisions")] = "default",
) -> None:
    """Say what answering has cost, from the decision records: by where answers came from, and by tier."""
    for table in run_here(cost_tables(read_settings(), tenant=tenant)):
        out.print(for_console(table))


def _found(run: Path, settings: Settings) -> Path:
    """Find a run by its folder, or by its name in the data folder."""
    own = settings.folder / "eval" / "runs" / run
    return own if not run.exists() and own.exists() else run
