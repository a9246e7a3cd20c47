"""Agents: clients of the Model Context Protocol's own SDK, over HTTP to a server or over standard input and output of a process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.session import ClientRequestContext
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult, TextContent, TextResourceContents

from tests.support.server import COMMAND, environment

__all__ = ["ERAS", "Era", "Person", "agent", "data", "eras", "process_agent", "refusal", "resource_text", "sessions_of"]

Era = Literal["auto", "legacy"]
ERAS: tuple[Era, ...] = ("auto", "legacy")  # the protocol of 2026-07-28, and the one before it
# Over HTTP and pipes the older one is slow beside the newer; `test_server.py` speaks both without them.
eras = pytest.mark.parametrize("era", ["auto", pytest.param("legacy", marks=pytest.mark.slow)])


class Person:
    """Somebody who sits before a client, and whom it asks; `asked` holds the questions."""

    def __init__(self, *, action: Literal["accept", "decline", "cancel"] = "accept", says: bool = True) -> None:
        self.asked: list[str] = []
        self._action = action
        self._says = says

    async def answer(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        self.asked.append(params.message)
        content: dict[str, Any] | None = {"confirm": self._says} if self._action == "accept" else None
        return ElicitResult(action=self._action, content=content)


@asynccontextmanager
async def agent(
    url: str, *, key: str | None = None, user: str | None = None, era: Era = "auto", person: Person | None = None
) -> AsyncIterator[Client]:
    """A client over HTTP."""
    headers = ({"authorization": f"Bearer {key}"} if key else {}) | ({"x-tirtha-user": user} if user else {})
    async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
        transport = streamable_http_client(f"{url}/mcp", http_client=http)
        answering = person.answer if person else None
        async with Client(transport, mode=era, elicitation_callback=answering) as client:
            yield client


@asynccontextmanager
async def process_agent(
    home: Path, *arguments: str, era: Era = "auto", person: Person | None = None, **extra: str
) -> AsyncIterator[Client]:
    """A client of a process `tirtha mcp`."""
    parameters = StdioServerParameters(
        command=COMMAND, args=["mcp", *arguments], env=environment(home, TIRTHA_LOG_LEVEL="warning", **extra)
    )
    async with Client(parameters, mode=era, elicitation_callback=person.answer if person else None) as client:
        yield client


def sessions_of(url: str, user: str) -> list[str]:
    """The ids of the sessions that a server without keys holds of a user, as HTTP lists them."""
    answer = httpx.get(f"{url}/v1/sessions", params={"user_id": user})
    return [str(one["session_id"]) for one in answer.json()["sessions"]]


def data(result: CallToolResult) -> dict[str, Any]:
    """What a tool returned, as structured output; the text beside it says the same."""
    assert not result.is_error, result.content
    structured = result.structured_content
    assert isinstance(structured, dict)
    return structured


def refusal(result: CallToolResult) -> str:
    """The words in which a tool refused."""
    assert result.is_error, result.structured_content
    [words] = result.content
    assert isinstance(words, TextContent)
    return words.text


async def resource_text(client: Client, uri: str) -> str:
    """What a resource reads as."""
    [content] = (await client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    return content.text
