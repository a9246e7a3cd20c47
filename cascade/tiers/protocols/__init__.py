"""The cascade's own requests in each protocol that servers speak: how one is written, and how its answer is read.

`chat` are OpenAI's chat completions, `responses` its Responses API, `anthropic` the Messages API.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import openai
from pydantic import SecretStr

from cascade.model import ChatRequest, Completion, WireProtocol
from cascade.tiers.dialect import Dialect
from cascade.tiers.protocols.anthropic import Anthropic
from cascade.tiers.protocols.chat import ChatCompletions
from cascade.tiers.protocols.responses import Responses

__all__ = ["Speech", "speech"]


class Speech(Protocol):
    """A protocol."""

    @property
    def path(self) -> str:
        """Where requests go, below the server's address."""

    @property
    def cast_to(self) -> type[object]:
        """What the client makes of a response."""

    @property
    def listing(self) -> Mapping[str, str]:
        """What is asked of the list of models, so that all of them are on one page."""

    def body(self, request: ChatRequest, dialect: Dialect) -> dict[str, Any]:
        """Write a request, but for the model's name."""

    def completion(self, answered: object) -> Completion:
        """Read a response. Raises ChatFailed, with what it cost all the same."""

    def headers(self, key: SecretStr | None) -> Mapping[str, str | openai.Omit]:
        """Return the headers that a server of this protocol wants, beside `Authorization: Bearer KEY`."""


def speech(protocol: WireProtocol) -> Speech:
    """Return how a protocol is spoken."""
    match protocol:
        case "chat":
            return ChatCompletions()
        case "responses":
            return Responses()
        case "anthropic":
            return Anthropic()
