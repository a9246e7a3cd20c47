"""Importing a file of another product: what it is and holds is said first, then it is stored, then what became of it is said.

The server reads the file, and so it is sent twice: once to be counted, once to be stored. A folder is sent as an archive of the
JSON files in it.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from os import SEEK_END, SEEK_SET
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import BinaryIO, cast
from zipfile import ZIP_DEFLATED, ZipFile

import anyio.to_thread
import httpx
import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from tirtha.cli.client import Json, checked, print_answer
from tirtha.cli.connection import connect
from tirtha.cli.running import err, out, print_lines, read_settings, run
from tirtha.cli.turn_file import opened
from tirtha.terminal import one_entry

__all__ = ["import_file", "opened_or_packed"]

_JSON = frozenset({".json", ".jsonl", ".ndjson", ".zip"})
_CHUNK_BYTES = 65_536
_TIMEOUT = httpx.Timeout(600.0, read=None)  # the answer comes when all is stored, however long that takes
_HEADERS = {"content-type": "application/octet-stream"}


@contextmanager
def opened_or_packed(path: Path) -> Iterator[BinaryIO]:
    """Open a file, standard input for `-`, or a folder as an archive of the JSON files in it. Raises OSError."""
    if not path.is_dir():
        with opened(path) as stream:
            yield stream
        return
    with TemporaryFile() as packed:
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() in _JSON and file.is_file())
        if not files:
            raise typer.BadParameter(f"{path} is a folder without JSON files", param_hint="FILE")
        with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
            for file in files:
                archive.write(file, file.relative_to(path))
        packed.seek(0)
        yield cast("BinaryIO", packed)


def import_file(stream: BinaryIO, query: Json, *, dry_run: bool, as_json: bool) -> None:
    """Import a file and print the report; status 1 if something of it could not be stored."""
    with _seekable(stream) as file:
        answer = run(_import(file, query, dry_run=dry_run, quiet=as_json))
    print_answer(answer, as_json, _summary(answer))
    if answer["rejected_count"]:
        raise typer.Exit(1)


@contextmanager
def _seekable(stream: BinaryIO) -> Iterator[BinaryIO]:
    """Keep what comes through a pipe, which cannot be read a second time."""
    if stream.seekable():
        yield stream
        return
    with TemporaryFile() as kept:
        copyfileobj(stream, kept)
        yield cast("BinaryIO", kept)


async def _import(file: BinaryIO, query: Json, *, dry_run: bool, quiet: bool) -> Json:
    async with connect(read_settings()) as client:
        if dry_run or not quiet:
            counted = await _send(client, file, query | {"dry_run": "true"}, "Reading")
            if not quiet:
                print_lines(out, _found(counted))
            if dry_run or not counted["stored"]:
                return counted
        return await _send(client, file, query, "Importing")


async def _send(client: httpx.AsyncClient, file: BinaryIO, query: Json, what: str) -> Json:
    size = file.seek(0, SEEK_END)
    file.seek(0, SEEK_SET)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal) as progress:
        task = progress.add_task(what, total=size)
        body = _chunks(file, lambda sent: progress.advance(task, sent))
        headers = _HEADERS | {"content-length": str(size)}
        response = await client.post("/v1/import", params=query, headers=headers, content=body, timeout=_TIMEOUT)
        return checked(response)


async def _chunks(file: BinaryIO, sent: Callable[[int], None]) -> AsyncIterator[bytes]:
    while chunk := await anyio.to_thread.run_sync(file.read, _CHUNK_BYTES):
        yield chunk
        sent(len(chunk))


def _found(answer: Json) -> str:
    """Say what a file is and holds, before it is stored."""
    said = (
        f", said from {_day(answer['first_said_at'])} to {_day(answer['last_said_at'])}"
        if answer["last_said_at"]
        else ""
    )
    rows = [
        f"This is an export of {answer['format']}: {answer['conversations']} conversations, {answer['turns']} turns{said}."
    ]
    if answer["titles"]:
        rows.append(f"Among them: {'; '.join(answer['titles'])}")
    rows.append(
        f"For user {answer['user_id']}, {answer['stored']} turns are new and {answer['duplicates']} known already."
    )
    rows += [f"  {count} left out: {why}" for why, count in answer["left_out"].items()]
    return "\n".join(map(one_entry, rows))


def _summary(answer: Json) -> str:
    done = "would be stored" if answer["dry_run"] else "stored"
    rows = [f"{answer['stored']} {done}, {answer['duplicates']} known already, {answer['rejected_count']} rejected"]
    rows += [one_entry(f"  {one['at']}: {one['why']}") for one in answer["rejected"]]
    if answer["rejected_count"] > len(answer["rejected"]):
        rows.append(f"  and {answer['rejected_count'] - len(answer['rejected'])} more")
    return "\n".join(rows)


def _day(moment: str) -> str:
    return moment[: len("2023-05-08")]
