"""The story with Pydantic AI: by its model of chat completions, or of responses where the third word says so."""

import asyncio
import json
import sys
from importlib.metadata import version

from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings

URL, KEY, STORY, API = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), sys.argv[4]
asked_of_tool: list[str] = []


def weather(place: str) -> str:
    """Tell the weather of a place."""
    asked_of_tool.append(place)
    return "It rains."


def agent(user: str | None, *, tools: bool = False) -> Agent[None, str]:
    """An agent of a user: the header names them in each of its calls."""
    provider = OpenAIProvider(base_url=URL, api_key=KEY)
    kind = OpenAIResponsesModel if API == "responses" else OpenAIChatModel
    settings = ModelSettings(extra_headers={"X-Tirtha-User": user}) if user else None
    return Agent(kind("tirtha", provider=provider), model_settings=settings, tools=[weather] if tools else [])


async def said(user: str | None, text: str, *, tools: bool = False) -> str:
    return str((await agent(user, tools=tools).run(text)).output)


async def streamed(user: str, text: str) -> list[str]:
    async with agent(user).run_stream(text) as run:
        return [piece async for piece in run.stream_text(delta=True, debounce_by=None)]


async def main() -> None:
    result = {
        "versions": {name: version(name) for name in ("pydantic-ai-slim", "openai")},
        "stated": await said("ann", STORY["tell"]),
        "known": await said("ann", STORY["ask"]),
        "foreign": await said("bob", STORY["ask"]),
        "unnamed": await said(None, STORY["ask"]),
        "pieces": await streamed("ann", STORY["stream"]),
        "tool_answer": await said("ann", STORY["tool"], tools=True),
        "asked_of_tool": asked_of_tool,
    }
    print(json.dumps(result))  # noqa: T201 - what the test reads


asyncio.run(main())
