"""An export on its way to a client: written into a file as fast as it is read, and sent from there as fast as the client takes it.

Reading holds a transaction open, which keeps SQLite from cutting its log, and so from wiping what somebody forgets meanwhile. So it
must not last for as long as a slow client takes. The file has no name and lies in the data folder; it is gone with the response.
"""

import os
from collections.abc import AsyncIterator, Generator
from pathlib import Path
from typing import IO

import anyio
import anyio.from_thread
import anyio.to_thread
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tirtha.http.bodies import NDJSON
from tirtha.unnamed_file import disk_faults, unnamed_file

__all__ = ["ExportResponse"]

_SENT_BYTES = 65_536
_NOT_KEPT = "the export cannot be kept while it is sent"


class ExportResponse(Response):
    """The blocks of an export as a body. An error before the first of them is answered as any other.

    One that comes later ends the connection in the middle of the body, so that no client takes a part for the whole.
    """

    media_type = NDJSON

    def __init__(self, blocks: Generator[bytes], *, folder: Path, threads: anyio.CapacityLimiter) -> None:
        self._blocks = blocks
        self._folder = folder
        self._threads = threads
        super().__init__(headers={"content-disposition": 'attachment; filename="tirtha-export.jsonl"'})
        del self.headers["content-length"]  # it is not known yet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - an application's own shape
        """Send the export. It ends when the client goes away."""
        with unnamed_file(self._folder, _NOT_KEPT) as file:
            passage = _Passage(file)
            try:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._fill, passage)
                    tasks.start_soon(_cancel_when_gone, receive, tasks.cancel_scope)
                    try:
                        await self._send(passage, send)
                    finally:
                        passage.wanted = False
                        tasks.cancel_scope.cancel()
            except ExceptionGroup as group:  # whichever side fails ends the other one, so there is one fault
                raise group.exceptions[0] from None

    async def _fill(self, passage: "_Passage") -> None:
        await anyio.to_thread.run_sync(passage.fill, self._blocks, limiter=self._threads)

    async def _send(self, passage: "_Passage", send: Send) -> None:
        begun = False
        async for chunk in passage.chunks():
            if not begun:
                begun = True
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class _Passage:
    """Bytes between a thread that writes them and a task that reads them, in a file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file.fileno()
        self._written = 0
        self._ended = False
        self._changed = anyio.Event()
        self.wanted = True

    def fill(self, blocks: Generator[bytes]) -> None:
        """Write all blocks, as long as they are wanted; runs in a thread. Raises StoreUnavailable, and what `blocks` raises."""
        try:
            for block in blocks:
                if not self.wanted:
                    return
                self._write(block)
                anyio.from_thread.run_sync(self._notify, len(block))
        finally:
            blocks.close()
        anyio.from_thread.run_sync(self._end)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield what is written, from the start to the end; waits for what is still to come."""
        read = 0
        while True:
            changed = self._changed
            if read < self._written:
                chunk = os.pread(self._file, min(_SENT_BYTES, self._written - read), read)
                read += len(chunk)
                yield chunk
            elif self._ended:
                return
            else:
                await changed.wait()

    def _write(self, block: bytes) -> None:
        left, place = memoryview(block), self._written
        with disk_faults(_NOT_KEPT):
            while left:
                n = os.pwrite(self._file, left, place)
                left, place = left[n:], place + n

    def _notify(self, more: int) -> None:
        self._written += more
        self._changed.set()
        self._changed = anyio.Event()

    def _end(self) -> None:
        self._ended = True
        self._notify(0)


async def _cancel_when_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
