"""Commands of an operator: doctor, reindex."""

import typer
from rich.progress import Progress
from rich.table import Table

from tirtha import __version__
from tirtha.cli.running import err, out, read_settings, run_here

__all__ = ["app"]

app = typer.Typer()


@app.command()
def doctor() -> None:
    """Say what is configured, what works, and what to do about what does not."""
    from tirtha.maintenance.doctor import examine  # noqa: PLC0415 - the engine is slow to import

    settings = read_settings()
    configured = Table("setting", "value", title=f"Tirtha {__version__}")
    for name, value in settings:
        configured.add_row(name, str(value))
    findings = run_here(examine(settings))
    found = Table("check", "works", "seen")
    for finding in findings:
        found.add_row(finding.check, "yes" if finding.works else "NO", finding.seen)
    out.print(configured, found)
    if not all(finding.works for finding in findings):
        raise typer.Exit(1)


@app.command()
def reindex() -> None:
    """Rebuild the index from the stored turns, for instance after another embedding model was configured."""
    from tirtha.maintenance.reindex import reindex_all  # noqa: PLC0415 - the engine is slow to import

    with Progress(console=err) as progress:
        task = progress.add_task("Indexing", total=None)
        turns = run_here(
            reindex_all(
                read_settings(),
                lambda counts: progress.update(task, completed=counts.turns - counts.waiting, total=counts.turns),
            )
        )
    out.print(f"Indexed {turns:,} turns anew.")
