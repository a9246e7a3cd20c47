"""Content blocks of Anthropic's messages: what they say in words, which of them are a turn of their own, how long they are.

Results of tools come as blocks of a user's message; they are a tool's words and not the user's. Fields: the API as of late 2026.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from compaction import count_tokens
from tirtha.chat_api.contents import called, words
from tirtha.visible import is_blank

__all__ = ["Block", "blocks_of", "is_result", "said", "tokens_of", "unwritten_tokens", "with_notes_in_front"]

Block = Mapping[str, Any]

_RESULT = "tool_result"
_CALLS = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})
_OF_IMAGE = 1_600  # tokens of a large image
_OF_FILE = 3_000  # of a page or two of a PDF, whose text is not known here


def blocks_of(content: object) -> list[Block]:
    """Return a content as blocks; a string is one of text."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [block for block in content if isinstance(block, Mapping)] if isinstance(content, Sequence) else []


def is_result(block: Block) -> bool:
    """Return whether a block is the result of a tool that the client ran."""
    return block.get("type") == _RESULT


def said(blocks: Sequence[Block]) -> str:
    """Return what blocks say, as memory keeps it: calls and files are named, thoughts are left out."""
    texts = [_said(block).strip() for block in blocks]
    return "\n".join(text for text in texts if not is_blank(text))


def tokens_of(content: object) -> int:
    """Return the tokens that a content takes of a prompt, about."""
    return sum(map(_tokens, blocks_of(content)))


def unwritten_tokens(content: object) -> int:
    """Return the tokens of what a content only points at, or holds in a shorter form: images and documents."""
    whole = {"image": _OF_IMAGE, "document": _OF_FILE}
    return sum(
        unwritten_tokens(block.get("content")) if is_result(block) else whole.get(str(block.get("type")), 0)
        for block in blocks_of(content)
    )


def with_notes_in_front(content: object, notes: str) -> object:
    """Return a user's content with notes in front of the user's own blocks; results of tools stay first, as the API wants them."""
    if isinstance(content, str):
        return notes + content
    blocks = blocks_of(content)
    place = next((place for place, block in enumerate(blocks) if not is_result(block)), len(blocks))
    return [*blocks[:place], {"type": "text", "text": notes.rstrip("\n")}, *blocks[place:]]


def _said(block: Block) -> str:
    kind = block.get("type")
    if kind in _CALLS:
        return called(block.get("name"), json.dumps(block.get("input") or {}, ensure_ascii=False))
    if kind == _RESULT:
        return words(block.get("content"))
    return words([block])


def _tokens(block: Block) -> int:
    kind, source = block.get("type"), block.get("source")
    if kind == "image":
        return _OF_IMAGE
    if kind == _RESULT:
        return tokens_of(block.get("content"))
    if kind == "document":
        text = isinstance(source, Mapping) and source.get("type") == "text"
        return count_tokens(str(source.get("data"))) if text and isinstance(source, Mapping) else _OF_FILE
    if kind in {"text", "thinking"}:
        return count_tokens(str(block.get(kind) or ""))
    return count_tokens(json.dumps(block, ensure_ascii=False, default=str))
