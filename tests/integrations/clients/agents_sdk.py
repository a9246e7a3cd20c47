"""The story with OpenAI's Agents SDK: its Runner, a tool, a stream, and its session that compacts."""

import asyncio
import json
import sys
from importlib.metadata import version
from typing import Any

from agents import (
    Agent,
    ModelSettings,
    OpenAIResponsesCompactionSession,
    Runner,
    SQLiteSession,
    function_tool,
    set_default_openai_client,
    set_tracing_disabled,
)
from openai import AsyncOpenAI

asked_of_tool: list[str] = []


@function_tool
def weather(place: str) -> str:
    """Tell the weather of a place."""
    asked_of_tool.append(place)
    return "It rains."


def agent(user: str | None, *, tools: bool = False) -> Agent[None]:
    """An agent of a user: the header names them in each of its calls."""
    headers = {"X-Tirtha-User": user} if user else None
    settings = ModelSettings(extra_headers=headers)
    return Agent(name="clerk", model="tirtha", model_settings=settings, tools=[weather] if tools else [])


async def said(user: str | None, text: str, *, tools: bool = False) -> str:
    return str((await Runner.run(agent(user, tools=tools), text)).final_output)


async def streamed(user: str, text: str) -> list[str]:
    run = Runner.run_streamed(agent(user), text)
    return [
        event.data.delta
        async for event in run.stream_events()
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta"
    ]


async def compacting(client: AsyncOpenAI, lines: list[str]) -> dict[str, Any]:
    """A session that shortens itself: after each run where the history is long, by /v1/responses/compact."""
    own = client.with_options(default_headers={"X-Tirtha-User": "cleo"})
    items = SQLiteSession("the long one")
    session = OpenAIResponsesCompactionSession(
        "the long one",
        items,
        client=own,
        model="gpt-4.1",  # the class takes OpenAI's names only: the tier lists it among its accepted_models
        compaction_mode="input",
        should_trigger_compaction=lambda context: len(context["session_items"]) >= 12,
    )
    for line in lines:
        result = await Runner.run(agent("cleo"), line, session=session)
    kept = await items.get_items()
    return {"answer": str(result.final_output), "kinds": [item.get("type", "message") for item in kept]}


async def main() -> None:
    url, key, story = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    set_tracing_disabled(disabled=True)
    client = AsyncOpenAI(base_url=url, api_key=key, max_retries=0)
    set_default_openai_client(client)
    results = {
        "versions": {name: version(name) for name in ("openai-agents", "openai")},
        "stated": await said("ann", story["tell"]),
        "known": await said("ann", story["ask"]),
        "foreign": await said("bob", story["ask"]),
        "unnamed": await said(None, story["ask"]),
        "pieces": await streamed("ann", story["stream"]),
        "tool_answer": await said("ann", story["tool"], tools=True),
        "asked_of_tool": asked_of_tool,
        "compacted": await compacting(client, story["long"]),
    }
    print(json.dumps(results))  # noqa: T201 - what the test reads


asyncio.run(main())
