"""JSON of any length, value by value, in memory that holds one value at a time.

Python's own decoder is run on a window of the text. Where it stops at the window's end, more is read and the value is decoded
again, with twice the text, so that the work stays linear. It knows no product: which values make a conversation is decided
elsewhere.

Why no streaming library: of *ijson* 3.6, brackets nested 200,000 deep take all memory, half a surrogate pair or a number of twenty
digits ends the document. Python's decoder refuses the first and reads the others.
"""

import codecs
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from tirtha.importers.errors import Unreadable

__all__ = ["LONGEST_VALUE", "JsonText", "Stream", "decode_line"]

LONGEST_VALUE = 64 * 1_048_576  # characters of one conversation; the largest that were met have a few million
_CHUNK_BYTES = 1_048_576
_LONGEST_INTEGER = 18  # digits; longer ones are no time and no count, and Python refuses those of thousands
_OF_NUMBER = re.compile(r"[-+.eE0-9]*")
_SPACE = re.compile(r"[ \t\n\r]*")
_CUT_SHORT = 16  # a value that ends with the window fails at most so far from its end: `\ud83d\ude0`, `-Infinit`


class Stream(Protocol):
    """Bytes that are read from their start."""

    def read(self, size: int, /) -> bytes:
        """Read at most `size` bytes; none at the end."""

    def readline(self, size: int, /) -> bytes:
        """Read a line with its end, of at most `size` bytes."""


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)


_DECODER = json.JSONDecoder(parse_int=_integer)


def decode_line(line: bytes) -> object:
    """Decode one line of JSON lines. Raises ValueError that says what is wrong with it."""
    try:
        return _DECODER.decode(line.decode("utf-8-sig").strip())
    except UnicodeDecodeError as fault:
        raise ValueError(f"is not UTF-8: its byte {fault.start + 1} is 0x{line[fault.start]:02x}") from None
    except json.JSONDecodeError as fault:
        raise ValueError(f"is no JSON: {fault.msg.removesuffix(' at')} at character {fault.pos + 1}") from None
    except RecursionError:
        raise ValueError("is no JSON that can be read: it is nested too deeply") from None


class JsonText:
    """A window over JSON text in a stream; `at` names it in errors. Every method raises Unreadable."""

    def __init__(self, stream: Stream, at: str) -> None:
        self._stream = stream
        self._at = at
        self._utf8 = codecs.getincrementaldecoder("utf-8-sig")()
        self._window = ""
        self._place = 0
        self._before = 0  # characters that have left the window
        self._ended = False

    @property
    def taken(self) -> int:
        """How many characters were read and decoded."""
        return self._before + self._place

    def peek(self) -> str:
        """Return the next character that is not white space, and leave it; "" at the end."""
        while True:
            match = _SPACE.match(self._window, self._place)
            self._place = match.end() if match else self._place
            if self._place < len(self._window):
                return self._window[self._place]
            if not self._more():
                return ""

    def take(self, wanted: str) -> None:
        """Take the character `wanted`."""
        found = self.peek()
        if found != wanted:
            raise self._broken(f"has {found!r} where {wanted!r} is expected" if found else "ends too early")
        self._place += 1

    def value(self) -> object:
        """Decode the next value."""
        if not self.peek():
            raise self._broken("ends too early")
        while True:
            try:
                with self._readable():
                    value, end = _DECODER.raw_decode(self._window, self._place)
            except json.JSONDecodeError as fault:
                cut = fault.msg.startswith("Unterminated string") or fault.pos >= len(self._window) - _CUT_SHORT
                if not cut or not self._doubled():
                    self._place = min(fault.pos, len(self._window))
                    raise self._broken(f"is broken JSON: {fault.msg.removesuffix(' at')}") from None
            else:
                may_go_on = isinstance(value, int | float) and _OF_NUMBER.fullmatch(self._window, end)
                if not may_go_on or not self._doubled():
                    self._place = end
                    return value

    def items(self) -> Iterator[object]:
        """Decode the items of the array that comes next, one at a time."""
        self.take("[")
        if self.peek() == "]":
            self.take("]")
            return
        while True:
            yield self.value()
            if self.peek() != ",":
                self.take("]")
                return
            self.take(",")

    def end(self) -> None:
        """Make sure that nothing follows."""
        if found := self.peek():
            raise self._broken(f"goes on with {found!r} after its end")

    def _doubled(self) -> bool:
        """Read about as much again as the value at hand has so far; False at the end of the stream."""
        wanted = 2 * (len(self._window) - self._place)
        if wanted > 2 * LONGEST_VALUE:
            raise self._broken(f"is broken JSON, or holds a value of more than {LONGEST_VALUE:,} characters")
        grown = False
        while len(self._window) - self._place <= wanted and self._more():
            grown = True
        return grown

    def _more(self) -> bool:
        """Read a chunk, and drop what was decoded; False at the end of the stream."""
        if self._ended:
            return False
        read = self._stream.read(_CHUNK_BYTES)
        self._ended = not read
        try:
            text = self._utf8.decode(read, final=self._ended)
        except UnicodeDecodeError as fault:
            byte = fault.object[fault.start]
            raise self._broken(f"is not UTF-8: 0x{byte:02x} {fault.reason}") from None
        self._window = self._window[self._place :] + text
        self._before += self._place
        self._place = 0
        return not self._ended or bool(text)

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except RecursionError:
            raise self._broken("is nested too deeply") from None

    def _broken(self, why: str) -> Unreadable:
        return Unreadable(at=f"{self._at}, character {self.taken + 1:,}", why=why)
