"""LibreChat's export: a JSON file a conversation, flat or as a tree.

Form (as of late 2026): {conversationId, title, messages: [...] | messagesTree: [{..., children}]}, of messages {messageId,
parentMessageId, isCreatedByUser, text, content: [blocks], createdAt, error}. An export with branches does not say which is current:
the one that was written last is taken.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC

from memory.model import NewTurn, Role
from tirtha.importers.branches import OTHER_BRANCH, branch_to, newest_leaf
from tirtha.importers.contents import named_file, words_of
from tirtha.importers.fields import Object, as_list, as_object, as_text, clean, item_id, moment, objects
from tirtha.importers.model import Conversation, Document, ImportOptions, LeftOut, Read, Record, Skipped
from tirtha.visible import is_blank

__all__ = ["LibreChat"]

_EMPTY = LeftOut("says nothing, or a tool said it (import with tools to keep it)")
_FAILED = LeftOut("of the program, not of the conversation")


@dataclass(frozen=True, slots=True)
class LibreChat:
    """Reads LibreChat's conversations."""

    name: str = "librechat"

    def recognise(self, record: object) -> bool:
        """Return whether a value is a conversation of LibreChat."""
        value = as_object(record)
        listed = isinstance(value.get("messages"), list) or isinstance(value.get("messagesTree"), list)
        return "conversationId" in value and listed

    def read(self, document: Document, options: ImportOptions) -> Iterator[Read]:
        """Read the conversation of a file, or those of a list."""
        return document.each(lambda record: _conversation(record, options))


def _conversation(record: Record, options: ImportOptions) -> Read:
    value = as_object(record.value)
    key = as_text(value.get("conversationId"))
    listed = as_list(value.get("messagesTree")) or as_list(value.get("messages"))
    messages = {as_text(one.get("messageId")): one for one in _flat(listed)}
    if not key or "" in messages:
        return Skipped(at=record.at, why="is no conversation of LibreChat: it, or a message, has no id")
    parents = {one: as_text(message.get("parentMessageId")) for one, message in messages.items()}
    times = {one: moment(message.get("createdAt"), UTC) for one, message in messages.items()}
    dated = {one: time.timestamp() for one, time in times.items() if time is not None}
    try:
        branch = branch_to(newest_leaf(parents, dated), parents)
    except ValueError as fault:
        return Skipped(at=record.at, why=f"cannot be followed: {fault}")
    return Conversation(
        id=item_id("librechat", key),
        at=record.at,
        title=as_text(value.get("title")) or None,
        started=min((time for time in times.values() if time is not None), default=None),
        turns=_turns(messages, branch, record.at, options),
    )


def _flat(listed: Sequence[object]) -> Iterator[Object]:
    """Return the messages of a tree, parents first, without recursion: a long conversation is a deep tree."""
    waiting = [*objects(listed)][::-1]
    while waiting:
        message = waiting.pop()
        yield message
        waiting += [*objects(message.get("children"))][::-1]


def _turns(
    messages: dict[str, Object], branch: list[str], at: str, options: ImportOptions
) -> Iterator[NewTurn | Skipped | LeftOut]:
    for _ in range(len(messages) - len(branch)):
        yield LeftOut(OTHER_BRANCH)
    for key in branch:
        message = messages[key]
        if message.get("error") is True:
            yield _FAILED
            continue
        said_at = moment(message.get("createdAt"), options.time_zone)
        if said_at is None:
            yield Skipped(at=f"{at}, message {key}", why="lacks a time in createdAt")
            continue
        words = words_of(message.get("content"), tools=options.tools) or as_text(message.get("text"))
        text = clean("\n".join(part for part in (words, *_files(message)) if part.strip()))
        role: Role = "user" if message.get("isCreatedByUser") is True else "assistant"
        yield NewTurn(id=item_id(key), role=role, text=text, said_at=said_at) if not is_blank(text) else _EMPTY


def _files(message: Object) -> Iterator[str]:
    for one in objects(message.get("files")):
        yield "[image]" if as_text(one.get("type")).startswith("image/") else named_file(one.get("filename"))
