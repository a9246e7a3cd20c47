"""Replies of the scripted server in Anthropic's Messages API, whole or streamed as the request asks for."""

import json
from collections.abc import Iterator
from typing import Any

from tests.support.chat_server import Reply, Script, error
from tests.support.chats import sse

__all__ = ["Block", "calls", "fails", "messages", "replies", "thinks"]

Block = dict[str, Any]
_USAGE = {"input_tokens": 100, "output_tokens": 10, "cache_read_input_tokens": 40, "cache_creation_input_tokens": 0}


def calls(name: str, arguments: dict[str, Any], key: str = "toolu_1") -> Block:
    """A call of a tool."""
    return {"type": "tool_use", "id": key, "name": name, "input": arguments}


def thinks(text: str) -> Block:
    """A thought, with the signature that must come back with it."""
    return {"type": "thinking", "thinking": text, "signature": "c2lnbmVk"}


def replies(request: dict[str, Any], *said: str | Block, stop: str = "", usage: dict[str, Any] | None = None) -> Reply:
    """A message of these texts and blocks."""
    blocks: list[Block] = [{"type": "text", "text": one} if isinstance(one, str) else one for one in said]
    called = any(block["type"] == "tool_use" for block in blocks)
    whole = {
        "id": "msg_of_the_server",
        "type": "message",
        "role": "assistant",
        "model": request["model"],
        "content": blocks,
        "stop_reason": stop or ("tool_use" if called else "end_turn"),
        "stop_sequence": None,
        "usage": usage or _USAGE,
    }
    if not request.get("stream"):
        return Reply(body=json.dumps(whole).encode())
    return sse(*_events(whole), done=False, named=True)


def messages(*texts: str | Block) -> Script:
    """A script that says these one after another, and the last one from then on."""
    left = list(texts)

    def run(request: dict[str, Any]) -> Reply:
        return replies(request, left.pop(0) if len(left) > 1 else left[0])

    return run


def fails(status: int, kind: str, message: str) -> Script:
    """A script that refuses everything, as Anthropic's API does."""
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}
    return lambda request: error(status, body)


def _events(whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    begun: dict[str, Any] = {"content": [], "stop_reason": None, "usage": {**whole["usage"], "output_tokens": 1}}
    yield {"type": "message_start", "message": whole | begun}
    yield {"type": "ping"}
    for index, block in enumerate(whole["content"]):
        yield from ({**event, "index": index} for event in _of_block(block))
    delta = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": whole["usage"]["output_tokens"]}}
    yield {"type": "message_stop"}


def _of_block(block: Block) -> Iterator[dict[str, Any]]:
    match block["type"]:
        case "text":
            empty: Block = {"text": ""}
            deltas: list[Block] = [{"type": "text_delta", "text": f"{word} "} for word in block["text"].split(" ")]
            deltas[-1]["text"] = deltas[-1]["text"].rstrip()
        case "thinking":
            empty = {"thinking": "", "signature": ""}
            deltas = [
                {"type": "thinking_delta", "thinking": block["thinking"]},
                {"type": "signature_delta", "signature": block["signature"]},
            ]
        case _:
            empty, text = {"input": {}}, json.dumps(block["input"])
            deltas = [{"type": "input_json_delta", "partial_json": part} for part in (text[:4], text[4:])]
    yield {"type": "content_block_start", "content_block": block | empty}
    yield from ({"type": "content_block_delta", "delta": delta} for delta in deltas)
    yield {"type": "content_block_stop"}
