"""mem0's export: the memories that its API returns, {id, memory, user_id, run_id, created_at, updated_at}, in a list.

A memory is a sentence that mem0 made of a conversation, not what was said in one. Each becomes a turn of its user. One that was
rewritten is a new turn, said when it was rewritten, so that the later sentence replaces the earlier one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from memory.model import NewTurn
from tirtha.importers.fields import as_object, as_text, clean, digest, item_id, moment
from tirtha.importers.model import Conversation, Document, ImportOptions, LeftOut, Read, Record, Skipped
from tirtha.visible import is_blank

__all__ = ["Mem0"]


@dataclass(frozen=True, slots=True)
class Mem0:
    """Reads mem0's memories: those of one run are a session, and those of none are one together."""

    name: str = "mem0"

    def recognise(self, record: object) -> bool:
        """Return whether a value is a memory of mem0."""
        value = as_object(record)
        return "id" in value and isinstance(value.get("memory"), str)

    def read(self, document: Document, options: ImportOptions) -> Iterator[Read]:
        """Read the memories of a file."""
        for owner, records in groupby(document.records(), _owner):
            if isinstance(owner, Skipped):
                yield owner
                continue
            user, run = owner
            turns = (_turn(record, options) for record in records if isinstance(record, Record))
            yield Conversation(id=item_id("mem0", run or "memories"), at=document.name, user=user or None, turns=turns)


def _owner(record: Record | Skipped) -> tuple[str, str] | Skipped:
    if isinstance(record, Skipped):
        return record
    value = as_object(record.value)
    return as_text(value.get("user_id")), as_text(value.get("run_id"))


def _turn(record: Record, options: ImportOptions) -> NewTurn | Skipped | LeftOut:
    value = as_object(record.value)
    key, text = as_text(value.get("id")), clean(as_text(value.get("memory")))
    said_at = moment(value.get("updated_at"), options.time_zone) or moment(value.get("created_at"), options.time_zone)
    if not key or said_at is None:
        return Skipped(at=record.at, why="lacks an id" if not key else "lacks a time in updated_at or created_at")
    if is_blank(text):
        return LeftOut("says nothing")
    return NewTurn(id=item_id(key, digest(text)[:8]), role="user", text=text, said_at=said_at)
