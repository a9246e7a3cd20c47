"""From a request of the Responses API to one of chat completions, for a tier whose server knows only these."""

from collections.abc import Mapping, Sequence
from typing import Any

from tirtha.chat_api.responses.items import Item, notes_in
from tirtha.errors import BadChat

__all__ = ["chat_request"]

# Of the Responses API and unknown to chat completions; what is not in here is passed on.
_OWN = frozenset(
    """background context_management conversation include input instructions max_output_tokens max_tool_calls model
    previous_response_id prompt reasoning store stream stream_options text tool_choice tools top_logprobs truncation""".split()
)
_LOGPROBS = "message.output_text.logprobs"


def chat_request(body: Mapping[str, Any], items: Sequence[Item]) -> dict[str, Any]:
    """Return the body of a chat completion. Raises BadChat for what chat completions cannot do."""
    request = {name: value for name, value in body.items() if name not in _OWN}
    request["messages"] = _messages(body.get("instructions"), items)
    if body.get("tools"):
        request["tools"] = [_tool(place, tool) for place, tool in enumerate(body["tools"])]
        if body.get("tool_choice") is not None:
            request["tool_choice"] = _tool_choice(body["tool_choice"])
    if body.get("max_output_tokens") is not None:
        request["max_tokens"] = body["max_output_tokens"]
    form = (body.get("text") or {}).get("format") or {}
    if form.get("type") == "json_schema":
        schema = {name: value for name, value in form.items() if name != "type"}
        request["response_format"] = {"type": "json_schema", "json_schema": schema}
    elif form.get("type") == "json_object":
        request["response_format"] = {"type": "json_object"}
    if body.get("top_logprobs") or _LOGPROBS in (body.get("include") or ()):
        request["logprobs"] = True
        request["top_logprobs"] = body.get("top_logprobs") or 0
    return request


def _messages(instructions: object, items: Sequence[Item]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    if isinstance(instructions, str) and instructions:
        messages.append({"role": "system", "content": instructions})
    for item in items:
        _add(messages, item)
    return messages


def _add(messages: list[dict[str, Any]], item: Item) -> None:
    match item["type"]:
        case "message":
            role = "system" if item["role"] == "developer" else item["role"]
            messages.append({"role": role, "content": _content(item["content"], role)})
        case "function_call":
            function = {"name": item.get("name"), "arguments": item.get("arguments") or "{}"}
            _call(messages, {"id": item.get("call_id"), "type": "function", "function": function})
        case "custom_tool_call":
            custom = {"name": item.get("name"), "input": item.get("input") or ""}
            _call(messages, {"id": item.get("call_id"), "type": "custom", "custom": custom})
        case "function_call_output" | "custom_tool_call_output":
            content = _content(item.get("output"), "tool")
            messages.append({"role": "tool", "tool_call_id": item.get("call_id"), "content": content})
        case "compaction":
            if notes := notes_in(item):
                messages.append({"role": "user", "content": notes})


def _call(messages: list[dict[str, Any]], call: dict[str, Any]) -> None:
    """Add a call to the assistant's message before it, or to a new one: results must follow all calls of a message."""
    if messages and messages[-1]["role"] == "assistant":
        messages[-1].setdefault("tool_calls", []).append(call)
    else:
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})


def _content(content: object, role: str) -> object:
    if not isinstance(content, list):
        return content if isinstance(content, str) else ""
    parts = [_part(part) for part in content if isinstance(part, Mapping)]
    if role != "user" or all(part["type"] == "text" for part in parts):
        return "\n".join(part.get("text", "") for part in parts)
    return parts


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    match part.get("type"):
        case "input_text" | "output_text" | "text":
            return {"type": "text", "text": part.get("text") or ""}
        case "refusal":
            return {"type": "text", "text": part.get("refusal") or ""}
        case "input_image":
            url = part.get("image_url")
            if not isinstance(url, str):
                raise BadChat("input", "holds an image without image_url; ids of files cannot be resolved here")
            return {"type": "image_url", "image_url": {"url": url, "detail": part.get("detail") or "auto"}}
        case "input_file":
            file = {name: part[name] for name in ("filename", "file_data", "file_id") if name in part}
            return {"type": "file", "file": file}
        case "input_audio":
            return dict(part)
    raise BadChat("input", f"holds a part of type {part.get('type')!r}, which the model's server does not take")


def _tool(place: int, tool: Mapping[str, Any]) -> dict[str, Any]:
    if tool.get("type") not in {"function", "custom"}:
        raise BadChat(
            f"tools[{place}].type", f"is {tool.get('type')!r}: only function and custom tools can be called here"
        )
    held = {name: value for name, value in tool.items() if name != "type"}
    return {"type": tool["type"], tool["type"]: held}


def _tool_choice(choice: object) -> object:
    if isinstance(choice, Mapping) and choice.get("type") in {"function", "custom"}:
        return {"type": choice["type"], choice["type"]: {"name": choice.get("name")}}
    return choice
