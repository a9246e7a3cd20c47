"""Beside the official programs: our RULER data as files for them, and SWE-bench's own harness over our predictions."""

from pathlib import Path
from typing import Annotated, Any

import typer

from eval.commands.application import app, opened, user_faults
from eval.commands.derived import options_of, with_options
from eval.long_context.ruler import Ruler, RulerOptions
from eval.swe_bench.harness import missing, run_harness
from tirtha.cli.running import err, out

__all__: list[str] = []


def _ruler_data(
    *, to: Annotated[Path, typer.Option("--to", help="the folder that they are written to")], **given: Any
) -> None:
    with opened() as (settings, encoder):
        ruler = Ruler(options=options_of(RulerOptions, given, {}), settings=settings, encoder=encoder)
        for file in ruler.export(to):
            out.print(str(file), highlight=False, soft_wrap=True)


app.command("ruler-data", help="Write the data of `ruler` as files in the official format, and run nothing.")(
    with_options(_ruler_data, RulerOptions, without=["official", "budget", "raw_window"])
)


@app.command("swe-harness")
def eval_swe_harness(
    predictions: Annotated[
        Path | None, typer.Argument(help="predictions to score; none: only say what is missing")
    ] = None,
    *,
    python: Annotated[Path, typer.Option(help="the python of an environment with swebench")] = Path(
        "swebench/bin/python"
    ),
    dataset: Annotated[str, typer.Option(help="as the harness calls it")] = "princeton-nlp/SWE-bench_Verified",
    workers: Annotated[int, typer.Option(min=1, help="images at a time")] = 4,
) -> None:
    """Score predictions with the official harness, after a gold patch has resolved; or say what it lacks here."""
    lacking = missing(python, folder=Path.cwd())
    for one in lacking:
        err.print(f"missing: {one}", markup=False, soft_wrap=True)
    if lacking:
        err.print("Not run: there is no score.")
        raise typer.Exit(1)
    if predictions is None:
        out.print("The harness can run here.")
        return
    with user_faults():
        found = run_harness(python, predictions, dataset=dataset, folder=Path.cwd(), workers=workers)
    out.print(f"resolved {found.resolved} of {found.n}: {found.report}", soft_wrap=True)
