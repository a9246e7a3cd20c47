"""The command line: thin shells over the HTTP contract, the server, the demo, the doctor and the benchmarks."""

import asyncio
import json
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import httpx
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.progress import open as progress_open
from rich.table import Table

from tirtha import __version__
from tirtha.connection import connect
from tirtha.errors import FaceFault, Shadowed
from tirtha.settings import Settings
from tirtha.shadows import refuse_shadows

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Long-context memory."
)
eval_app = typer.Typer(no_args_is_help=True, help="Benchmarks.")
app.add_typer(eval_app, name="eval")

T = TypeVar("T")
out = Console()
err = Console(stderr=True)

User = Annotated[str, typer.Option("--user", "-u", help="whose memory")]
Agent = Annotated[str | None, typer.Option("--agent", help="which agent's memory of the user")]
AsJson = Annotated[bool, typer.Option("--json", help="print the response as JSON")]
Question = Annotated[str, typer.Argument(help="the question")]
Budget = Annotated[int | None, typer.Option("--budget", help="tokens of the context")]
EvalBudget = Annotated[int, typer.Option("--budget", min=1, help="tokens of a context")]
Baselines = Annotated[bool, typer.Option("--baselines", help="also run what anyone can do without us")]
JsonFile = Annotated[Path | None, typer.Option("--json", help="write the results there as JSON")]
AskedAt = Annotated[str | None, typer.Option("--asked-at", help="ISO 8601 with a zone; default now")]


class CommandFailed(Exception):
    """A command cannot go on; its message says why."""


@app.callback()
def before_any_command() -> None:
    """Long-context memory: remember every turn, answer from a few cited lines."""
    try:
        refuse_shadows()
    except Shadowed as fault:
        _give_up(fault)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="address to listen on")] = None,
    port: Annotated[int | None, typer.Option(help="port; 0 picks a free one and prints it")] = None,
    home: Annotated[Path | None, typer.Option(help="the data folder")] = None,
) -> None:
    """Serve the HTTP API."""
    from tirtha.serving import serve as run_server  # noqa: PLC0415 - the engine is slow to import

    _run_here(run_server(_settings(host=host, port=port, home=home)))


@app.command()
def demo() -> None:
    """Remember a sample history and answer questions over it."""
    from tirtha.demo import run_demo  # noqa: PLC0415 - the engine is slow to import

    _run_here(run_demo(_settings(), out))


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
        _run(_remember_file(file, user, agent, as_json))
        return
    turn = _given(role=role, speaker=speaker, text=text, said_at=said_at)
    body = _given(user_id=user, agent_id=agent, session_id=session) | {"turns": [turn]}
    answer = _run(_post("/v1/remember", body))
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
    body = _given(user_id=user, agent_id=agent, question=question, budget=budget, asked_at=asked_at)
    answer = _run(_post("/v1/context", body))
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
    body = _given(user_id=user, agent_id=agent, question=question, budget=budget, asked_at=asked_at)
    answer = _run(_post("/v1/ask", body))
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
    body = _given(user_id=user, agent_id=agent, question=question, limit=limit, asked_at=asked_at)
    answer = _run(_post("/v1/recall", body))
    rows = [f"{one['score']:6.3f}  {one['turn_id']}  {one['speaker']}: {one['text']}" for one in answer["evidence"]]
    _print(answer, as_json, "\n".join(rows) or "Nothing is remembered on that.")


@app.command()
def doctor() -> None:
    """Say what is configured, what works, and what to do about what does not."""
    from tirtha.doctor import examine  # noqa: PLC0415 - the engine is slow to import

    settings = _settings()
    configured = Table("setting", "value", title=f"Tirtha {__version__}")
    for name, value in settings:
        configured.add_row(name, str(value))
    findings = _run_here(examine(settings))
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
        turns = _run_here(rebuild_index(memory_settings(_settings()), show))
    out.print(f"Indexed {turns:,} turns anew.")


@eval_app.command("locomo")
def eval_locomo(
    *,
    data: Annotated[Path, typer.Option(help="a LoCoMo file, such as locomo10.json")],
    budget: EvalBudget = 165,
    limit: Annotated[int | None, typer.Option(min=1, help="questions of each conversation")] = None,
    exclude: Annotated[Path | None, typer.Option(help="ids to leave out (label errors), one a line: conv-26:0")] = None,
    ladder: Annotated[bool, typer.Option(help="also distil to 82, 165, 330, 660 and 1,320 tokens")] = True,
    ablation: Annotated[bool, typer.Option(help="also switch every part off, on unseen conversations")] = True,
    baselines: Baselines = False,
    json_file: JsonFile = None,
) -> None:
    """Measure evidence recall and answerability on LoCoMo, and what each part of recall is worth."""
    from eval.locomo import LocomoRun, run_locomo  # noqa: PLC0415 - only the eval commands may see the benchmarks

    ids = frozenset(exclude.read_text("utf-8").split()) if exclude else frozenset()
    run = LocomoRun(budget=budget, limit=limit, exclude=ids, ladder=ladder, baselines=baselines, ablation=ablation)
    results = _run_here(run_locomo(data, settings=_settings(), run=run, console=err))
    for table in results.tables():
        out.print(table)
    if json_file:
        json_file.write_text(results.as_json())


@eval_app.command("longmemeval")
def eval_longmemeval(
    *,
    data: Annotated[Path, typer.Option(help="an official LongMemEval file (JSON, or .xz of it)")],
    budget: EvalBudget = 165,
    limit: Annotated[int | None, typer.Option(min=1, help="only the first questions")] = None,
    run: Annotated[Path | None, typer.Option(help="the run's folder; an unfinished run there goes on")] = None,
    baselines: Baselines = False,
    json_file: JsonFile = None,
) -> None:
    """Measure retrieval on LongMemEval as its paper does, and write the official hypothesis file."""
    from eval.longmemeval import LongMemEvalRun, run_longmemeval  # noqa: PLC0415 - only the eval commands may see the benchmarks

    what = LongMemEvalRun(budget=budget, limit=limit, folder=run, baselines=baselines)
    results = _run_here(run_longmemeval(data, settings=_settings(), run=what, console=err))
    for table in results.tables():
        out.print(table)
    if json_file:
        json_file.write_text(results.as_json())


def _show_progress(progress: Progress, task: TaskID, done: int, total: int) -> None:
    progress.update(task, completed=done, total=total)


async def _post(path: str, body: dict[str, Any]) -> dict[str, Any]:
    async with connect(_settings()) as client:
        return _checked(await client.post(path, json=body))


async def _remember_file(file: Path, user: str, agent: str | None, as_json: bool) -> None:
    owner = _given(user_id=user, agent_id=agent)

    async def lines() -> Any:
        with progress_open(file, "rt", encoding="utf-8", description="Remembering", console=err) as turns:
            for number, line in enumerate(turns, 1):
                # A blank line is sent as one, so that the server counts the lines of the file.
                yield (json.dumps(owner | _object(line, number)) + "\n").encode() if line.strip() else b"\n"

    async with connect(_settings()) as client:
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


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _print(answer: dict[str, Any], as_json: bool, text: str) -> None:
    shown = json.dumps(answer, indent=2, ensure_ascii=False) if as_json else text
    out.print(shown, markup=False, highlight=False, soft_wrap=True)  # a line break of ours inside JSON would break it


def _settings(**overrides: Any) -> Settings:
    try:
        return Settings(**_given(**overrides))
    except ValidationError as fault:
        errors = [f"TIRTHA_{str(one['loc'][0]).upper()}: {one['msg']}" for one in fault.errors()]
        err.print("The settings are not valid. " + "; ".join(errors), markup=False)
        raise typer.Exit(2) from None
    except FileNotFoundError as fault:
        err.print(str(fault), markup=False)
        raise typer.Exit(2) from None


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work; what the user can mend ends in one line on stderr."""
    try:
        return asyncio.run(work)
    except (CommandFailed, FaceFault, OSError, ValueError) as fault:
        _give_up(fault)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _run_here(work: Coroutine[Any, Any, T]) -> T:
    """Run work that opens the engine in this process."""
    from memory.errors import MemoryFault  # noqa: PLC0415 - the engine is slow to import

    try:
        return _run(work)
    except MemoryFault as fault:
        _give_up(fault)


def _give_up(fault: Exception) -> NoReturn:
    err.print(str(fault), markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1) from None
