"""Commands of an operator: audit, doctor, reindex."""

from typing import Annotated, Any

import typer
from rich.progress import Progress
from rich.table import Table

from tirtha import __version__
from tirtha.cli.client import print_answer, request
from tirtha.cli.running import err, given, out, read_settings, run, run_here
from tirtha.terminal import one_entry

__all__ = ["app"]

app = typer.Typer()


@app.command()
def audit(
    *,
    user: Annotated[str | None, typer.Option("--user", "-u", help="only of this user, forgotten ones too")] = None,
    what: Annotated[str | None, typer.Option(help="only this kind: remember, forget.user, key.created ...")] = None,
    since: Annotated[str | None, typer.Option(help="from this moment on, such as 2026-05-08T00:00:00Z")] = None,
    until: Annotated[str | None, typer.Option(help="before this moment")] = None,
    limit: Annotated[int, typer.Option(help="entries")] = 100,
    cursor: Annotated[str | None, typer.Option(help="where the page before ended")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the response as JSON")] = False,
) -> None:
    """List who changed what, and when, the newest first."""
    query = given(user_id=user, what=what, since=since, until=until, limit=limit, cursor=cursor)
    answer = run(request("GET", "/v1/audit", query))
    rows = [_entry(entry) for entry in answer["entries"]]
    if answer["next"]:
        rows.append(f"There are more: --cursor {answer['next']}")
    print_answer(answer, as_json, "\n".join(map(one_entry, rows)) or "Nothing is noted.")


def _entry(entry: dict[str, Any]) -> str:
    forgotten = f"forgotten user {entry['user_hash'][:12]}" if entry["user_hash"] else None
    whose = entry["user_id"] or forgotten or f"tenant {entry['tenant']}"
    agent = f" (agent {entry['agent_id']})" if entry["agent_id"] else ""
    by = f"key {entry['key_id']}" if entry["key_id"] else "no key"
    return f"{entry['at']}  {entry['what']}  {entry['count']}  {whose}{agent}  by {by}  request {entry['request_id'] or '-'}"


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
