"""The command line: thin shells over the HTTP contract, the server, the demo, the doctor and the benchmarks."""

import json
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import typer
from rich.progress import Progress, TaskID
from rich.progress import open as progress_open
from rich.table import Table

from tirtha import __version__
from tirtha.connection import connect
from tirtha.errors import Shadowed
from tirtha.eval_commands import eval_app
from tirtha.running import CommandFailed, err, give_up, given, out, read_settings, run, run_here
from tirtha.shadows import refuse_shadows

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Long-context memory."
)
app.add_typer(eval_app, name="eval")

User = Annotated[str, typer.Option("--user", "-u", help="whose memory")]
Agent = Annotated[str | None, typer.Option("--agent", help="which agent's memory of the user")]
AsJson = Annotated[bool, typer.Option("--json", help="print the response as JSON")]
Question = Annotated[str, typer.Argument(help="the question")]
Budget = Annotated[int | None, typer.Option("--budget", help="tokens of the context")]
AskedAt = Annotated[str | None, typer.Option("--asked-at", help="ISO 8601 with a zone; default now")]


@app.callback()
def before_any_command() -> None:
    """Long-context memory: remember every turn, answer from a few cited lines."""
    try:
        refuse_shadows()
    except Shadowed as fault:
        give_up(fault)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="address to listen on")] = None,
    port: Annotated[int | None, typer.Option(help="port; 0 picks a free one and prints it")] = None,
    home: Annotated[Path | None, typer.Option(help="the data folder")] = None,
    local_url: Annotated[str | None, typer.Option(help="the local tier's OpenAI-compatible base URL")] = None,
    local_model: Annotated[str | None, typer.Option(help="its model")] = None,
    frontier_url: Annotated[str | None, typer.Option(help="the frontier tier's base URL")] = None,
    frontier_model: Annotated[str | None, typer.Option(help="its model")] = None,
) -> None:
    """Serve the HTTP API."""
    from tirtha.serving import serve as run_server  # noqa: PLC0415 - the engine is slow to import

    tiers = {
        "local": given(url=local_url, model=local_model) or None,
        "frontier": given(url=frontier_url, model=frontier_model) or None,
    }
    run_here(run_server(read_settings(host=host, port=port, home=home, **tiers)))


@app.command()
def demo() -> None:
    """Remember a sample history and answer questions over it."""
    from tirtha.demo import run_demo  # noqa: PLC0415 - the engine is slow to import

    run_here(run_demo(read_settings(), out))


@app.command()
def remember(
    text: Annotated[str | None, typer.Argument(help="what was said; leave out with --file")] = None,
    *,
    user: User,
    agent: Agent = None,
    session: Annotated[str | None, typer.Option("--session", "-s", help="the conversation; default a new one")] = None,
    role: Annotated[str, typer.Option(help="user, assistant, system or tool")] = "user",
    speaker: Annotated[str | None, typer.Option(help="the speaker's name")] = None,
    said_at: Annotated[str | None, typer.Option("--said-at", help="ISO 8601 with a zone; default now")] = None,
    file: Annotated[Path | None, typer.Option(help="NDJSON, one turn a line; fields as in docs/http.md")] = None,
    as_json: AsJson = False,
) -> None:
    """Remember one turn, or a file of turns."""
    if (text is None) == (file is None):
        raise typer.BadParameter("give either a text or --file")
    if file is not None:
        run(_remember_file(file, user, agent, as_json))
        return
    turn = given(role=role, speaker=speaker, text=text, said_at=said_at)
    body = given(user_id=user, agent_id=agent, session_id=session) | {"turns": [turn]}
    answer = run(_post("/v1/remember", body))
    _print(answer, as_json, f"Remembered in session {answer['session_id']} as turn {answer['turns'][0]['id']}.")


@app.command()
def context(
    question: Question,
    *,
    user: User,
    agent: Agent = None,
    budget: Budget = None,
    asked_at: AskedAt = None,
    as_json: AsJson = False,
) -> None:
    """Show the context that a solver would get."""
    body = given(user_id=user, agent_id=agent, question=question, budget=budget, asked_at=asked_at)
    answer = run(_post("/v1/context", body))
    summary = f"\n{answer['tokens']} of {answer['budget']} tokens, answerable {answer['answerable']:.2f}"
    _print(answer, as_json, (answer["text"] or "Nothing is remembered on that.") + summary)


@app.command()
def ask(
    question: Question,
    *,
    user: User,
    agent: Agent = None,
    budget: Budget = None,
    asked_at: AskedAt = None,
    as_json: AsJson = False,
) -> None:
    """Answer a question from memory."""
    body = given(user_id=user, agent_id=agent, question=question, budget=budget, asked_at=asked_at)
    answer = run(_post("/v1/ask", body))
    cited = "".join(f"\n  {one['turn_id']} ({one['session_id']}): {one['quote']}" for one in answer["citations"])
    _print(answer, as_json, answer["answer"] + cited)


@app.command()
def recall(
    question: Question,
    *,
    user: User,
    agent: Agent = None,
    limit: Annotated[int, typer.Option(help="turns")] = 10,
    asked_at: AskedAt = None,
    as_json: AsJson = False,
) -> None:
    """List the turns that say most on a question."""
    body = given(user_id=user, agent_id=agent, question=question, limit=limit, asked_at=asked_at)
    answer = run(_post("/v1/recall", body))
    rows = [f"{one['score']:6.3f}  {one['turn_id']}  {one['speaker']}: {one['text']}" for one in answer["evidence"]]
    _print(answer, as_json, "\n".join(rows) or "Nothing is remembered on that.")


@app.command()
def forget(
    *,
    user: User,
    agent: Agent = None,
    session: Annotated[str | None, typer.Option("--session", "-s", help="only this conversation")] = None,
    turn: Annotated[str | None, typer.Option(help="only this turn of the conversation")] = None,
    everything: Annotated[bool, typer.Option("--everything", help="all that is remembered of the user")] = False,
    as_json: AsJson = False,
) -> None:
    """Forget a turn, a conversation or a user, with every copy in answers and decision records."""
    if everything == (session is not None) or (turn is not None and session is None):
        raise typer.BadParameter("give --session, --session with --turn, or --everything")
    path, query = f"/v1/users/{quote(user, safe='')}", given(agent_id=agent)
    if session is not None:
        path, query = f"/v1/sessions/{quote(session, safe='')}", given(user_id=user, agent_id=agent)
    if turn is not None:
        path, query = f"/v1/memories/{quote(turn, safe='')}", query | {"session_id": session}
    answer = run(_request("DELETE", path, query))
    told = f"Forgot {answer['turns']} turns of {answer['sessions']} sessions; emptied {answer['decisions']} decision records."
    _print(answer, as_json, told)


@app.command()
def stats(as_json: AsJson = False) -> None:
    """Show where questions ended, what they cost, and what the frontier tier would have cost."""
    answer = run(_request("GET", "/v1/stats", {}))
    if as_json:
        _print(answer, as_json, "")
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
def certify(
    labels: Annotated[Path, typer.Argument(help='JSON lines: {"decision_id": "...", "correct": true}')],
    *,
    risk: Annotated[
        float, typer.Option(min=0.0001, max=0.5, help="share of accepted answers that may be wrong")
    ] = 0.05,
    to: Annotated[Path, typer.Option(help="where the certificate is written")] = Path("certificate.json"),
) -> None:
    """Certify a threshold for the local tier from labelled decisions, with 95% confidence."""
    from tirtha.certifying import certify_labels  # noqa: PLC0415 - the engine is slow to import

    async def decision(decision_id: str) -> dict[str, Any]:
        return await _request("GET", f"/v1/decisions/{quote(decision_id, safe='')}", {})

    made = run_here(certify_labels(labels.read_bytes(), decision, risk=risk))
    to.write_bytes(made.as_json())
    out.print(
        f"From a weakest score of {made.threshold:.3f} on, {made.wrong} of {made.accepted} answers were wrong: at most "
        f"{made.bound:.2%}, with 95% confidence. Written to {to}; set TIRTHA_CERTIFICATE to it."
    )


@app.command()
def replay(
    decision_id: Annotated[str, typer.Argument(help="the decision")],
    *,
    recordings: Annotated[Path, typer.Option(help="the folder that TIRTHA_RECORD_TO named")],
) -> None:
    """Decide a question again on recorded calls, and say what differs. Calls no model."""
    from tirtha.replaying import replay_decision  # noqa: PLC0415 - the engine is slow to import

    replayed = run_here(replay_decision(read_settings(), decision_id, recordings, tenant="default"))
    again = replayed.again
    out.print(f"{again.path}: {again.answer}", markup=False, highlight=False)
    if replayed.differs:
        err.print(f"Different from the record: {', '.join(replayed.differs)}.")
        raise typer.Exit(1)
    out.print("The same as the record, but for ids and times.")


@app.command()
def doctor() -> None:
    """Say what is configured, what works, and what to do about what does not."""
    from tirtha.doctor import examine  # noqa: PLC0415 - the engine is slow to import

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
    from memory.memory import rebuild_index  # noqa: PLC0415 - the engine is slow to import
    from tirtha.service import memory_settings  # noqa: PLC0415

    with Progress(console=err) as progress:
        show = partial(_show_progress, progress, progress.add_task("Indexing", total=None))
        turns = run_here(rebuild_index(memory_settings(read_settings()), show))
    out.print(f"Indexed {turns:,} turns anew.")


def _show_progress(progress: Progress, task: TaskID, done: int, total: int) -> None:
    progress.update(task, completed=done, total=total)


async def _request(method: str, path: str, query: dict[str, Any]) -> dict[str, Any]:
    async with connect(read_settings()) as client:
        return _checked(await client.request(method, path, params=query))


async def _post(path: str, body: dict[str, Any]) -> dict[str, Any]:
    async with connect(read_settings()) as client:
        return _checked(await client.post(path, json=body))


async def _remember_file(file: Path, user: str, agent: str | None, as_json: bool) -> None:
    owner = given(user_id=user, agent_id=agent)

    async def lines() -> Any:
        with progress_open(file, "rt", encoding="utf-8", description="Remembering", console=err) as turns:
            for number, line in enumerate(turns, 1):
                # A blank line is sent as one, so that the server counts the lines of the file.
                yield (json.dumps(owner | _object(line, number)) + "\n").encode() if line.strip() else b"\n"

    async with connect(read_settings()) as client:
        headers = {"content-type": "application/x-ndjson"}
        answer = _checked(await client.post("/v1/remember", content=lines(), headers=headers))
    rejected = "".join(f"\n  line {one['line']}: {one['at']} {one['why']}" for one in answer["rejected"])
    summary = f"{answer['stored']} stored, {answer['duplicates']} known already, {answer['rejected_lines']} rejected"
    _print(answer, as_json, summary + rejected)


def _object(line: str, number: int) -> dict[str, Any]:
    try:
        read = json.loads(line)
    except json.JSONDecodeError as fault:
        raise CommandFailed(f"line {number} is no JSON: {fault}") from fault
    if not isinstance(read, dict):
        raise CommandFailed(f"line {number} is no JSON object")
    return read


def _checked(response: httpx.Response) -> dict[str, Any]:
    answer: dict[str, Any] = response.json()
    if response.is_error:
        raise CommandFailed(answer["detail"])
    return answer


def _print(answer: dict[str, Any], as_json: bool, text: str) -> None:
    shown = json.dumps(answer, indent=2, ensure_ascii=False) if as_json else text
    out.print(shown, markup=False, highlight=False, soft_wrap=True)  # a line break of ours inside JSON would break it
