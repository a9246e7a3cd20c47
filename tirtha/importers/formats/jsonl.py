"""Plain conversations: a message a line (or item of a list), {role, content | text}, or a conversation a line, {messages: [...]}.

A line may name its session, its user, its speaker, its time and its id, each under the names that are common. Lines without a
session are one, named by the first of them: a file that grows keeps it. A message without an id is named by what it says and by how
many before it in its session say the same, which takes about a hundred bytes of memory for each such line.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

from memory.model import NewTurn, Role
from tirtha.importers.contents import words_of
from tirtha.importers.fields import (
    Object,
    as_list,
    as_object,
    as_text,
    clean,
    digest,
    item_id,
    moment,
    objects,
    speaker_of,
)
from tirtha.importers.model import Conversation, Document, ImportOptions, LeftOut, Read, Skipped
from tirtha.visible import is_blank

__all__ = ["PlainLines"]

_ROLES: dict[str, Role] = {
    **dict.fromkeys(("user", "human"), "user"),
    **dict.fromkeys(("assistant", "ai", "bot", "model"), "assistant"),
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("tool", "function"), "tool"),
}
_SESSIONS = ("session_id", "session", "conversation_id", "thread_id", "chat_id")
_USERS = ("user_id", "user")
_SPEAKERS = ("speaker", "name")
_TIMES = ("said_at", "timestamp", "created_at", "time", "date")
_EMPTY = LeftOut("says nothing")
_TOOL = LeftOut("of a tool (import with tools to keep it)")

_Owner = tuple[str, str]  # user and session
_Said = tuple[str, Object]  # where a message stands, and the message


@dataclass(frozen=True, slots=True)
class PlainLines:
    """Reads plain conversations."""

    name: str = "jsonl"

    def recognise(self, record: object) -> bool:
        """Return whether a value is a message with a role, or a conversation of such."""
        value = as_object(record)
        return _is_message(value) or any(_is_message(one) for one in objects(value.get("messages")))

    def read(self, document: Document, options: ImportOptions) -> Iterator[Read]:
        """Read the conversations of a file. One whose lines stand among others' comes in pieces, of one id."""
        names = _Names()
        for owner, lines in groupby(_lines(document, names), itemgetter(0)):
            if isinstance(owner, Skipped):
                yield owner
                continue
            user, session = owner
            said = (one for _, messages in lines for one in messages)
            turns = (_turn(at, message, session, names, options) for at, message in said)
            yield Conversation(id=item_id(session), at=document.name, user=user or None, turns=turns)


@dataclass(slots=True)
class _Names:
    """What the nameless are called in one document: its session, and messages that were said before."""

    session: str = ""
    said: dict[int, int] = field(default_factory=dict)

    def of_session(self, value: Object) -> str:
        """Return the session of the lines that name none."""
        self.session = self.session or digest(repr(sorted(value.items(), key=itemgetter(0))))
        return self.session

    def of_turn(self, *said: str) -> str:
        """Return the id of a message: the same for the same words in the same place among their likes."""
        key = digest(*said)
        short = int(key[:16], 16)
        before = self.said.get(short, 0)
        self.said[short] = before + 1
        return digest(key, str(before)) if before else key


def _lines(document: Document, names: _Names) -> Iterator[tuple[_Owner | Skipped, list[_Said]]]:
    for record in document.records():
        if isinstance(record, Skipped):
            yield record, []
            continue
        value = as_object(record.value)
        listed = as_list(value.get("messages"))
        user, session = _first(value, _USERS), _first(value, _SESSIONS)
        if listed:
            session = session or as_text(value.get("id")) or digest(repr(value))
            messages = [(f"{record.at}, message {number}", one) for number, one in enumerate(map(as_object, listed), 1)]
        elif _is_message(value):
            session, messages = session or names.of_session(value), [(record.at, value)]
        else:
            yield Skipped(at=record.at, why="is no message: it has no role, or neither content nor text"), []
            continue
        yield (user, session), messages


def _turn(at: str, message: Object, session: str, names: _Names, options: ImportOptions) -> NewTurn | Skipped | LeftOut:
    role = _ROLES.get(as_text(message.get("role")).lower())
    time = next((message[name] for name in _TIMES if message.get(name) is not None), None)
    said_at = moment(time, options.time_zone)
    if role is None:
        return Skipped(at=at, why=f"has a role that is none of {', '.join(_ROLES)}")
    if time is not None and said_at is None:
        return Skipped(at=at, why="has a time that is no ISO 8601 time and no number of seconds, or is out of bounds")
    if role == "tool" and not options.tools:
        return _TOOL
    text = clean(as_text(message.get("text")) or words_of(message.get("content"), tools=options.tools))
    if is_blank(text):
        return _EMPTY
    speaker = speaker_of(_first(message, _SPEAKERS))
    key = _first(message, ("id",)) or names.of_turn(session, role, speaker or "", text, str(time))
    return NewTurn(id=item_id(key), role=role, speaker=speaker, text=text, said_at=said_at)


def _is_message(value: Object) -> bool:
    return isinstance(value.get("role"), str) and ("content" in value or "text" in value)


def _first(value: Object, names: tuple[str, ...]) -> str:
    """Return the first of some fields that is there, as text: ids may be numbers."""
    found = (value.get(name) for name in names)
    return next(
        (str(one) for one in found if isinstance(one, str | int) and not isinstance(one, bool) and one != ""), ""
    )
