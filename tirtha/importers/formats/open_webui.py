"""Open WebUI's export: a JSON list of chats that are trees, of one user, or of all of them where an administrator exports.

Form (as of late 2026): {id, user_id, title, created_at, chat: {history: {currentId, messages: {id: {parentId, role, content,
timestamp, files}}}}}, times in seconds. Thoughts and tools stand in the content as `<details type="...">` blocks.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, repeat

from memory.model import NewTurn, Role
from tirtha.importers.branches import OTHER_BRANCH, branch_to, newest_leaf
from tirtha.importers.contents import named_file, words_of
from tirtha.importers.fields import Object, as_object, as_text, clean, item_id, moment, objects
from tirtha.importers.model import Conversation, Document, ImportOptions, LeftOut, Read, Record, Skipped
from tirtha.visible import is_blank

__all__ = ["OpenWebUi"]

_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system", "tool": "tool"}
_DETAILS = {
    False: re.compile(r'<details type="(?:reasoning|tool_calls|code_interpreter)".*?</details>\s*', re.DOTALL),
    True: re.compile(r'<details type="reasoning".*?</details>\s*', re.DOTALL),
}
_EMPTY = LeftOut("says nothing")


@dataclass(frozen=True, slots=True)
class OpenWebUi:
    """Reads Open WebUI's chats."""

    name: str = "open-webui"

    def recognise(self, record: object) -> bool:
        """Return whether a value is a chat of Open WebUI."""
        history = as_object(as_object(as_object(record).get("chat")).get("history"))
        return isinstance(history.get("messages"), dict)

    def read(self, document: Document, options: ImportOptions) -> Iterator[Read]:
        """Read the chats of a file."""
        return document.each(lambda record: _conversation(record, options))


def _conversation(record: Record, options: ImportOptions) -> Read:
    value = as_object(record.value)
    history = as_object(as_object(value.get("chat")).get("history"))
    messages = {one: as_object(message) for one, message in as_object(history.get("messages")).items()}
    key = as_text(value.get("id"))
    if not key or not isinstance(history.get("messages"), dict):
        return Skipped(at=record.at, why="is no chat of Open WebUI: it has no id, or no chat.history.messages")
    try:
        branch = _branch(as_text(history.get("currentId")), messages)
    except ValueError as fault:
        return Skipped(at=record.at, why=f"cannot be followed: {fault}")
    return Conversation(
        id=item_id("open-webui", key),
        at=record.at,
        title=as_text(value.get("title")) or None,
        started=moment(value.get("created_at"), options.time_zone),
        user=as_text(value.get("user_id")) or None,
        turns=chain(
            repeat(LeftOut(OTHER_BRANCH), len(messages) - len(branch)),
            _turns([(one, messages[one]) for one in branch], value.get("created_at"), record.at, options),
        ),
    )


def _branch(current: str, messages: dict[str, Object]) -> list[str]:
    parents = {one: as_text(message.get("parentId")) for one, message in messages.items()}
    if current not in parents:
        times = {one: message.get("timestamp") for one, message in messages.items()}
        current = newest_leaf(parents, {one: time for one, time in times.items() if isinstance(time, int | float)})
    return branch_to(current, parents)


def _turns(
    branch: list[tuple[str, Object]], said_at: object, at: str, options: ImportOptions
) -> Iterator[NewTurn | Skipped | LeftOut]:
    """Read the messages of a branch. A message without a time was sent when the one before it was."""
    for key, message in branch:
        role = _ROLES.get(as_text(message.get("role")))
        said_at = message.get("timestamp") or said_at
        sent_at = moment(said_at, options.time_zone)
        if role is None or sent_at is None:
            lacks = "a role that is known" if role is None else "a time in timestamp"
            yield Skipped(at=f"{at}, message {key}", why=f"lacks {lacks}")
            continue
        text = clean(_words(message, options))
        yield NewTurn(id=item_id(key), role=role, text=text, said_at=sent_at) if not is_blank(text) else _EMPTY


def _words(message: Object, options: ImportOptions) -> str:
    said = _DETAILS[options.tools].sub("", words_of(message.get("content"), tools=options.tools))
    files = [
        "[image]" if one.get("type") == "image" else named_file(one.get("name"))
        for one in objects(message.get("files"))
    ]
    return "\n".join(words for words in (said, *files) if words.strip())
