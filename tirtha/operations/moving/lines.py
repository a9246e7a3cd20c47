"""The lines of an archive as values: one thing that is kept of somebody, and what became of a line that came in.

A format (NDJSON of our own, a file of another product) is read into these and written from these. None is known here.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from cascade.storage.archive import ArchivedAnswer, ArchivedDecision
from memory import ArchivedTurn

__all__ = ["KINDS", "Archived", "FileLine", "Held", "Kind", "LeftOut", "Report", "Unreadable", "kind_of"]

_LISTED = 1_000

Archived = ArchivedTurn | ArchivedDecision | ArchivedAnswer
Kind = Literal["turn", "decision", "answer"]
KINDS: tuple[Kind, ...] = ("turn", "decision", "answer")
_KIND_OF: Mapping[type[Archived], Kind] = dict(
    zip((ArchivedTurn, ArchivedDecision, ArchivedAnswer), KINDS, strict=True)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One thing that is kept of a user, by one of their agents or none; a program that was written for no user has none."""

    user_id: str
    agent_id: str | None
    item: Archived


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A line that is none: where in it, and why."""

    at: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLine:
    """A line of a file that comes in, by its number: what it holds, or that it cannot be read."""

    number: int
    content: Held | Unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A line that was not stored, where in it the cause lies, and why."""

    line: int
    at: str
    why: str


@dataclass(slots=True, kw_only=True)
class Report:
    """What became of the lines so far. All are counted; of those left out, the first thousand are listed.

    `rejected` lines are at fault; `skipped` ones are sound, and of no use here.
    """

    received: int = 0
    stored: Counter[Kind] = field(default_factory=Counter)
    duplicates: Counter[Kind] = field(default_factory=Counter)
    rejected_lines: int = 0
    rejected: list[LeftOut] = field(default_factory=list)
    skipped_lines: int = 0
    skipped: list[LeftOut] = field(default_factory=list)

    def reject(self, line: int, at: str, why: str) -> None:
        """Count a line that is at fault."""
        self.rejected_lines += 1
        if len(self.rejected) < _LISTED:
            self.rejected.append(LeftOut(line=line, at=at, why=why))

    def skip(self, line: int, at: str, why: str) -> None:
        """Count a line that is of no use here."""
        self.skipped_lines += 1
        if len(self.skipped) < _LISTED:
            self.skipped.append(LeftOut(line=line, at=at, why=why))

    @property
    def stored_text(self) -> str:
        """What is stored by now, as a part of a sentence."""
        return f"{self.stored['turn']:,} turns, {self.stored['decision']:,} decisions and {self.stored['answer']:,} answers"


def kind_of(item: Archived) -> Kind:
    """Name the kind of a thing that is kept."""
    return _KIND_OF[type(item)]
