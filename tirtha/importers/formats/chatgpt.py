"""ChatGPT's export: a zip with `conversations.json`, or with `conversations-000.json` and so on, of conversations that are trees.

Form (as of late 2026): {id | conversation_id, title, create_time, current_node, mapping: {id: {parent, message | null}}}, times in
seconds. What was said is the branch that ends in `current_node`. Of its messages those are taken that the product shows: of the
user and the assistant, not hidden, not addressed to a tool, neither thoughts nor the user's profile.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from memory.model import NewTurn, Role
from tirtha.importers.branches import OTHER_BRANCH, branch_to, newest_leaf
from tirtha.importers.contents import named_file
from tirtha.importers.fields import Object, as_list, as_object, as_text, clean, item_id, moment, objects
from tirtha.importers.model import Conversation, Document, ImportOptions, LeftOut, Read, Record, Skipped
from tirtha.visible import is_blank

__all__ = ["ChatGpt"]

_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "tool": "tool"}
_SHOWN = frozenset({"text", "multimodal_text"})
_OF_TOOLS = frozenset({"code", "execution_output", "tether_quote"})
_HIDDEN_TOOLS = frozenset({"bio", "web", "web.run", "browser"})  # they echo pages and notes, not what was said
_EVERYBODY = frozenset({"", "all"})
_PRIVATE = "\ue200"
_CITATION = re.compile(" *\ue200(?:file)?cite\ue202[^\ue201]*\ue201")  # shown as a link; not in the answer's words
_HIDDEN = LeftOut("hidden by the product")
_TOOL = LeftOut("of a tool (import with tools to keep it)")
_EMPTY = LeftOut("says nothing")


@dataclass(frozen=True, slots=True)
class ChatGpt:
    """Reads ChatGPT's conversations."""

    name: str = "chatgpt"

    def recognise(self, record: object) -> bool:
        """Return whether a value is a conversation of ChatGPT."""
        nodes = as_object(as_object(record).get("mapping")).values()
        return any("message" in as_object(node) for node in nodes)

    def read(self, document: Document, options: ImportOptions) -> Iterator[Read]:
        """Read the conversations of a file."""
        return document.each(lambda record: _conversation(record, options))


def _conversation(record: Record, options: ImportOptions) -> Read:
    value = as_object(record.value)
    key = as_text(value.get("conversation_id")) or as_text(value.get("id"))
    nodes = {one: as_object(node) for one, node in as_object(value.get("mapping")).items()}
    if not key or not nodes:
        return Skipped(at=record.at, why="is no conversation of ChatGPT: it has no id, or no mapping")
    try:
        branch = _branch(as_text(value.get("current_node")), nodes)
    except ValueError as fault:
        return Skipped(at=record.at, why=f"cannot be followed: {fault}")
    return Conversation(
        id=item_id("chatgpt", key),
        at=record.at,
        title=as_text(value.get("title")) or None,
        started=moment(value.get("create_time"), options.time_zone),
        turns=_turns(nodes, branch, record.at, value.get("create_time"), options),
    )


def _branch(current: str, nodes: dict[str, Object]) -> list[str]:
    parents = {one: as_text(node.get("parent")) for one, node in nodes.items()}
    if current not in parents:
        times = {one: as_object(node.get("message")).get("create_time") for one, node in nodes.items()}
        current = newest_leaf(parents, {one: time for one, time in times.items() if isinstance(time, int | float)})
    return branch_to(current, parents)


def _turns(
    nodes: dict[str, Object], branch: list[str], at: str, said_at: object, options: ImportOptions
) -> Iterator[NewTurn | Skipped | LeftOut]:
    """Read the messages of a branch. A message without a time was sent when the one before it was."""
    taken = set(branch)
    for key, node in nodes.items():
        if key not in taken and not isinstance(_shown(as_object(node.get("message")), options), LeftOut):
            yield LeftOut(OTHER_BRANCH)
    for key in branch:
        message = as_object(nodes[key].get("message"))
        if not message:
            continue  # the tree's root
        time = message.get("create_time")
        said_at = said_at if time is None else time
        shown = _shown(message, options)
        if isinstance(shown, LeftOut):
            yield shown
            continue
        role, text = shown
        sent_at = moment(said_at, options.time_zone)
        if sent_at is None and said_at is not None:
            yield Skipped(at=f"{at}, message {key}", why="has a create_time that is no time")
            continue
        yield NewTurn(id=item_id(as_text(message.get("id")) or key), role=role, text=text, said_at=sent_at)


def _shown(message: Object, options: ImportOptions) -> tuple[Role, str] | LeftOut:
    """Return who said what in a message, or why it is left out."""
    author = as_object(message.get("author"))
    metadata = as_object(message.get("metadata"))
    role = _ROLES.get(as_text(author.get("role")))
    content = as_object(message.get("content"))
    kind = as_text(content.get("content_type"))
    recipient = as_text(message.get("recipient"))
    if role is None or metadata.get("is_visually_hidden_from_conversation") is True:
        return _HIDDEN
    if metadata.get("is_user_system_message") is True or as_text(author.get("name")) in _HIDDEN_TOOLS:
        return _HIDDEN
    if recipient in _HIDDEN_TOOLS or kind not in _SHOWN | _OF_TOOLS:
        return _HIDDEN
    called = role == "assistant" and recipient not in _EVERYBODY
    if (role == "tool" or kind in _OF_TOOLS or called) and not options.tools:
        return _TOOL
    text = clean(_words(content, metadata))
    if is_blank(text):
        return _EMPTY
    return role, f"[tool call: {recipient}({text})]" if called else text


def _words(content: Object, metadata: Object) -> str:
    """Return the words of a message: its parts, or the text of what a tool said; then the names of files sent with it."""
    parts = [_part(part) for part in as_list(content.get("parts"))] or [as_text(content.get("text"))]
    files = [
        named_file(one.get("name"))
        for one in objects(metadata.get("attachments"))
        if one.get("name") and not as_text(one.get("mime_type")).startswith("image/")
    ]
    words = "\n".join(part for part in [*parts, *files] if part.strip())
    return _CITATION.sub("", words) if _PRIVATE in words else words


def _part(part: object) -> str:
    if isinstance(part, str):
        return part
    fields = as_object(part)
    if fields.get("content_type") == "image_asset_pointer":
        return "[image]"
    return as_text(fields.get("text"))  # of what was spoken, its transcript; the recording stands beside it
