"""A file that a client sends as the body: kept in the data folder while it is read, in a file that has no name.

What has no name is gone when it is closed, however the process ends.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import IO, BinaryIO, cast

import anyio
from fastapi import Request
from starlette.requests import ClientDisconnect

from tirtha.errors import TooLarge
from tirtha.importers import SourceFile
from tirtha.transfer.envelope import is_export
from tirtha.unnamed_file import disk_faults, unnamed_file

__all__ = ["Upload", "uploaded"]

_CHUNK_BYTES = 65_536
_LONGEST_HEADER = 65_536
_NOT_KEPT = "the file cannot be kept while it is imported"


class Upload:
    """A file that came in whole; each stream that is opened on it begins at its start."""

    def __init__(self, file: IO[bytes], folder: Path) -> None:
        self._file = file
        self._folder = folder

    def open(self) -> BinaryIO:
        """Open the file for reading."""
        return cast("BinaryIO", BufferedReader(_Stretch(self._file.fileno())))

    @property
    def source(self) -> SourceFile:
        """The file as one to import."""
        return SourceFile(name="file", opened=self.open, folder=self._folder)

    @property
    def is_export(self) -> bool:
        """Whether it is an export of Tirtha."""
        with self.open() as stream:
            return is_export(stream.readline(_LONGEST_HEADER))

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the file, a piece at a time."""
        with self.open() as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                yield chunk


@asynccontextmanager
async def uploaded(request: Request, folder: Path, max_bytes: int) -> AsyncIterator[Upload]:
    """Take in the body of a request, and yield it; what the block does is cancelled as soon as the client is gone.

    Raises:
        TooLarge: it has more than `max_bytes`.
        StoreUnavailable: there is no room for it.
        ClientDisconnect: the client went away, before the end of its body or while it waited for the answer.
    """
    _check(int(request.headers.get("content-length") or 0), max_bytes)
    with unnamed_file(folder, _NOT_KEPT) as file:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            _check(size, max_bytes)
            with disk_faults(_NOT_KEPT):
                file.write(chunk)
        with disk_faults(_NOT_KEPT):
            file.flush()
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_raise_when_gone, request)
                yield Upload(file, folder)
                tasks.cancel_scope.cancel()
        except ExceptionGroup as group:  # either side ends the other one, so there is one fault
            raise group.exceptions[0] from None


class _Stretch(RawIOBase):
    """A file from its start, with a place of its own: streams over one descriptor do not move each other."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._place = 0

    def readable(self) -> bool:
        """Return True: it can be read."""
        return True

    def seekable(self) -> bool:
        """Return True: its place can be chosen."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to a place."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place}.get(whence)
        start = os.fstat(self._descriptor).st_size if start is None else start
        self._place = max(start + offset, 0)
        return self._place

    def tell(self) -> int:
        """Return the place."""
        return self._place

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Read into `buffer`, and return how much."""
        read = os.preadv(self._descriptor, [buffer], self._place)
        self._place += read
        return read


async def _raise_when_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    raise ClientDisconnect


def _check(size: int, limit: int) -> None:
    if size > limit:
        raise TooLarge(at="body", what="the file", size=size, limit=limit, unit="bytes")
