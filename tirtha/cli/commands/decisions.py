"""Commands over decisions: stats, feedback, certify, replay."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.table import Table

from tirtha.cli.client import in_path, post, print_answer, request
from tirtha.cli.connection import ShownKey
from tirtha.cli.running import err, out, print_lines, read_settings, run, run_here
from tirtha.terminal import one_entry

if TYPE_CHECKING:
    from cascade.certificate import Certificate

__all__ = ["app"]

app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="print the response as JSON")]


@app.command()
def stats(as_json: AsJson = False, _key: ShownKey = None) -> None:
    """Show where questions ended, what they cost, and what the frontier tier would have cost."""
    answer = run(request("GET", "/v1/stats", {}))
    if as_json:
        print_answer(answer, as_json, "")
        return
    table = Table("path", "requests", "share", "cost, US$", "p50 ms", "p95 ms", title=f"{answer['n']} requests")
    for one in answer["paths"]:
        times = (str(one["latency_p50_ms"]), str(one["latency_p95_ms"]))
        table.add_row(one["path"], str(one["n"]), f"{one['share']:.1%}", one["cost_usd"], *times)
    table.caption = f"{answer['first_at'] or '-'} to {answer['last_at'] or '-'}; in all US$ {answer['cost_usd']}"
    out.print(table)
    if answer["cost_ratio"]:
        out.print(
            f"{answer['compared']} requests cost US$ {answer['compared_usd']}; the same prompts and answers at the frontier's "
            f"prices: US$ {answer['frontier_usd']} ({answer['cost_ratio']:.1f}x)."
        )
    if answer["shadows"]:
        out.print(f"{answer['shadows_agreeing']} of {answer['shadows']} shadow answers of the frontier tier agree.")


@app.command()
def feedback(
    decision_id: Annotated[str, typer.Argument(help="the decision")],
    word: Annotated[Literal["right", "wrong"], typer.Argument(help="what its answer was")],
    *,
    as_json: AsJson = False,
) -> None:
    """Say whether an answer was right; certificates are made from that. The last word counts."""
    path = f"/v1/decisions/{in_path(decision_id)}/feedback"
    answer = run(post(path, {"correct": word == "right"}))
    print_answer(answer, as_json, f"The answer of decision {answer['decision_id']} counts as {word}.")


@app.command()
def certify(
    labels: Annotated[
        Path | None,
        typer.Argument(
            exists=True,
            dir_okay=False,
            help='JSON lines: {"decision_id": "...", "correct": true}',
            show_default="what `tirtha feedback` said",
        ),
    ] = None,
    *,
    risk: Annotated[
        float, typer.Option(min=0.0001, max=0.5, help="share of accepted answers that may be wrong")
    ] = 0.05,
    to: Annotated[Path, typer.Option(dir_okay=False, help="where the certificate is written")] = Path(
        "certificate.json"
    ),
    _key: ShownKey = None,
) -> None:
    """Certify a threshold for the local tier from labelled decisions, with 95% confidence."""
    from tirtha.maintenance.certify import certify_feedback, certify_labels  # noqa: PLC0415 - the engine is slow to import

    async def decision(decision_id: str) -> dict[str, Any]:
        return await request("GET", f"/v1/decisions/{in_path(decision_id)}", {})

    async def certified() -> "tuple[Certificate, int]":
        if labels is not None:
            made, left_out = await certify_labels(labels.read_bytes(), decision, risk=risk), 0
        else:
            made, left_out = await certify_feedback(await _all_feedback(), decision, risk=risk)
        to.write_bytes(made.as_json())
        return made, left_out

    made, left_out = run_here(certified())
    if left_out:
        err.print(f"{left_out} judged answers were made with other prompts, guards or models, and left out.")
    out.print(
        f"From a score of {made.threshold:.3f} on, {made.wrong} of {made.accepted} answers were wrong: at most "
        f"{made.bound:.2%}, with 95% confidence. Written to {to}; set TIRTHA_CERTIFICATE to it."
    )


async def _all_feedback() -> list[dict[str, Any]]:
    """List what was said of answers, page by page."""
    said: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 1_000}
    while True:
        page = await request("GET", "/v1/feedback", query)
        said += page["feedback"]
        if page["next"] is None:
            return said
        query["cursor"] = page["next"]


@app.command()
def replay(
    decision_id: Annotated[str, typer.Argument(help="the decision")],
    *,
    recordings: Annotated[Path, typer.Option(exists=True, help="the folder that TIRTHA_RECORD_TO named")],
) -> None:
    """Decide a question again on recorded calls, and say what differs. Calls no model."""
    from tirtha.maintenance.replay import replay_decision  # noqa: PLC0415 - the engine is slow to import

    replayed = run_here(replay_decision(read_settings(), decision_id, recordings))
    again = replayed.again
    print_lines(out, one_entry(f"{again.path}: {again.answer}"))
    if replayed.differs:
        err.print(f"Different from the record: {', '.join(replayed.differs)}.")
        raise typer.Exit(1)
    out.print("The same as the record, but for ids and times.")
