"""A request's body, read from the network as fast as it comes and kept in a temporary file until it is wanted.

Why not read it when it is wanted: the sockets of both sides hold megabytes that the client has sent already. A program that takes
them slowly learns only after the last of them that the client is gone, and works for it until then.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import SpooledTemporaryFile

import anyio
from fastapi import Request
from starlette.requests import ClientDisconnect

from tirtha.unnamed_file import disk_faults

__all__ = ["spooled"]

_IN_MEMORY_BYTES = 1_048_576
_CHUNK_BYTES = 65_536


@asynccontextmanager
async def spooled(request: Request) -> AsyncIterator[AsyncIterator[bytes]]:
    """Yield the chunks of a body. What the block does with them is cancelled as soon as the client is gone.

    Raises:
        ClientDisconnect: the client went away, before the end of its body or while it waited for the answer.
        StoreUnavailable: there is no room to keep the body.
    """
    try:
        with SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as file:
            async with anyio.create_task_group() as tasks:
                spool = _Spool(file)
                tasks.start_soon(_fill, spool, request)
                yield spool.chunks()
                tasks.cancel_scope.cancel()
    except ExceptionGroup as group:  # either side ends the other one, so there is one fault
        raise group.exceptions[0] from None


class _Spool:
    """Bytes on their way: written at the end of the file, read from where the last reading stopped."""

    def __init__(self, file: "SpooledTemporaryFile[bytes]") -> None:
        self._file = file
        self._read = 0
        self._written = 0
        self._ended = False
        self._changed = anyio.Event()

    def write(self, chunk: bytes) -> None:
        """Take in a chunk. Raises StoreUnavailable."""
        with disk_faults("the bulk cannot be kept while it is stored"):
            self._file.seek(self._written)
            self._file.write(chunk)
            self._file.flush()
        self._written += len(chunk)
        self._notify()

    def end(self) -> None:
        """Note that all is written."""
        self._ended = True
        self._notify()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield what was written, from the start, to the end; waits for what is still to come."""
        while True:
            changed = self._changed
            if self._read < self._written:
                self._file.seek(self._read)
                chunk = self._file.read(min(_CHUNK_BYTES, self._written - self._read))
                self._read += len(chunk)
                yield chunk
            elif self._ended:
                return
            else:
                await changed.wait()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


async def _fill(spool: _Spool, request: Request) -> None:
    async for chunk in request.stream():
        spool.write(chunk)
    spool.end()
    while (await request.receive())["type"] != "http.disconnect":
        pass
    raise ClientDisconnect
