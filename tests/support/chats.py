"""Replies of the scripted server to chats: whole or streamed as the request asks for, in each protocol."""

import json
from typing import Any

from tests.support.chat_server import Reply, Script, says

__all__ = ["chats", "sse", "tells"]


def sse(*events: dict[str, Any], done: bool = True, named: bool = False) -> Reply:
    """A stream of server-sent events."""
    lines = [(f"event: {event['type']}\n" if named else "") + f"data: {json.dumps(event)}\n\n" for event in events]
    body = "".join(lines) + ("data: [DONE]\n\n" if done else "")
    return Reply(body=body.encode(), headers={"content-type": "text/event-stream"})


def tells(request: dict[str, Any], text: str, *, calls: list[dict[str, Any]] | None = None, **how: Any) -> Reply:
    """A chat completion that says `text`, or calls tools, streamed if the request asks for it."""
    finish = "tool_calls" if calls else how.pop("finish", "stop")
    if not request.get("stream"):
        return says(text or None, finish=finish, more={"tool_calls": calls} if calls else None, **how)
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": how.get("model", "scripted")}
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": word} for word in text.split(" ") for word in (word + " ",)] if text else []
    if text:
        deltas[-1]["content"] = deltas[-1]["content"].rstrip()
    for place, call in enumerate(calls or ()):
        function = call["function"]
        deltas.append(
            {
                "tool_calls": [
                    {
                        "index": place,
                        "id": call["id"],
                        "type": "function",
                        "function": {"name": function["name"], "arguments": ""},
                    }
                ]
            }
        )
        deltas += [
            {"tool_calls": [{"index": place, "function": {"arguments": part}}]}
            for part in (function["arguments"][:3], function["arguments"][3:])
        ]
    events = [{**chunk, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    events.append({**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    if (request.get("stream_options") or {}).get("include_usage"):
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        events.append({**chunk, "choices": [], "usage": usage})
    return sse(*events)


def chats(*texts: str) -> Script:
    """A script that says these texts one after another, and the last one from then on."""
    left = list(texts)

    def run(request: dict[str, Any]) -> Reply:
        return tells(request, left.pop(0) if len(left) > 1 else left[0])

    return run
