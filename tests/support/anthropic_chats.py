"""A served Tirtha before a tier that speaks Anthropic's protocol, and Anthropic's own client in front of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import anthropic
import httpx
from anthropic.types import Message, MessageParam

from memory.encoding.encoder import Encoder
from tests.support.chat_server import ChatServer, chat_server
from tests.support.server import serving

__all__ = [
    "ASKED",
    "CLAUDE_CODE",
    "TOLD",
    "WEATHER",
    "House",
    "block",
    "house",
    "last_message",
    "remembered",
    "say",
    "words",
]

TOLD = "My sister Ada lives in Bergen and has a boat named Vega."

ASKED = "Where does my sister Ada live?"

WEATHER: Any = {
    "name": "weather",
    "description": "Tell the weather of a place.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}

CLAUDE_CODE = {"user-agent": "claude-cli/2.1.92 (external, cli)"}


class House(NamedTuple):
    """A served Tirtha and its tier."""

    url: str
    tier: ChatServer

    def client(self, key: str = "none", **headers: str) -> anthropic.Anthropic:
        """The SDK; it wants a key, and without keys of ours any will do."""
        return anthropic.Anthropic(base_url=self.url, api_key=key, max_retries=0, default_headers=headers)


@contextmanager
def house(home: Path, encoder: Encoder, **extra: str) -> Iterator[House]:
    tier_settings = {
        "TIRTHA_FRONTIER_MODEL": "claude",
        "TIRTHA_FRONTIER_PROTOCOL": "anthropic",
        "TIRTHA_FRONTIER_KEY": "sk-ant-of-the-tier",
        "TIRTHA_FRONTIER_INPUT_USD_PER_MTOK": "3",
        "TIRTHA_FRONTIER_OUTPUT_USD_PER_MTOK": "15",
        "TIRTHA_FRONTIER_TRIES": "1",
    }
    with (
        chat_server("claude", key="sk-ant-of-the-tier", anthropic=True) as tier,
        serving(home, encoder, **(tier_settings | {"TIRTHA_FRONTIER_URL": tier.url} | extra)) as url,
    ):
        yield House(url, tier)


def say(client: anthropic.Anthropic, *said: MessageParam | str, user: str | None = None, **more: Any) -> Message:
    turns: list[MessageParam] = [{"role": "user", "content": one} if isinstance(one, str) else one for one in said]
    named: Any = {"metadata": {"user_id": user}} if user else {}
    answer: Message = client.messages.create(model="tirtha", max_tokens=200, messages=turns, **named, **more)
    return answer


def words(message: Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def block(message: Message) -> dict[str, Any]:
    return dict((message.model_extra or {})["tirtha"])


def remembered(opened: House, user: str, **headers: str) -> list[tuple[str, str]]:
    found = httpx.get(f"{opened.url}/v1/memories", params={"user_id": user}, headers=headers).json()
    return [(turn["role"], turn["text"]) for turn in found["turns"]]


def last_message(tier: ChatServer) -> str:
    return json.dumps(tier.requests[-1]["messages"][-1])
