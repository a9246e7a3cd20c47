"""Import of a file of another product: read through first, then stored.

The first reading says what the file is, and brings up every question and every fault that concerns it as a whole: so a file is
refused before anything of it is stored. The second stores, as every import does. Reading blocks, so it is done in a thread, some
turns at a time.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

import anyio.to_thread
from anyio import CapacityLimiter

from memory import ArchivedTurn
from memory.errors import StoreUnavailable
from tirtha.caller import Caller
from tirtha.importers import ArchiveLimits, ImportOptions, Skipped, SourceFile, documents_of, recognise
from tirtha.importers.reading import Export
from tirtha.importers.survey import Survey, survey, turns_of
from tirtha.operations.moving.importing import ImportMemory, ImportRequest
from tirtha.operations.moving.lines import FileLine, Held, Report

__all__ = ["FileReport", "FileRequest", "ImportFile"]

_TURNS_AT_ONCE = 128
_UNPACKED = 4  # times the size that a file may have

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRequest:
    """A file, and how it is meant: of which product (found out if None), and in whose memory it goes.

    `time_zone` is where times without a zone were written. With `tools`, calls of tools and what came back are turns, too. With
    `dry_run` nothing is stored, and all is counted.
    """

    file: SourceFile
    format: str | None = None
    user_id: str | None = None
    agent_id: str | None = None
    time_zone: tzinfo | None = None
    tools: bool = False
    dry_run: bool = False

    @property
    def options(self) -> ImportOptions:
        """What importers are given."""
        return ImportOptions(time_zone=self.time_zone, tools=self.tools, user=self.user_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What the file holds, what became of its turns, and those that were not stored: where each stands, and why."""

    survey: Survey
    turns: Report
    rejected: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFile:
    """Import a file by way of `store`. `threads` bounds how many files are read at once.

    `folder` has room for a file on its way, if anything has; `max_bytes` is how long one may be.
    """

    store: ImportMemory
    folder: Path
    max_bytes: int
    threads: CapacityLimiter

    async def __call__(self, caller: Caller, request: FileRequest) -> FileReport:
        """Import the conversations of one user.

        Raises:
            ImportFault: the file cannot be imported, or needs an answer first; nothing was stored.
            IndexBehind, StoreUnavailable: as the operation that stores, or there is no room to unpack; what was stored stays.
        """
        caller.require("write")
        surveyed = await self._in_thread(partial(self._survey, request))
        lines = _Lines(self, request, surveyed)
        report = await self.store(caller, ImportRequest(lines=lines.read(), dry_run=request.dry_run))
        numbers = {one.line: one.why for one in report.rejected}
        rejected = await self._in_thread(partial(self._placed, request, surveyed, numbers)) if numbers else ()
        return FileReport(survey=surveyed, turns=report, rejected=rejected)

    def lines(self, request: FileRequest, surveyed: Survey) -> Iterator[FileLine]:
        """Read the turns that are meant, as lines that can be stored. Blocks."""
        with self._opened(request) as export:
            for number, (conversation, turn) in enumerate(turns_of(export, request.options, surveyed), 1):
                item = ArchivedTurn(
                    session_id=conversation.id,
                    id=turn.id or "",
                    role=turn.role,
                    speaker=turn.speaker,
                    text=turn.text,
                    said_at=turn.said_at,
                )
                yield FileLine(number=number, content=Held(user_id=surveyed.user, agent_id=request.agent_id, item=item))

    def _survey(self, request: FileRequest) -> Survey:
        with self._opened(request) as export:
            return survey(export, request.options)

    def _placed(self, request: FileRequest, surveyed: Survey, whys: dict[int, str]) -> tuple[Skipped, ...]:
        """Return where rejected turns stand. Reading once more is cheaper than to keep the places of all."""
        with self._opened(request) as export:
            turns = enumerate(turns_of(export, request.options, surveyed), 1)
            return tuple(
                Skipped(at=f"{conversation.at}, message {turn.id}", why=whys[number])
                for number, (conversation, turn) in turns
                if number in whys
            )

    @contextmanager
    def _opened(self, request: FileRequest) -> Iterator[Export]:
        limits = ArchiveLimits(unpacked_bytes=_UNPACKED * self.max_bytes)
        try:
            with documents_of(request.file, limits) as documents:
                yield recognise(documents, request.format)
        except OSError as fault:
            raise StoreUnavailable(f"the file cannot be read or unpacked: {fault.strerror}") from fault

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(work, limiter=self.threads)


class _Lines:
    """The lines of a file, read in a thread as they are wanted."""

    def __init__(self, operation: ImportFile, request: FileRequest, surveyed: Survey) -> None:
        self._lines = operation.lines(request, surveyed)
        self._threads = operation.threads

    async def read(self) -> AsyncIterator[FileLine]:
        """Yield the lines."""
        while batch := await anyio.to_thread.run_sync(self._some, limiter=self._threads):
            for line in batch:
                yield line

    def _some(self) -> list[FileLine]:
        return list(islice(self._lines, _TURNS_AT_ONCE))
