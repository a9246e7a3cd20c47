"""Reading an export as it comes: the header, then each line, then whether it was whole.

The last line is the trailer. So every line is held back until the next one has come, and one line is all that is kept.
Whether an export is whole is known after its last line only; what came before is in the reader's hands by then. What a
line means is not known here.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from tirtha.transfer.envelope import Checksum, Header, Trailer

__all__ = ["Break", "ExportReader", "RawLine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawLine:
    """A line as it came: its number, its bytes without the line break, and its size, which may be more than was kept of it."""

    number: int
    content: bytes
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """That an export is not whole: at which line it was seen, and why."""

    line: int
    why: str


class ExportReader:
    """An export that comes in. Read `header` first, then `lines` to their end; `broken` says afterwards why it was not whole."""

    def __init__(self, lines: AsyncIterator[tuple[bytes, int]]) -> None:
        self._lines = lines
        self._checksum = Checksum()
        self._number = 0
        self.broken: Break | None = None

    async def header(self) -> Header:
        """Read the first line. Raises NotAnExport and ExportIsNewer."""
        first = await self._next()
        return Header.read(first.content if first else b"")

    async def lines(self) -> AsyncIterator[RawLine]:
        """Yield the lines between header and trailer."""
        held = await self._next()
        while held is not None:
            following = await self._next()
            if following is None:
                break
            yield self._added(held)
            held = following
        trailer = Trailer.read(held.content) if held else None
        if trailer is None:
            if held is not None:
                yield self._added(held)
            self.broken = Break(
                line=self._number, why="its last line is no trailer, so it is cut off, or goes on after its end"
            )
        elif trailer.sha256 != self._checksum.sha256 or sum(trailer.counts.values()) != self._checksum.lines:
            self.broken = Break(line=self._number, why="its checksum does not fit, so lines of it were changed or lost")

    def _added(self, line: RawLine) -> RawLine:
        self._checksum.add(line.content)
        return line

    async def _next(self) -> RawLine | None:
        """Read the next line that is not blank; Windows line ends are left out of it."""
        async for content, size in self._lines:
            self._number += 1
            line = content.removesuffix(b"\r")
            if line.strip():
                return RawLine(number=self._number, content=line, size=size)
        return None
