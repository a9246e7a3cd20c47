"""The texts in a file: the file itself, or the members of a zip that are JSON, each read through without unpacking it to disk.

An archive comes from anywhere, so it is judged as a whole before a byte of it is unpacked: names that lead out of it, links, names
that stand twice and encryption are refused, and too many members. While it is read, what comes out is counted: an archive that
unpacks to too much, or to too much more than it has, is a bomb. One zip inside a zip is opened (Claude's export is several), no
deeper.
"""

import lzma
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from os import SEEK_END
from pathlib import Path, PurePosixPath
from struct import unpack_from
from tempfile import TemporaryFile
from typing import IO, BinaryIO, cast
from zipfile import BadZipFile, ZipFile, ZipInfo, is_zipfile
from zlib import error

from tirtha.importers.documents import Opened, document
from tirtha.importers.errors import ArchiveRefused
from tirtha.importers.json_text import Stream
from tirtha.importers.model import Document

__all__ = ["ArchiveLimits", "SourceFile", "documents_of"]

_JSON = re.compile(r"\.(?:json|jsonl|ndjson)\Z", re.IGNORECASE)
_ZIP = re.compile(r"\.zip\Z", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:")
_HIDDEN = re.compile(r"(?:^|/)(?:__MACOSX/|\._)")  # what macOS adds beside each file
_ZIP_START = b"PK"
_ENCRYPTED = 0x1
_RATIO_FROM = 8 * 1_048_576  # bytes: a small text of one letter packs well, and does no harm
_CHUNK_BYTES = 1_048_576
_ENTRY_BYTES = 1_024  # of the list of members, a member at most
_END_SEARCHED = 22 + 65_535 + 20  # the end record, its comment, and what stands before it in large archives


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """What an archive may have: members, archives among them, bytes of all that is read of it, and how many may come of one."""

    unpacked_bytes: int
    members: int = 100_000
    archives: int = 100
    ratio: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file to import: what reports call it, how it is opened, as often as wanted, and a folder with room for what is unpacked."""

    name: str
    opened: Callable[[], BinaryIO]
    folder: Path


@contextmanager
def documents_of(file: SourceFile, limits: ArchiveLimits) -> Iterator[list[Document]]:
    """Open the texts of a file for as long as the block runs. Raises ArchiveRefused."""
    with file.opened() as stream, ExitStack() as opened:
        if not is_zipfile(stream):
            yield [document(file.name, file.opened)]
            return
        stream.seek(0)
        if stream.read(2) != _ZIP_START:
            raise ArchiveRefused(member="", why="has something before its start: it is a zip hidden in another file")
        archive = _Archive(limits=limits, folder=file.folder, opened=opened)
        yield archive.documents(stream, "")


@dataclass(slots=True, kw_only=True)
class _Archive:
    """An archive and those inside it: the limits they share, and what was counted against them.

    `unpacked` says how far each member was read at most: what is read again comes to no more.
    """

    limits: ArchiveLimits
    folder: Path
    opened: ExitStack
    members: int = 0
    archives: int = 0
    unpacked: dict[str, int] = field(default_factory=dict)
    unpacked_bytes: int = 0

    def documents(self, stream: BinaryIO, inside: str) -> list[Document]:
        """Return the JSON members of a zip and of the zips in it, by their names. `inside` is the outer member's name."""
        if _directory_bytes(stream) > self.limits.members * _ENTRY_BYTES:
            raise ArchiveRefused(member=inside, why="has too long a list of members")
        with _as_refusal(inside):
            zipped = self.opened.enter_context(ZipFile(stream))
        infos = zipped.infolist()
        self.members += len(infos)
        if self.members > self.limits.members:
            raise ArchiveRefused(member=inside, why=f"has more than {self.limits.members:,} members")
        seen: set[str] = set()
        for info in infos:
            _check(info, seen)
        found: list[Document] = []
        for info in sorted(infos, key=lambda one: one.filename):
            name = f"{inside}/{info.filename}" if inside else info.filename
            if _JSON.search(name) and not _HIDDEN.search(name):
                found.append(document(name, self._opener(zipped, info, name)))
            elif _ZIP.search(name) and not _HIDDEN.search(name):
                if inside:
                    raise ArchiveRefused(member=name, why="is an archive in an archive in an archive")
                self.archives += 1
                if self.archives > self.limits.archives:
                    raise ArchiveRefused(member="", why=f"has more than {self.limits.archives:,} archives in it")
                found += self.documents(self._unpacked(zipped, info, name), name)
        return found

    def count(self, name: str, size: int, packed: int) -> None:
        """Take note that a member of `packed` bytes was read as far as `size`. Raises ArchiveRefused once that is too much."""
        known = self.unpacked.get(name, 0)
        if size <= known:
            return
        self.unpacked[name] = size
        self.unpacked_bytes += size - known
        if self.unpacked_bytes > self.limits.unpacked_bytes:
            raise ArchiveRefused(member="", why=f"unpacks to more than {self.limits.unpacked_bytes:,} bytes")
        if size > max(_RATIO_FROM, self.limits.ratio * packed):
            raise ArchiveRefused(member=name, why=f"unpacks to more than {self.limits.ratio} times its size: a bomb")

    def _opener(self, zipped: ZipFile, info: ZipInfo, name: str) -> Opened:
        @contextmanager
        def opener() -> Iterator[Stream]:
            with _as_refusal(name):
                member = zipped.open(info)
            with member:
                yield _Counted(member, name, info.compress_size, self)

        return opener

    def _unpacked(self, zipped: ZipFile, info: ZipInfo, name: str) -> BinaryIO:
        """Unpack a zip that is a member: a zip is read from its end, which a packed one does not let us do."""
        file = self.opened.enter_context(TemporaryFile(dir=self.folder))  # noqa: SIM115 - the stack closes it
        with self._opener(zipped, info, name)() as member:
            while chunk := member.read(_CHUNK_BYTES):
                file.write(chunk)
        return cast("BinaryIO", file)


class _Counted:
    """The bytes of a member as they are unpacked, counted. Raises ArchiveRefused."""

    def __init__(self, stream: IO[bytes], name: str, packed: int, archive: _Archive) -> None:
        self._stream = stream
        self._name = name
        self._packed = packed
        self._archive = archive
        self._size = 0

    def read(self, size: int) -> bytes:
        """Read at most `size` bytes."""
        with _as_refusal(self._name):
            chunk = self._stream.read(size)
        return self._counted(chunk)

    def readline(self, size: int) -> bytes:
        """Read a line, of at most `size` bytes."""
        with _as_refusal(self._name):
            chunk = self._stream.readline(size)
        return self._counted(chunk)

    def _counted(self, chunk: bytes) -> bytes:
        self._size += len(chunk)
        self._archive.count(self._name, self._size, self._packed)
        return chunk


def _directory_bytes(stream: BinaryIO) -> int:
    """Return how long an archive says its list of members is, which zipfile reads into memory as a whole."""
    stream.seek(0, SEEK_END)
    stream.seek(max(stream.tell() - _END_SEARCHED, 0))
    tail = stream.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 16:
        return 0
    (size,) = unpack_from("<L", tail, end + 12)
    locator = tail[max(end - 20, 0) : end]
    if locator.startswith(b"PK\x06\x07"):
        stream.seek(min(unpack_from("<Q", locator, 8)[0], 1 << 62))
        large = stream.read(48)
        size = unpack_from("<Q", large, 40)[0] if len(large) == 48 else size
    stream.seek(0)
    return int(size)


def _check(info: ZipInfo, seen: set[str]) -> None:
    """Refuse a member that no export has. Names are compared as file systems do that ignore capitals."""
    name = info.orig_filename
    why = ""
    if name.startswith(("/", "\\")) or _DRIVE.match(name):
        why = "has an absolute path"
    elif ".." in PurePosixPath(name.replace("\\", "/")).parts:
        why = "has a path that leads out of the archive"
    elif "\x00" in name:
        why = "has a NUL in its name"
    elif stat.S_ISLNK(info.external_attr >> 16):
        why = "is a link"
    elif info.flag_bits & _ENCRYPTED:
        why = "is encrypted: unpack it yourself, and import what is in it"
    elif name.casefold() in seen:
        why = "stands in it twice"
    if why:
        raise ArchiveRefused(member=name, why=why)
    seen.add(name.casefold())


@contextmanager
def _as_refusal(member: str) -> Iterator[None]:
    """Raise what goes wrong in zipfile, which raises all of these for what is no sound archive, as one of our errors."""
    try:
        yield
    except (
        BadZipFile,
        error,
        lzma.LZMAError,
        EOFError,
        NotImplementedError,
        RuntimeError,
        OSError,
        ValueError,
    ) as fault:
        raise ArchiveRefused(member=member, why=f"cannot be unpacked: {fault}") from fault
