"""From a chat completion, whole or in chunks, to a response of the Responses API and its events.

A response of either kind goes through `Writer`, which writes the items in the order in which they begin. Events and their order:
the Open Responses specification of 2026-04-24, and the openai package's types.
"""

from collections.abc import Iterator, Mapping, Sequence
from time import time
from typing import Any

__all__ = ["Event", "Writer", "events_of"]

Event = dict[str, Any]
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


class Writer:
    """Writes one response: `base` are its fields that do not change, `ids` makes the ids of its items."""

    def __init__(self, base: Mapping[str, Any]) -> None:
        self._base = base
        self._output: list[dict[str, Any]] = []
        self._open: dict[str, Any] | None = None  # the item that is being said
        self._calls: dict[int, dict[str, Any]] = {}
        self._finish = ""
        self._usage: Mapping[str, Any] | None = None
        self._model = ""
        self._next = 0

    def begin(self) -> Iterator[Event]:
        """Begin the response."""
        yield self._event("response.created", response=self.response("in_progress"))
        yield self._event("response.in_progress", response=self.response("in_progress"))

    def hear(self, chunk: Mapping[str, Any]) -> Iterator[Event]:
        """Write what a chunk of a completion says."""
        self._model = chunk.get("model") or self._model
        self._usage = chunk.get("usage") or self._usage
        for choice in chunk.get("choices") or ():
            if choice.get("index", 0) != 0:
                continue
            yield from self._said(choice.get("delta") or {}, choice.get("logprobs"))
            self._finish = choice.get("finish_reason") or self._finish

    def end(self, more: Mapping[str, Any]) -> Iterator[Event]:
        """End the response; `more` are fields that are known only now."""
        yield from self._close()
        status = "incomplete" if self._finish in _INCOMPLETE else "completed"
        yield self._event(f"response.{status}", response={**self.response(status), **more})

    def fail(self, message: str) -> Iterator[Event]:
        """End a response that broke off."""
        error = {"code": "server_error", "message": message}
        yield self._event("response.failed", response={**self.response("failed"), "error": error})

    def response(self, status: str) -> dict[str, Any]:
        """Return the response as it stands."""
        reason = _INCOMPLETE.get(self._finish) if status == "incomplete" else None
        return {
            **self._base,
            "model": self._model or self._base.get("model"),
            "status": status,
            "completed_at": int(time()) if status == "completed" else None,
            "output": list(self._output),
            "incomplete_details": {"reason": reason} if reason else None,
            "usage": _usage(self._usage) if status in {"completed", "incomplete"} else None,
        }

    def _said(self, delta: Mapping[str, Any], logprobs: Mapping[str, Any] | None) -> Iterator[Event]:
        if delta.get("content"):
            yield from self._text("output_text", delta["content"], (logprobs or {}).get("content") or [])
        if delta.get("refusal"):
            yield from self._text("refusal", delta["refusal"], [])
        for place, call in enumerate(delta.get("tool_calls") or ()):
            yield from self._called(call.get("index", place), call)

    def _text(self, kind: str, text: str, logprobs: Sequence[Any]) -> Iterator[Event]:
        if self._open is None or self._open["type"] != "message":
            yield from self._close()
            yield from self._add({"type": "message", "role": "assistant", "content": []}, "msg")
        item = self._item
        if not item["content"] or item["content"][-1]["type"] != kind:
            yield from self._close_part()
            new = _part(kind)
            item["content"].append(new)
            yield self._event("response.content_part.added", **self._place, content_index=self._content, part=dict(new))
        part = item["content"][-1]
        if kind == "refusal":
            part["refusal"] += text
            yield self._event("response.refusal.delta", **self._place, content_index=self._content, delta=text)
            return
        part["text"] += text
        part["logprobs"] += logprobs
        yield self._event(
            "response.output_text.delta",
            **self._place,
            content_index=self._content,
            delta=text,
            logprobs=list(logprobs),
        )

    def _called(self, index: int, call: Mapping[str, Any]) -> Iterator[Event]:
        custom = call.get("type") == "custom" or "custom" in call
        called = call.get("custom" if custom else "function") or {}
        if index not in self._calls:
            yield from self._close()
            kind, field = ("custom_tool_call", "input") if custom else ("function_call", "arguments")
            item = {
                "type": kind,
                "call_id": call.get("id") or f"call_{index}",
                "name": called.get("name") or "",
                field: "",
            }
            yield from self._add(item, "ctc" if custom else "fc")
            self._calls[index] = self._item
        item = self._calls[index]
        field = "input" if item["type"] == "custom_tool_call" else "arguments"
        if text := called.get(field):
            item[field] += text
            kind = "custom_tool_call_input" if field == "input" else "function_call_arguments"
            yield self._event(f"response.{kind}.delta", **self._place, delta=text)

    def _add(self, item: dict[str, Any], prefix: str) -> Iterator[Event]:
        item |= {
            "id": f"{prefix}_{self._base['id'].removeprefix('resp_')}_{len(self._output)}",
            "status": "in_progress",
        }
        self._open = item
        self._output.append(item)
        yield self._event("response.output_item.added", output_index=len(self._output) - 1, item=_copy(item))

    def _close(self) -> Iterator[Event]:
        """End the item that is being said."""
        if self._open is None:
            return
        item = self._item
        yield from self._close_part()
        if item["type"] == "function_call":
            yield self._event(
                "response.function_call_arguments.done", **self._place, name=item["name"], arguments=item["arguments"]
            )
        elif item["type"] == "custom_tool_call":
            yield self._event("response.custom_tool_call_input.done", **self._place, input=item["input"])
        cut = item["type"] == "message" and self._finish in _INCOMPLETE
        item["status"] = "incomplete" if cut else "completed"
        yield self._event("response.output_item.done", output_index=len(self._output) - 1, item=_copy(item))
        self._open = None

    def _close_part(self) -> Iterator[Event]:
        item = self._item
        if item["type"] != "message" or not item["content"]:
            return
        part = item["content"][-1]
        if part["type"] == "refusal":
            yield self._event(
                "response.refusal.done", **self._place, content_index=self._content, refusal=part["refusal"]
            )
        else:
            yield self._event(
                "response.output_text.done",
                **self._place,
                content_index=self._content,
                text=part["text"],
                logprobs=part["logprobs"],
            )
        yield self._event("response.content_part.done", **self._place, content_index=self._content, part=dict(part))

    @property
    def _item(self) -> dict[str, Any]:
        if self._open is None:
            raise AssertionError("an item is begun before it is said")
        return self._open

    @property
    def _place(self) -> dict[str, Any]:
        return {"item_id": self._item["id"], "output_index": len(self._output) - 1}

    @property
    def _content(self) -> int:
        return len(self._item["content"]) - 1

    def _event(self, kind: str, **fields: Any) -> Event:  # noqa: ANN401 - whatever the event has
        event = {"type": kind, "sequence_number": self._next, **fields}
        self._next += 1
        return event


def events_of(response: Mapping[str, Any]) -> Iterator[Event]:
    """Write a response that is whole already as the events that would have made it."""
    begun = {**response, "status": "in_progress", "output": [], "usage": None}
    events: list[Event] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
    ]
    for place, item in enumerate(response.get("output") or ()):
        events += _item_events(place, item)
    events.append({"type": f"response.{response.get('status') or 'completed'}", "response": dict(response)})
    for number, event in enumerate(events):
        yield {**event, "sequence_number": number}


def _item_events(place: int, item: Mapping[str, Any]) -> Iterator[Event]:
    where = {"item_id": item.get("id"), "output_index": place}
    empty: dict[str, Any] = {}
    if item.get("type") == "message":
        empty = {"content": []}
    elif "arguments" in item:
        empty = {"arguments": ""}
    yield {
        "type": "response.output_item.added",
        "output_index": place,
        "item": {**item, **empty, "status": "in_progress"},
    }
    parts = item.get("content") or () if item.get("type") == "message" else ()
    for index, part in enumerate(parts):
        yield from _part_events({**where, "content_index": index}, part)
    if item.get("type") == "function_call":
        arguments = item.get("arguments") or ""
        yield {"type": "response.function_call_arguments.delta", **where, "delta": arguments}
        yield {
            "type": "response.function_call_arguments.done", **where, "name": item.get("name"), "arguments": arguments,
        }  # fmt: skip
    yield {"type": "response.output_item.done", "output_index": place, "item": dict(item)}


def _part_events(where: Mapping[str, Any], part: Mapping[str, Any]) -> Iterator[Event]:
    refused = part.get("type") == "refusal"
    text = str(part.get("refusal" if refused else "text") or "")
    empty = {"refusal": ""} if refused else {"text": ""}
    yield {"type": "response.content_part.added", **where, "part": {**part, **empty}}
    if refused:
        yield {"type": "response.refusal.delta", **where, "delta": text}
        yield {"type": "response.refusal.done", **where, "refusal": text}
    else:
        yield {"type": "response.output_text.delta", **where, "delta": text, "logprobs": []}
        yield {"type": "response.output_text.done", **where, "text": text, "logprobs": part.get("logprobs") or []}
    yield {"type": "response.content_part.done", **where, "part": dict(part)}


def _part(kind: str) -> dict[str, Any]:
    if kind == "refusal":
        return {"type": kind, "refusal": ""}
    return {"type": kind, "text": "", "annotations": [], "logprobs": []}


def _copy(item: Mapping[str, Any]) -> dict[str, Any]:
    """Copy an item, which goes on being written."""
    content = {"content": [dict(part) for part in item["content"]]} if "content" in item else {}
    return {**item, **content}


def _usage(usage: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not usage:
        return None
    prompt, completion = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
    details = usage.get("prompt_tokens_details") or {}
    return {
        "input_tokens": prompt,
        "input_tokens_details": {
            "cached_tokens": details.get("cached_tokens") or 0,
            "cache_write_tokens": details.get("cache_write_tokens") or 0,
        },
        "output_tokens": completion,
        "output_tokens_details": {
            "reasoning_tokens": (usage.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
        },
        "total_tokens": usage.get("total_tokens") or prompt + completion,
    }
