"""The content of a message as blocks, the way Anthropic's and OpenAI's products write it: which words are in it.

Images, audio and files are named, never kept. Thoughts are left out, and so are tools unless they are asked for.
"""

import json
from collections.abc import Iterator

from tirtha.importers.fields import Object, as_list, as_object, as_text

__all__ = ["named_file", "words_of"]

_TEXTS = frozenset({"text", "input_text", "output_text", "voice_note"})
_IMAGES = frozenset({"image", "image_url", "input_image", "image_file"})
_AUDIO = frozenset({"audio", "input_audio"})
_FILES = frozenset({"file", "input_file", "document"})


def words_of(content: object, *, tools: bool = False) -> str:
    """Return the words of a content, which is a string or a list of blocks; with `tools`, also calls and what came back."""
    if isinstance(content, str):
        return content
    return "\n".join(words for words in _blocks(content, tools) if words.strip())


def named_file(name: object) -> str:
    """Return what stands for a file: its name, if it has one."""
    shown = " ".join(as_text(name).split())
    return f"[file: {shown}]" if shown else "[file]"


def _blocks(content: object, tools: bool) -> Iterator[str]:
    for one in as_list(content):
        block = as_object(one)
        kind = as_text(block.get("type"))
        if isinstance(one, str):
            yield one
        elif kind in _TEXTS:
            yield _text(block.get("text"))
        elif kind in _IMAGES:
            yield "[image]"
        elif kind in _AUDIO:
            yield "[audio]"
        elif kind in _FILES:
            yield named_file(
                block.get("filename") or block.get("title") or as_object(block.get("file")).get("filename")
            )
        elif tools:
            yield _tool(kind, block)


def _text(value: object) -> str:
    return as_text(value) or as_text(as_object(value).get("value"))


def _tool(kind: str, block: Object) -> str:
    if kind == "tool_use":
        return f"[tool call: {as_text(block.get('name'))}({json.dumps(block.get('input'), ensure_ascii=False)})]"
    if kind == "tool_result":
        return words_of(block.get("content"), tools=True)
    if kind == "tool_call":
        called = as_object(block.get("tool_call"))
        arguments = called.get("args")
        shown = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        call = f"[tool call: {as_text(called.get('name'))}({shown})]"
        return "\n".join(words for words in (call, as_text(called.get("output"))) if words)
    return ""
