"""A command for every benchmark of the suite; its options are the fields of the benchmark's options."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from eval.commands.application import RunFolder, app, opened
from eval.commands.derived import options_of, with_options
from eval.harness.report import for_console
from eval.harness.runs import RunOptions, run_benchmark
from eval.suite import BENCHMARKS, Entry
from tirtha.cli.running import err, out, run_here

__all__: list[str] = []

_MaxCost = Annotated[
    float | None, typer.Option("--max-cost", min=0, help="US dollars after which nothing more is begun")
]
_AtOnce = Annotated[int, typer.Option("--at-once", min=1, help="samples at a time")]


def _command(name: str, entry: Entry[Any]) -> Callable[..., None]:
    def run(
        *, folder: RunFolder = None, max_cost: _MaxCost = None, at_once: _AtOnce = entry.at_once or 1, **given: Any
    ) -> None:
        options = options_of(entry.options, given, entry.fixed)
        how = RunOptions(folder=folder, max_cost_usd=max_cost, at_once=at_once)
        with opened() as (settings, encoder):
            benchmark = entry.make(options=options, settings=settings, encoder=encoder)
            report = run_here(run_benchmark(name, benchmark, options=how, console=err)).report
        for note in report.notes:
            out.print(note, style="yellow")
        for table in report.tables:
            out.print(for_console(table))

    needless = ["max_cost"] * (not entry.paid) + ["at_once"] * (entry.at_once is None)
    return with_options(run, entry.options, without=[*entry.fixed, *needless], data=entry.data)


for _name, _entry in BENCHMARKS.items():
    app.command(_name, help=_entry.help)(_command(_name, _entry))
