"""The story with LiteLLM, which calls chat completions."""

import json
import sys
from importlib.metadata import version
from typing import Any

import litellm

URL, KEY, STORY = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
asked_of_tool: list[str] = []
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tell the weather of a place.",
        "parameters": {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
    },
}


def complete(user: str | None, messages: list[Any], **more: Any) -> Any:
    """Ask as a user: the header names them, since LiteLLM drops the parameter `user` for models that it does not know."""
    headers = {"X-Tirtha-User": user} if user else {}
    return litellm.completion(
        model="openai/tirtha",
        api_base=URL,
        api_key=KEY,
        messages=messages,
        num_retries=0,
        extra_headers=headers,
        **more,
    )


def said(user: str | None, text: str) -> str:
    return str(complete(user, [{"role": "user", "content": text}]).choices[0].message.content)


def with_tool(user: str, text: str) -> str:
    """Let it call tools until it answers."""
    messages: list[Any] = [{"role": "user", "content": text}]
    for _ in range(3):
        message = complete(user, messages, tools=[WEATHER]).choices[0].message
        messages.append(message.model_dump(exclude_none=True))
        if not message.tool_calls:
            return str(message.content)
        for call in message.tool_calls:
            asked_of_tool.append(json.loads(call.function.arguments)["place"])
            messages.append({"role": "tool", "tool_call_id": call.id, "content": "It rains."})
    return ""


result = {
    "versions": {name: version(name) for name in ("litellm", "openai")},
    "stated": said("ann", STORY["tell"]),
    "known": said("ann", STORY["ask"]),
    "foreign": said("bob", STORY["ask"]),
    "unnamed": said(None, STORY["ask"]),
    "pieces": [
        piece.choices[0].delta.content
        for piece in complete("ann", [{"role": "user", "content": STORY["stream"]}], stream=True)
        if piece.choices and piece.choices[0].delta.content
    ],
    "tool_answer": with_tool("ann", STORY["tool"]),
    "asked_of_tool": asked_of_tool,
}
print(json.dumps(result))  # noqa: T201 - what the test reads
