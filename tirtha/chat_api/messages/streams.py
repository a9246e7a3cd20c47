"""Events of a streamed message: passed on as the tier's server sends them, or written for a message that was checked before.

The message goes by our id. Its last `message_delta` waits for what became of the request, and carries it.
"""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from cascade.errors import TierDown
from tirtha.chat_api.answers import block, sse
from tirtha.operations.chat.asked import ChatOutcome
from tirtha.operations.chat.run import ChatStream

__all__ = ["afterwards", "as_said", "message"]

_PREFIX = "msg_"
_LAST = "message_delta"
_END = "message_stop"
# What a block's deltas fill in, which is empty in the event that begins it: by the kind of the delta.
_DELTAS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "text": (("text", "text_delta"),),
    "thinking": (("thinking", "thinking_delta"), ("signature", "signature_delta")),
}


def message(outcome: ChatOutcome) -> dict[str, Any]:
    """Return the tier's message, under an id of its own, with what became of the request."""
    return {**outcome.response, "id": f"{_PREFIX}{outcome.begun.decision_id}", "tirtha": block(outcome)}


async def as_said(said: ChatStream) -> AsyncIterator[bytes]:
    """Send events on as they come; the end waits until it is known what became of the request."""
    held: list[dict[str, Any]] = []
    try:
        async for event in said:
            if event.get("type") == "message_start":
                started = {**event.get("message", {}), "id": f"{_PREFIX}{said.begun.decision_id}"}
                event = {**event, "message": started}  # noqa: PLW2901 - the event as it goes on
            if event.get("type") in {_LAST, _END}:
                held.append(event)
            else:
                yield _written(event)
    except TierDown as fault:
        yield _written(_error(str(fault)))
        return
    if not held or held[-1]["type"] != _END:
        yield _written(_error("the model's server ended its stream before the message's end"))
        return
    last = max((place for place, event in enumerate(held) if event["type"] == _LAST), default=None)
    for place, event in enumerate(held):
        ends = place == last and said.outcome is not None
        yield _written({**event, "tirtha": block(said.outcome)} if ends and said.outcome else event)


async def afterwards(outcome: ChatOutcome) -> AsyncIterator[bytes]:
    """Send a message that was checked before as a stream."""
    for event in _events(message(outcome)):
        yield _written(event)


def _events(whole: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    shown = {name: value for name, value in whole.items() if name != "tirtha"}
    usage = whole.get("usage") or {}
    started = {
        **shown,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**usage, "output_tokens": 0},
    }
    yield {"type": "message_start", "message": started}
    for index, content in enumerate(whole.get("content") or ()):
        yield from _block_events(index, content)
    ended = {name: whole.get(name) for name in ("stop_reason", "stop_sequence")}
    yield {"type": _LAST, "delta": ended, "usage": usage, "tirtha": whole["tirtha"]}
    yield {"type": _END}


def _block_events(index: int, content: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Write a block as the deltas that make it; one of a kind without deltas begins whole."""
    fields = _DELTAS.get(content["type"], ())
    begun, deltas = dict(content), []
    for name, kind in fields:
        if name in content:
            begun[name] = ""
            deltas.append({"type": kind, name: content[name]})
    if "input" in content:
        begun["input"] = {}
        deltas.append({"type": "input_json_delta", "partial_json": json.dumps(content["input"], ensure_ascii=False)})
    yield {"type": "content_block_start", "index": index, "content_block": begun}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def _error(text: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": "api_error", "message": text}}


def _written(event: Mapping[str, Any]) -> bytes:
    return sse(event, event=str(event.get("type")))
