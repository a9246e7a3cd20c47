"""The story with LangChain's ChatOpenAI: by chat completions, or by responses where the third word says so."""

import json
import sys
from importlib.metadata import version
from typing import Any

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

URL, KEY, STORY, API = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), sys.argv[4]
asked_of_tool: list[str] = []


@tool
def weather(place: str) -> str:
    """Tell the weather of a place."""
    asked_of_tool.append(place)
    return "It rains."


def model(user: str | None) -> ChatOpenAI:
    """A model of a user: `user` goes with each of its requests."""
    named: dict[str, Any] = {"user": user} if user else {}
    return ChatOpenAI(
        model="tirtha",
        base_url=URL,
        api_key=KEY,
        max_retries=0,
        use_responses_api=API == "responses",
        include_response_headers=True,
        model_kwargs=named,
    )


def with_tool(user: str, text: str) -> str:
    """Let it call tools until it answers."""
    bound = model(user).bind_tools([weather])
    messages: list[Any] = [HumanMessage(text)]
    for _ in range(3):
        answer = bound.invoke(messages)
        messages.append(answer)
        if not answer.tool_calls:
            return str(answer.text)
        messages += [ToolMessage(weather.invoke(call["args"]), tool_call_id=call["id"]) for call in answer.tool_calls]
    return ""


known = model("ann")
result = {
    "versions": {name: version(name) for name in ("langchain-openai", "langchain-core", "openai")},
    "stated": known.invoke(STORY["tell"]).text,
    "known": (answer := known.invoke(STORY["ask"])).text,
    "foreign": model("bob").invoke(STORY["ask"]).text,
    "unnamed": model(None).invoke(STORY["ask"]).text,
    "pieces": [piece.text for piece in known.stream(STORY["stream"]) if piece.text],
    "tool_answer": with_tool("ann", STORY["tool"]),
    "asked_of_tool": asked_of_tool,
    "memory_header": (answer.response_metadata.get("headers") or {}).get("x-tirtha-memory"),
}
print(json.dumps(result))  # noqa: T201 - what the test reads
