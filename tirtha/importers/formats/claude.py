"""Claude's export: `conversations.json`, in a zip or in several that a manifest links to.

Form (as of late 2026): a list of {uuid, name, created_at, chat_messages: [{uuid, sender: human | assistant, text, content,
created_at, attachments: [{file_name, extracted_content}], files: [{file_name}], parent_message_uuid}]}. Newer exports hold
branches; the current one ends in `current_leaf_message_uuid`, or else in the newest message.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC

from memory.model import NewTurn, Role
from tirtha.importers.branches import OTHER_BRANCH, branch_to, newest_leaf
from tirtha.importers.contents import named_file, words_of
from tirtha.importers.fields import Object, as_object, as_text, clean, item_id, moment, objects
from tirtha.importers.model import Conversation, Document, ImportOptions, LeftOut, Read, Record, Skipped
from tirtha.visible import is_blank

__all__ = ["Claude"]

_ROLES: dict[str, Role] = {"human": "user", "assistant": "assistant"}
_PART = re.compile(r"\S*\bconversations-\d+\.zip(?:\?\S*)?")
_MANIFEST = "is the list of the export's parts: download each zip that it links to, and import those"
_SAYS_NOTHING = LeftOut("says nothing, or a tool said it (import with tools to keep it)")


@dataclass(frozen=True, slots=True)
class Claude:
    """Reads Claude's conversations."""

    name: str = "claude"

    def recognise(self, record: object) -> bool:
        """Return whether a value is a conversation of Claude, or the manifest that comes with them."""
        value = as_object(record)
        return ("uuid" in value and isinstance(value.get("chat_messages"), list)) or _is_manifest(value)

    def read(self, document: Document, options: ImportOptions) -> Iterator[Read]:
        """Read the conversations of a file."""
        for record in document.records():
            if isinstance(record, Skipped):
                yield record
            elif _is_manifest(as_object(record.value)):
                yield Skipped(at=record.at, why=_MANIFEST)
            else:
                yield _conversation(record, options)


def _conversation(record: Record, options: ImportOptions) -> Read:
    value = as_object(record.value)
    key = as_text(value.get("uuid"))
    if not key or not isinstance(value.get("chat_messages"), list):
        return Skipped(at=record.at, why="is no conversation of Claude: it has no uuid, or no chat_messages")
    messages = {
        as_text(one.get("uuid")) or str(number): one for number, one in enumerate(objects(value["chat_messages"]))
    }
    try:
        branch = _branch(as_text(value.get("current_leaf_message_uuid")), messages)
    except ValueError as fault:
        return Skipped(at=record.at, why=f"cannot be followed: {fault}")
    return Conversation(
        id=item_id("claude", key),
        at=record.at,
        title=as_text(value.get("name")) or None,
        started=moment(value.get("created_at"), options.time_zone),
        turns=_turns(messages, branch, record.at, options),
    )


def _branch(current: str, messages: dict[str, Object]) -> list[str]:
    parents = {one: as_text(message.get("parent_message_uuid")) for one, message in messages.items()}
    if not any(parent in parents for parent in parents.values()):
        return [*messages]  # an older export, which lists one branch in its order
    times = {one: moment(message.get("created_at"), UTC) for one, message in messages.items()}
    dated = {one: time.timestamp() for one, time in times.items() if time is not None}
    return branch_to(current if current in parents else newest_leaf(parents, dated), parents)


def _turns(
    messages: dict[str, Object], branch: list[str], at: str, options: ImportOptions
) -> Iterator[NewTurn | Skipped | LeftOut]:
    for _ in range(len(messages) - len(branch)):
        yield LeftOut(OTHER_BRANCH)
    for key in branch:
        message = messages[key]
        role = _ROLES.get(as_text(message.get("sender")))
        said_at = moment(message.get("created_at"), options.time_zone)
        if role is None or said_at is None:
            lacks = "a sender that is known" if role is None else "a time in created_at"
            yield Skipped(at=f"{at}, message {key}", why=f"lacks {lacks}")
            continue
        words = words_of(message.get("content"), tools=options.tools) or as_text(message.get("text"))
        names = [named_file(one.get("file_name")) for one in objects(message.get("files"))]
        text = "\n".join([words, *names]).strip("\n")
        if not is_blank(text):
            yield NewTurn(id=item_id(key), role=role, text=clean(text), said_at=said_at)
        elif not message.get("attachments"):
            yield _SAYS_NOTHING
        # A pasted file is a turn of its own: it may be longer than a turn can be, and what was said beside it is not lost.
        for number, one in enumerate(objects(message.get("attachments")), 1):
            shown = "\n".join([named_file(one.get("file_name")), as_text(one.get("extracted_content"))]).strip("\n")
            yield NewTurn(id=item_id(key, f"attachment-{number}"), role=role, text=clean(shown), said_at=said_at)


def _is_manifest(value: Object) -> bool:
    """Return whether a value names a part of an export, in a field or in an object of a list: their names are not promised."""
    listed = (one for field in value.values() for one in objects(field))
    return "role" not in value and any(_links(one) for one in (value, *listed))


def _links(value: Object) -> bool:
    return any(_PART.fullmatch(field) is not None for field in value.values() if isinstance(field, str))
