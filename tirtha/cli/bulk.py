"""Remembering a file: sent in batches, each durable before the next one goes out, with a report at the end, whatever the end is.

If the command stops, the server has at most one batch in hand. What was stored before it is known, and is in the report.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from os import fstat
from pathlib import Path
from stat import S_ISREG

import anyio.to_thread
import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from tirtha.cli.client import Json, checked, print_answer
from tirtha.cli.connection import connect
from tirtha.cli.running import err, file_fault, read_settings, run
from tirtha.cli.turn_file import STDIN, Batch, TurnFile, opened
from tirtha.terminal import one_entry

__all__ = ["remember_file"]

_LISTED = 1_000
_HEADERS = {"content-type": "application/x-ndjson"}


@dataclass(slots=True, kw_only=True)
class _Report:
    """What became of the lines so far."""

    received: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected_lines: int = 0
    rejected: list[Json] = field(default_factory=list)
    last_line: int = 0
    under_way: Sequence[int] = ()
    complete: bool = False

    def reject(self, line: int, at: str, why: str) -> None:
        """Count a line that is not stored, and list it unless too many are."""
        self.rejected_lines += 1
        if len(self.rejected) < _LISTED:
            self.rejected.append({"line": line, "at": at, "why": why})

    def count(self, batch: Batch, answer: Json) -> None:
        """Count what the server says of a batch; it numbers the lines that it was sent."""
        self.stored += answer["stored"]
        self.duplicates += answer["duplicates"]
        for one in answer["rejected"]:
            self.reject(batch.numbers[one["line"] - 1], one["at"], one["why"])

    def as_json(self, session: str | None) -> Json:
        """Return the report as the API writes one, with what only the command knows."""
        counts = {
            name: getattr(self, name) for name in ("received", "stored", "duplicates", "rejected_lines", "rejected")
        }
        in_doubt = [self.under_way[0], self.under_way[-1]] if self.under_way else None
        return counts | {"session_id": session, "complete": self.complete, "in_doubt": in_doubt}

    def as_text(self, session: str | None, unnamed_turns: int) -> str:
        """Return the report for people."""
        rows = [f"{self.stored} stored, {self.duplicates} known already, {self.rejected_lines} rejected"]
        rows += [one_entry(f"  line {one['line']}: {one['at']} {one['why']}") for one in self.rejected]
        if self.rejected_lines > len(self.rejected):
            rows.append(f"  and {self.rejected_lines - len(self.rejected)} lines more")
        if session:
            rows.append(f"Lines without a session_id are in session {session}.")
        if not self.complete:
            rows.append(self._how_it_stopped())
        if self.complete and not self.rejected_lines:
            return "\n".join(rows)
        again = "Correct the lines and send it again" if self.complete else "Send it again"
        if unnamed_turns:
            rows.append(
                f"{again} with an id in each line: {unnamed_turns} lines had none, and may be stored twice without."
            )
        else:
            rows.append(f"{again}: what is stored already is not stored twice.")
        return "\n".join(rows)

    def _how_it_stopped(self) -> str:
        if not self.under_way:
            return f"Stopped after line {self.last_line}."
        return f"Stopped: lines {self.under_way[0]} to {self.under_way[-1]} were being sent, and may be stored or not."


def remember_file(file: Path, owner: dict[str, str], session: str | None, as_json: bool) -> None:
    """Remember a file of turns and print the report; status 1 if a line was rejected or it could not go on."""
    report = _Report()
    try:
        with opened(file) as stream:
            info = fstat(stream.fileno())
            size = info.st_size if S_ISREG(info.st_mode) else None
            again = file != STDIN and size is not None
            turns = TurnFile(stream, owner=owner, session=session, place=str(file.absolute()) if again else None)
            try:
                run(_send(turns, report, size))
            finally:
                text = report.as_text(turns.nameless, turns.unnamed_turns)
                print_answer(report.as_json(turns.nameless), as_json, text)
    except OSError as fault:
        raise typer.BadParameter(file_fault(fault), param_hint="--file") from None
    if report.rejected_lines:
        raise typer.Exit(1)


async def _send(turns: TurnFile, report: _Report, size: int | None) -> None:
    columns = (TextColumn("Remembering"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    async with connect(read_settings()) as client:
        with Progress(*columns, console=err, disable=not err.is_terminal) as progress:
            task = progress.add_task("", total=size)
            while (batch := await _next(turns)) is not None:
                for line, why in batch.rejected:
                    report.reject(line, "line", why)
                report.received += len(batch.rejected)
                if batch.turns:
                    report.under_way = batch.numbers
                    sent = await client.post("/v1/remember", content=b"".join(batch.turns), headers=_HEADERS)
                    report.count(batch, checked(sent))
                    report.received += len(batch.turns)
                    report.under_way = ()
                report.last_line = turns.number
                progress.advance(task, batch.read_bytes)
    report.complete = True


async def _next(turns: TurnFile) -> Batch | None:
    """Read in a thread: standard input may keep us waiting, and a service in this process must go on meanwhile."""
    return await anyio.to_thread.run_sync(turns.batch, abandon_on_cancel=True)
