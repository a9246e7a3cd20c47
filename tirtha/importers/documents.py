"""From bytes to records: which form a JSON text has (an array, an object around one, lines), and its records one by one.

A record is a conversation or a line of one; what it says, importers know.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from tirtha.importers.errors import Unreadable
from tirtha.importers.json_text import LONGEST_VALUE, JsonText, Stream, decode_line
from tirtha.importers.model import Document, Record, Skipped

__all__ = ["Opened", "document"]

_WRAPPERS = frozenset({"conversations", "chats", "memories", "results"})  # {"conversations": [...]}
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK = b"\xef\xbb\xbf"
_LOOKED_AT = 65_536
_LINES = re.compile(r"\.(?:jsonl|ndjson)\Z", re.IGNORECASE)

Opened = Callable[[], AbstractContextManager[Stream]]


def document(name: str, opened: Opened) -> Document:
    """Return a text as a document; `opened` opens it at its start, as often as it is called."""
    return Document(name=name, records=lambda: _records(name, opened))


def _records(name: str, opened: Opened) -> Iterator[Record | Skipped]:
    with opened() as stream:
        lines = _is_lines(name, stream)
    with opened() as stream:
        yield from _lines(name, stream) if lines else _values(name, stream)


def _is_lines(name: str, stream: Stream) -> bool:
    """Return whether a text is JSON lines: its first line is an object of its own, and none that holds an array of records."""
    start = stream.read(_LOOKED_AT)
    if start.startswith(_UTF16_MARKS):
        raise Unreadable(at=name, why="is UTF-16 text: save it as UTF-8")
    start = start.removeprefix(_UTF8_MARK).lstrip(b" \t\r\n")
    if not start.startswith((b"{", b"[")):
        raise Unreadable(at=name, why="is no JSON: it begins neither with [ nor with {" if start else "is empty")
    if start.startswith(b"["):
        return False
    if _LINES.search(name):
        return True
    line, ended, _ = start.partition(b"\n")
    try:
        first = decode_line(line if ended else line + stream.readline(LONGEST_VALUE))
    except ValueError:
        return False
    return isinstance(first, dict) and not any(isinstance(first.get(key), list) for key in _WRAPPERS)


def _lines(name: str, stream: Stream) -> Iterator[Record | Skipped]:
    number = 0
    while line := stream.readline(LONGEST_VALUE):
        number += 1
        at = f"{name}, line {number}"
        if len(line) == LONGEST_VALUE and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = stream.readline(LONGEST_VALUE)
            yield Skipped(at=at, why=f"has more than {LONGEST_VALUE:,} bytes")
        elif line.strip(b" \t\r\n" + _UTF8_MARK):
            try:
                yield Record(at=at, number=number, value=decode_line(line))
            except ValueError as fault:
                yield Skipped(at=at, why=str(fault))


def _values(name: str, stream: Stream) -> Iterator[Record]:
    text = JsonText(stream, name)
    if text.peek() == "[":
        yield from _items(name, text)
    else:
        yield from _wrapped(name, text)
    text.end()


def _items(name: str, text: JsonText) -> Iterator[Record]:
    for number, value in enumerate(text.items(), 1):
        yield Record(at=f"{name}, record {number}", number=number, value=value)


def _wrapped(name: str, text: JsonText) -> Iterator[Record]:
    """Read the array of records that an object holds; the object itself is the record if there is none."""
    fields: dict[str, object] = {}
    streamed = False
    text.take("{")
    while text.peek() != "}":
        key = text.value()
        if not isinstance(key, str):
            raise Unreadable(at=name, why="is broken JSON: a name in an object is no string")
        text.take(":")
        if key in _WRAPPERS and text.peek() == "[":
            streamed = True
            yield from _items(name, text)
        else:
            fields[key] = text.value()
        if not streamed and text.taken > LONGEST_VALUE:
            raise Unreadable(at=name, why=f"is an object of more than {LONGEST_VALUE:,} characters")
        if text.peek() != "}":
            text.take(",")
    text.take("}")
    if not streamed:
        yield Record(at=name, number=1, value=fields)
