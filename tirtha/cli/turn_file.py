"""A file of turns, one JSON object a line, read in batches as the server takes them: bad lines are named and left out.

Read again, corrected or longer, a file gives the same names to the same turns, so that sending it again stores nothing twice.
Turns without a session share one that is named by the file's path. A turn without an id is named by the path, by what its line
says, and by how many lines before it say the same.
Standard input is not read again: its nameless session is a new one, and its nameless turns are left to the server.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from tirtha.cli.running import CommandFailed

__all__ = ["STDIN", "Batch", "TurnFile", "opened", "read_text"]

STDIN = Path("-")
_BATCH_TURNS = 512
_BATCH_BYTES = 1_048_576
_LONGEST_LINE_BYTES = 64 * 1_048_576  # the server's own limit is far below and may change; this one spares our memory
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(slots=True, kw_only=True)
class Batch:
    """Turns to send, as JSON, with the numbers of their lines; and the lines that are none, with the reason."""

    turns: list[bytes] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    rejected: list[tuple[int, str]] = field(default_factory=list)
    turn_bytes: int = 0
    read_bytes: int = 0

    @property
    def full(self) -> bool:
        """Whether the batch should go out before more is read."""
        return len(self.turns) + len(self.rejected) >= _BATCH_TURNS or self.turn_bytes >= _BATCH_BYTES


class TurnFile:
    """Turns of `owner` in a stream; `place` names the file, or is None for a stream that is not read a second time.

    `session` is the conversation of the lines that name none; `nameless` becomes the one that is made for them otherwise.
    `number` is that of the last line read; `unnamed_turns` counts the turns that were left without an id.
    """

    def __init__(self, stream: BinaryIO, *, owner: dict[str, str], session: str | None, place: str | None) -> None:
        self._stream = stream
        self._owner = owner
        self._session = session
        self._place = place
        self.number = 0
        self._said: Counter[str] = Counter()
        self.nameless: str | None = None
        self.unnamed_turns = 0

    def batch(self) -> Batch | None:
        """Read the next batch; None at the end. Raises CommandFailed if the file is not UTF-8 at all."""
        batch = Batch()
        while not batch.full:
            line = self._stream.readline(_LONGEST_LINE_BYTES)
            if not line:
                return batch if batch.read_bytes else None
            self.number += 1
            batch.read_bytes += len(line)
            if self.number == 1:
                line = _without_mark(line)
            if len(line) == _LONGEST_LINE_BYTES and not line.endswith(b"\n"):
                batch.rejected.append((self.number, f"has more than {_LONGEST_LINE_BYTES:,} bytes"))
                batch.read_bytes += self._skip_line()
            elif line.strip():
                self._take(line, batch)
        return batch

    def _take(self, line: bytes, batch: Batch) -> None:
        try:
            turn = _turn(line.rstrip(b"\r\n"))
        except ValueError as fault:
            batch.rejected.append((self.number, str(fault)))
            return
        sent = json.dumps(self._named(_without_nulls(self._owner | turn))).encode() + b"\n"
        batch.turns.append(sent)
        batch.numbers.append(self.number)
        batch.turn_bytes += len(sent)

    def _named(self, turn: dict[str, Any]) -> dict[str, Any]:
        said = json.dumps(turn, sort_keys=True)
        if "session_id" not in turn:
            turn["session_id"] = self._session or self._nameless_session()
        if "id" in turn:
            return turn
        if self._place is None:
            self.unnamed_turns += 1
            return turn
        digest = _digest(self._place, turn["session_id"], said)
        self._said[digest] += 1
        return turn | {"id": _digest(digest, self._said[digest])}

    def _nameless_session(self) -> str:
        if self.nameless is None:
            self.nameless = _digest(self._place) if self._place else uuid4().hex
        return self.nameless

    def _skip_line(self) -> int:
        skipped = 0
        while rest := self._stream.readline(_LONGEST_LINE_BYTES):
            skipped += len(rest)
            if rest.endswith(b"\n"):
                break
        return skipped


@contextmanager
def opened(file: Path) -> Iterator[BinaryIO]:
    """Open a file, or standard input for `-`. Raises OSError."""
    # Another reader of the same descriptor: a thread may wait in it while the process ends, and sys.stdin is closed then.
    with open(sys.stdin.fileno(), "rb", closefd=False) if file == STDIN else file.open("rb") as stream:
        yield stream


def read_text() -> str:
    """Read standard input to its end as one text, without the line break that ends it. Raises CommandFailed."""
    read = _without_mark(sys.stdin.buffer.read())
    try:
        text = read.decode()
    except UnicodeDecodeError as fault:
        line = read.count(b"\n", 0, fault.start) + 1
        raise CommandFailed(f"line {line} of standard input {_bad_byte(read, fault)}") from None
    return text.removesuffix("\n").removesuffix("\r")


def _turn(line: bytes) -> dict[str, Any]:
    """Read a line. Raises ValueError that says what is wrong with it."""
    try:
        read = json.loads(line.decode())
    except UnicodeDecodeError as fault:
        raise ValueError(_bad_byte(line, fault)) from None
    except json.JSONDecodeError as fault:
        raise ValueError(f"is no JSON: {fault.msg} at character {fault.pos + 1}") from None
    except (ValueError, RecursionError) as fault:
        raise ValueError(f"is no JSON that can be read: {fault}") from None
    if not isinstance(read, dict):
        raise ValueError("is no JSON object")  # noqa: TRY004 - of the file
    return read


def _without_nulls(turn: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in turn.items() if value is not None or name not in {"id", "session_id"}}


def _without_mark(start: bytes) -> bytes:
    if start.startswith(_UTF16_MARKS):
        raise CommandFailed("this is UTF-16 text: save it as UTF-8")
    return start.removeprefix(_UTF8_MARK)


def _bad_byte(read: bytes, fault: UnicodeDecodeError) -> str:
    place = fault.start - read.rfind(b"\n", 0, fault.start)
    return f"is not UTF-8: its byte {place} is 0x{read[fault.start]:02x}"


def _digest(*parts: object) -> str:
    return blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()
