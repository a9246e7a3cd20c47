"""Contents of messages: what they say in words, as memory keeps it, and notes put in front of them.

The words are those that `POST /v1/remember` makes of a message: images, audio and files are named, and their bytes never kept.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from compaction import count_tokens
from tirtha.operations.chat.asked import call_text
from tirtha.operations.chat.notes import without_notes
from tirtha.visible import is_blank

__all__ = ["OF_IMAGE", "called", "json_tokens", "plain", "size_of", "with_notes", "without_our_notes", "words"]

_TEXTS = frozenset({"text", "input_text", "output_text", "summary_text"})
_IMAGES = frozenset({"image", "image_url", "input_image", "image_file"})
_FILES = frozenset({"file", "input_file", "document"})
OF_IMAGE = 765  # tokens of an image, as OpenAI counts a large one
TextPart = Literal["text", "input_text"]


def words(content: object) -> str:
    """Return what a content says: a string, or a list of parts, whose words are joined by line breaks."""
    if isinstance(content, str):
        return plain(content)
    if isinstance(content, Sequence):
        said = [_of_part(part) for part in content if isinstance(part, Mapping)]
        return "\n".join(text for text in said if not is_blank(text))
    return ""


def called(name: object, arguments: object) -> str:
    """Return a call of a tool as it is remembered."""
    return call_text(plain(str(name or "")), plain(str(arguments or "")))


def plain(text: str) -> str:
    """Return a text that a database can keep: halves of surrogate pairs are replaced, NUL is left out."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")


def size_of(request: object) -> int:
    """Return the bytes of a request, which has no more tokens than that; images count as what they are counted as."""
    written = json.dumps(request, ensure_ascii=False)
    return len(written.encode("utf-8", "replace")) + OF_IMAGE * written.count("image_url")


def json_tokens(*values: object) -> int:
    """Return the tokens of values as JSON; those that are missing or empty have none."""
    return sum(count_tokens(json.dumps(value, ensure_ascii=False)) for value in values if value)


def with_notes(content: object, notes: str, part: TextPart) -> object:
    """Return a message's content with notes in front of it."""
    if isinstance(content, str) or content is None:
        return notes + (content or "")
    parts = list(content) if isinstance(content, Sequence) else []
    return [{"type": part, "text": notes.rstrip("\n")}, *parts]


def without_our_notes(content: object) -> object:
    """Return a message's content without notes that came back with it."""
    if isinstance(content, str):
        return without_notes(content)
    if not isinstance(content, Sequence):
        return content
    kept: list[object] = []
    for part in content:
        if isinstance(part, Mapping) and isinstance(part.get("text"), str):
            text = without_notes(part["text"])
            if text != part["text"] and is_blank(text):
                continue
            part = {**part, "text": text}  # noqa: PLW2901 - the part as it goes on
        kept.append(part)
    return kept


def _of_part(part: Mapping[str, Any]) -> str:
    kind = part.get("type")
    if kind in _TEXTS:
        return plain(str(part.get("text") or ""))
    if kind == "refusal":
        return plain(str(part.get("refusal") or ""))
    if kind in _IMAGES:
        return "[image]"
    if kind in _FILES:
        file = part["file"] if isinstance(part.get("file"), Mapping) else part
        name = " ".join(plain(str(file.get("filename") or file.get("file_id") or file.get("title") or "")).split())
        return f"[file: {name}]" if name else "[file]"
    if kind in {"input_audio", "audio"}:
        return "[audio]"
    return ""
