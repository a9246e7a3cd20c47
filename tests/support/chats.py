"""Replies of the scripted server to chats: whole or streamed as the request asks for, in each protocol."""

import json
from typing import Any

from tests.support.chat_server import Reply, Script, says

__all__ = ["chat_reply", "chats", "responds", "sse"]


def sse(*events: dict[str, Any], done: bool = True, named: bool = False) -> Reply:
    """A stream of server-sent events."""
    lines = [(f"event: {event['type']}\n" if named else "") + f"data: {json.dumps(event)}\n\n" for event in events]
    body = "".join(lines) + ("data: [DONE]\n\n" if done else "")
    return Reply(body=body.encode(), headers={"content-type": "text/event-stream"})


def chat_reply(request: dict[str, Any], text: str, *, calls: list[dict[str, Any]] | None = None, **how: Any) -> Reply:
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
        return chat_reply(request, left.pop(0) if len(left) > 1 else left[0])

    return run


def responds(request: dict[str, Any], text: str, *, calls: list[dict[str, Any]] | None = None) -> Reply:
    """A response of the Responses API that says `text`, or calls tools (as chat completions write them); streamed if asked for."""
    items = [_called(place, call) for place, call in enumerate(calls or ())] or [_message(text)]
    response = _response(request, items)
    if not request.get("stream"):
        return Reply(body=json.dumps(response).encode())
    begun = {**response, "status": "in_progress", "output": [], "usage": None, "completed_at": None}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
    ]
    for place, item in enumerate(items):
        events += _item_events(place, item)
    events.append({"type": "response.completed", "response": response})
    return sse(*({**event, "sequence_number": n} for n, event in enumerate(events)), done=False, named=True)


def _response(request: dict[str, Any], items: list[dict[str, Any]]) -> dict[str, Any]:
    """All fields that the Open Responses specification requires."""
    tools = [{"strict": None, "description": None, **tool} for tool in request.get("tools") or ()]
    return {
        "id": "resp_of_the_tier",
        "object": "response",
        "created_at": 1,
        "completed_at": 2,
        "status": "completed",
        "incomplete_details": None,
        "model": "scripted",
        "previous_response_id": None,
        "instructions": request.get("instructions"),
        "output": items,
        "error": None,
        "tools": tools,
        "tool_choice": request.get("tool_choice") or "auto",
        "truncation": "disabled",
        "parallel_tool_calls": True,
        "text": {"format": {"type": "text"}},
        "top_p": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "top_logprobs": 0,
        "temperature": 1.0,
        "reasoning": None,
        "user": None,
        "usage": {
            "input_tokens": 100,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 10,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 110,
        },
        "max_output_tokens": None,
        "max_tool_calls": None,
        "store": False,
        "background": False,
        "service_tier": "default",
        "metadata": {},
        "safety_identifier": None,
        "prompt_cache_key": None,
    }


def _message(text: str) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}


def _called(place: int, call: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "function_call",
        "id": f"fc_{place}",
        "call_id": call["id"],
        "status": "completed",
        **call["function"],
    }


def _item_events(place: int, item: dict[str, Any]) -> list[dict[str, Any]]:
    where = {"item_id": item["id"], "output_index": place}
    empty: dict[str, Any] = {"content": []} if item["type"] == "message" else {"arguments": ""}
    added = {
        "type": "response.output_item.added",
        "output_index": place,
        "item": {**item, **empty, "status": "in_progress"},
    }
    done = {"type": "response.output_item.done", "output_index": place, "item": item}
    if item["type"] == "function_call":
        arguments = item["arguments"]
        kind = "response.function_call_arguments"
        said = [{"type": f"{kind}.delta", **where, "delta": part} for part in (arguments[:3], arguments[3:])]
        said.append({"type": f"{kind}.done", **where, "name": item["name"], "arguments": arguments})
        return [added, *said, done]
    [part] = item["content"]
    inside = {**where, "content_index": 0}
    words = [word + " " for word in part["text"].split(" ")]
    words[-1] = words[-1].rstrip()
    return [
        added,
        {"type": "response.content_part.added", **inside, "part": {**part, "text": ""}},
        *({"type": "response.output_text.delta", **inside, "delta": word, "logprobs": []} for word in words),
        {"type": "response.output_text.done", **inside, "text": part["text"], "logprobs": []},
        {"type": "response.content_part.done", **inside, "part": part},
        done,
    ]
