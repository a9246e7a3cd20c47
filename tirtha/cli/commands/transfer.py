"""Commands that move memories: export, import."""

import sys
from collections.abc import AsyncIterator, Callable
from io import BufferedReader
from os import fstat
from pathlib import Path
from stat import S_ISREG
from typing import Annotated, BinaryIO

import anyio.to_thread
import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from tirtha.cli.client import Json, checked, print_answer
from tirtha.cli.connection import connect
from tirtha.cli.file_import import import_file, opened_or_packed
from tirtha.cli.running import err, file_fault, given, read_settings, run
from tirtha.terminal import one_entry
from tirtha.transfer.envelope import is_export

__all__ = ["app"]

app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="print the response as JSON")]
_HEADERS = {"content-type": "application/x-ndjson"}
_CHUNK_BYTES = 65_536


@app.command("export")
def export_memory(
    *,
    user: Annotated[str | None, typer.Option("--user", "-u", help="whose memory; default everybody's")] = None,
    agent: Annotated[str | None, typer.Option("--agent", help="only this agent's memory of the user")] = None,
) -> None:
    """Write all that is kept of a user, or of everybody, to standard output: tirtha export --user U > FILE."""
    if agent is not None and user is None:
        raise typer.BadParameter("--agent needs --user: an agent's memory is of a user")
    if sys.stdout.isatty():
        raise typer.BadParameter("an export is for a file: add > FILE")
    run(_export(given(user_id=user, agent_id=agent), sys.stdout.buffer))


@app.command("import")
def import_memory(
    file: Annotated[
        Path, typer.Argument(help="an export, of Tirtha or of another product, or its folder; - reads standard input")
    ],
    *,
    user: Annotated[
        str | None, typer.Option("--user", "-u", help="whose memory it becomes; default the export's own user's")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be stored, and store nothing")] = False,
    format_: Annotated[
        str | None,
        typer.Option("--format", help="the product whose export it is: docs/importing.md; default found out"),
    ] = None,
    agent: Annotated[
        str | None, typer.Option("--agent", help="which agent's memory; of other products' exports")
    ] = None,
    time_zone: Annotated[
        str | None, typer.Option("--time-zone", help="where times without a zone were told: Europe/Berlin, +02:00")
    ] = None,
    tools: Annotated[bool, typer.Option("--tools", help="keep calls of tools, and what came back")] = False,
    as_json: AsJson = False,
) -> None:
    """Take an export over. What is there already is left alone, so an import that broke off is sent again."""
    query = given(user_id=user) | ({"dry_run": "true"} if dry_run else {})
    beside = given(format=format_, agent_id=agent, time_zone=time_zone) | ({"tools": "true"} if tools else {})
    try:
        with opened_or_packed(file) as stream:
            if format_ not in {None, "auto"} or not _is_export(stream):
                chosen = {"format": "auto"} | given(user_id=user) | beside
                import_file(stream, chosen, dry_run=dry_run, as_json=as_json)
                return
            if beside.keys() - {"format"}:
                raise typer.BadParameter("--agent, --time-zone and --tools are for exports of other products")
            answer = run(_import(stream, query))
    except OSError as fault:
        raise typer.BadParameter(file_fault(fault), param_hint="FILE") from None
    print_answer(answer, as_json, _summary(answer))
    if answer["rejected_lines"]:
        raise typer.Exit(1)


def _is_export(stream: BinaryIO) -> bool:
    """Return whether a stream begins as an export of Tirtha does, and leave it at its start."""
    return isinstance(stream, BufferedReader) and is_export(stream.peek().partition(b"\n")[0])


async def _export(query: Json, to: BinaryIO) -> None:
    with _progress("Exporting") as progress:
        task = progress.add_task("", total=None)
        async with connect(read_settings()) as client, client.stream("GET", "/v1/export", params=query) as response:
            if response.is_error:
                await response.aread()
                checked(response)
            async for chunk in response.aiter_bytes():
                await anyio.to_thread.run_sync(to.write, chunk)
                progress.advance(task, len(chunk))
            to.flush()


async def _import(stream: BinaryIO, query: Json) -> Json:
    info = fstat(stream.fileno())
    with _progress("Importing") as progress:
        task = progress.add_task("", total=info.st_size if S_ISREG(info.st_mode) else None)
        async with connect(read_settings()) as client:
            body = _chunks(stream, lambda size: progress.advance(task, size))
            return checked(await client.post("/v1/import", params=query, headers=_HEADERS, content=body))


async def _chunks(stream: BinaryIO, sent: Callable[[int], None]) -> AsyncIterator[bytes]:
    """Read in a thread: standard input may keep us waiting, and a service in this process must go on meanwhile."""
    while chunk := await anyio.to_thread.run_sync(stream.read, _CHUNK_BYTES, abandon_on_cancel=True):
        yield chunk
        sent(len(chunk))


def _progress(what: str) -> Progress:
    columns = (TextColumn(what), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=err, disable=not err.is_terminal)


def _summary(answer: Json) -> str:
    done = "would be stored" if answer["dry_run"] else "stored"
    rows = [
        f"{answer['stored']} {done}, {answer['duplicates']} known already, {answer['rejected_lines']} rejected, "
        f"{answer['skipped_lines']} skipped"
    ]
    rows += [f"  {kind}: {answer[kind]['stored']} {done}" for kind in ("turns", "decisions", "answers")]
    for name in ("rejected", "skipped"):
        rows += [one_entry(f"  line {one['line']} {name}: {one['at']} {one['why']}") for one in answer[name]]
        if answer[f"{name}_lines"] > len(answer[name]):
            rows.append(f"  and {answer[f'{name}_lines'] - len(answer[name])} lines more {name}")
    return "\n".join(rows)
