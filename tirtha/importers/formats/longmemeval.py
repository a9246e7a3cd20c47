"""LongMemEval (Wu et al., ICLR 2025): questions, each with a history of dated sessions of its own.

Form: {question_id, haystack_session_ids, haystack_dates: ["2023/05/30 (Tue) 23:40"], haystack_sessions: [[{role, content}]]}. Times
have no zone. Questions, answers and labels of evidence are not read.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from memory.model import NewTurn, Role
from tirtha.importers.contents import words_of
from tirtha.importers.fields import as_list, as_object, as_text, clean, item_id, placed
from tirtha.importers.model import Conversation, Document, ImportOptions, LeftOut, Read, Record, Skipped
from tirtha.visible import is_blank

__all__ = ["LongMemEval"]

_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}
_WEEKDAY = re.compile(r" \([A-Za-z]+\)")
_EMPTY = LeftOut("says nothing")


@dataclass(frozen=True, slots=True)
class LongMemEval:
    """Reads LongMemEval's histories. Each is of another user, named by the question."""

    name: str = "longmemeval"

    def recognise(self, record: object) -> bool:
        """Return whether a value is a question of LongMemEval."""
        value = as_object(record)
        return "question_id" in value and isinstance(value.get("haystack_sessions"), list)

    def read(self, document: Document, options: ImportOptions) -> Iterator[Read]:
        """Read the sessions of all histories of a file. Raises Ambiguous: no time zone is given."""
        for record in document.records():
            if isinstance(record, Skipped):
                yield record
            else:
                yield from _sessions(record, options)


def _sessions(record: Record, options: ImportOptions) -> Iterator[Read]:
    value = as_object(record.value)
    question = as_text(value.get("question_id"))
    ids, dates, sessions = (as_list(value.get(f"haystack_{part}")) for part in ("session_ids", "dates", "sessions"))
    if not question or not len(ids) == len(dates) == len(sessions):
        yield Skipped(at=record.at, why="is no history of LongMemEval: ids, dates and sessions are not equally many")
        return
    seen: Counter[str] = Counter()
    for number, (key, date, turns) in enumerate(zip(ids, dates, sessions, strict=True), 1):
        at = f"{record.at}, session {number}"
        started = _moment(as_text(date), options)
        name = as_text(key) or str(number)
        if started is None:
            yield Skipped(at=at, why="has no date such as 2023/05/30 (Tue) 23:40")
            continue
        seen[name] += 1
        again = [str(seen[name])] if seen[name] > 1 else []  # some histories hold a session twice
        turned = _turns(turns, started, at)
        session = item_id("longmemeval", question, name, *again)
        yield Conversation(id=session, at=at, started=started, user=question, turns=turned)


def _turns(turns: object, started: datetime, at: str) -> Iterator[NewTurn | Skipped | LeftOut]:
    for number, one in enumerate(as_list(turns), 1):
        turn = as_object(one)
        role = _ROLES.get(as_text(turn.get("role")))
        text = clean(words_of(turn.get("content")))
        if role is None:
            yield Skipped(at=f"{at}, turn {number}", why="lacks a role that is known")
        elif not is_blank(text):
            yield NewTurn(id=str(number), role=role, text=text, said_at=started)
        else:
            yield _EMPTY


def _moment(text: str, options: ImportOptions) -> datetime | None:
    try:
        read = datetime.strptime(_WEEKDAY.sub("", text), "%Y/%m/%d %H:%M")  # noqa: DTZ007 - its zone is a question
    except ValueError:
        return None
    return placed(read, options.time_zone)
