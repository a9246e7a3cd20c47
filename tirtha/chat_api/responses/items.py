"""Items of the Responses API, as a client sends them: what they say, and which of them are one turn.

Compaction items are ours: their content is what `compact` wrote, evidence of turns that left the conversation, in plain JSON. It
is data that a client hands back, so it goes into a prompt behind the same fence as any other memory.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from compaction import count_tokens
from tirtha.chat_api.contents import OF_IMAGE, called, plain, without_our_notes, words
from tirtha.errors import BadChat
from tirtha.operations.chat.asked import ChatTurn
from tirtha.operations.chat.notes import fenced
from tirtha.visible import is_blank

__all__ = ["INSTRUCTIONS", "Item", "Part", "compaction_item", "item_tokens", "notes_in", "parts_of", "read_items"]

Item = dict[str, Any]
INSTRUCTIONS = frozenset({"system", "developer"})
_ASSISTANTS = frozenset({"function_call", "custom_tool_call", "reasoning"})
_RESULTS = frozenset({"function_call_output", "custom_tool_call_output"})
_KNOWN = _ASSISTANTS | _RESULTS | {"message", "compaction"}
_ROLES = INSTRUCTIONS | {"user", "assistant"}
_PER_ITEM = 8  # tokens of the format around an item


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of items that is one turn, or none: instructions, and evidence of what left the conversation."""

    items: Sequence[Item]
    turn: ChatTurn | None


def read_items(given: object, at: str = "input") -> list[Item]:
    """Return the items of an input, a string or a list, without notes that came back. Raises BadChat."""
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": without_our_notes(given)}]
    if not isinstance(given, list):
        raise BadChat(at, "must be a string or a list of items")
    return [_read(item, f"{at}[{place}]") for place, item in enumerate(given)]


def parts_of(items: Sequence[Item]) -> list[Part]:
    """Cut items into turns: an assistant's words and the calls beside them are one."""
    parts: list[Part] = []
    run: list[Item] = []
    for item in items:
        if run and not _assistants(item):
            parts.append(_part(run))
            run = []
        if _assistants(item):
            run.append(item)
        else:
            parts.append(_part([item]))
    return [*parts, _part(run)] if run else parts


def compaction_item(notes: str, *, item_id: str) -> Item:
    """Return the item that stands for turns that left a conversation."""
    content = base64.urlsafe_b64encode(json.dumps({"v": 1, "notes": notes}).encode()).decode()
    return {"type": "compaction", "id": item_id, "encrypted_content": content}


def notes_in(item: Mapping[str, Any]) -> str:
    """Return the notes of a compaction item as a fenced block; "" for one without. Raises BadChat for one that is not ours."""
    try:
        held = json.loads(base64.urlsafe_b64decode(str(item.get("encrypted_content"))))
        notes = held["notes"]
    except (binascii.Error, ValueError, LookupError, TypeError):
        raise BadChat("input", "holds a compaction item that was not written here") from None
    return fenced(plain(str(notes))).rstrip("\n") if notes else ""


def _read(item: object, at: str) -> Item:
    if not isinstance(item, dict):
        raise BadChat(at, "must be an object")
    kind = item.get("type", "message")
    if kind not in _KNOWN:
        raise BadChat(f"{at}.type", f"is {kind!r}, which is not taken here: {', '.join(sorted(_KNOWN))}")
    if kind != "message":
        return dict(item)
    if item.get("role") not in _ROLES:
        raise BadChat(f"{at}.role", f"must be one of {', '.join(sorted(_ROLES))}")
    return {**item, "type": "message", "content": without_our_notes(item.get("content"))}


def _assistants(item: Item) -> bool:
    return item["type"] in _ASSISTANTS or (item["type"] == "message" and item["role"] == "assistant")


def _part(items: Sequence[Item]) -> Part:
    first = items[0]
    if first["type"] == "compaction" or first.get("role") in INSTRUCTIONS:
        return Part(items, None)
    said = [_said(item) for item in items]
    text = "\n".join(one.strip() for one in said if not is_blank(one))
    role = "tool" if first["type"] in _RESULTS else "user" if first.get("role") == "user" else "assistant"
    return Part(items, ChatTurn(role=cast("Any", role), text=text))


def _said(item: Item) -> str:
    match item["type"]:
        case "function_call" | "custom_tool_call":
            return called(item.get("name"), item.get("arguments") or item.get("input"))
        case "function_call_output" | "custom_tool_call_output":
            return words(item.get("output"))
        case "reasoning":
            return ""
    return words(item.get("content"))


def item_tokens(item: Item) -> int:
    """Count the tokens that an item takes of a prompt."""
    content = item.get("content")
    pictures = sum(1 for part in content if "image" in str(part.get("type"))) if isinstance(content, list) else 0
    return _PER_ITEM + count_tokens(_said(item)) + pictures * OF_IMAGE
