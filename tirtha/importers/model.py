"""The value types of importing: what an importer is, what it is given, and what it makes of a file.

An importer reads and decides nothing else: it knows no memory, no tenant and no HTTP.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Protocol

from memory.model import NewTurn

__all__ = ["Conversation", "Document", "ImportOptions", "Importer", "LeftOut", "Read", "Record", "Skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """How a file is meant.

    `time_zone` is where times without a zone were written; without it such a time is a question. With `tools`, calls of tools and
    what came back are imported too. `user` is in whose memory it goes; it also chooses among the users that a file names.
    """

    time_zone: tzinfo | None = None
    tools: bool = False
    user: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Something that should have been imported and could not be: where it stands, and why."""

    at: str
    why: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A message that is left out on purpose, for the reason `why`: one of few, so that they can be counted."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One session of an export. `turns` are read as they are asked for, once, and before the next conversation is.

    `id` is the same in every export of the product, and so are the ids of turns: what is there already is known by them.
    `user` is whose conversation it is, where the file says so. `at` says where it stands.
    """

    id: str
    at: str
    turns: Iterator[NewTurn | Skipped | LeftOut]
    title: str | None = None
    started: datetime | None = None
    user: str | None = None


Read = Conversation | Skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One JSON value of a document: a conversation, a message, a line. `at` says where it stands, `number` counts from 1."""

    at: str
    number: int
    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A JSON or JSON-lines text in the file. `records` reads it from its start, as often as it is called."""

    name: str
    records: Callable[[], Iterator[Record | Skipped]]

    def each(self, read: Callable[[Record], Read]) -> Iterator[Read]:
        """Yield what `read` makes of every record, where a record is a conversation; what could not be read stays as it is."""
        for record in self.records():
            yield record if isinstance(record, Skipped) else read(record)


class Importer(Protocol):
    """Reads the exports of one product."""

    @property
    def name(self) -> str:
        """What the format is called."""

    def recognise(self, record: object) -> bool:
        """Return whether a JSON value has the form of this product's records."""

    def read(self, document: Document, options: ImportOptions) -> Iterator[Read]:
        """Read the conversations of a document. Raises Ambiguous, Unreadable."""
