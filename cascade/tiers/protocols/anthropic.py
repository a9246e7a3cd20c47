"""Anthropic's messages: requests of the cascade in that protocol, and the answers to them.

The key goes in `x-api-key`. A schema goes in `output_config.format`, as the API of 2026 has it; there are no token probabilities.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import openai
from pydantic import SecretStr

from cascade.model import ChatRequest, Completion
from cascade.tiers.dialect import Dialect
from cascade.tiers.protocols.heard import heard_completion

__all__ = ["VERSION", "Anthropic"]

VERSION = "2023-06-01"  # of the API, where a client names none
_FINISHES = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "model_context_window_exceeded": "length",
    "max_tokens": "length",
}


class Anthropic:
    """`POST /messages`."""

    path = "/messages"
    cast_to = object
    listing: Mapping[str, str] = MappingProxyType({"limit": "1000"})

    def body(self, request: ChatRequest, dialect: Dialect) -> dict[str, Any]:
        """Write a request; its instructions stand apart from its messages."""
        instructions = [message.content for message in request.messages if message.role == "system"]
        conversation = [message for message in request.messages if message.role != "system"]
        body: dict[str, Any] = {
            "messages": [{"role": message.role, "content": message.content} for message in conversation],
            "max_tokens": request.max_tokens,
        }
        if instructions:
            body["system"] = "\n\n".join(instructions)
        if dialect.temperature:
            body["temperature"] = request.temperature
        config: dict[str, Any] = {"effort": dialect.reasoning_effort} if dialect.reasoning_effort else {}
        if dialect.structured and request.schema:
            config["format"] = {"type": "json_schema", "schema": json.loads(request.schema)}
        return body | ({"output_config": config} if config else {})

    def completion(self, answered: object) -> Completion:
        """Read a message. Raises ChatFailed."""
        return heard_completion("anthropic", answered, finishes=_FINISHES)

    def headers(self, key: SecretStr | None) -> Mapping[str, str | openai.Omit]:
        """Return the key as this API takes it, and not as the others do."""
        shown: dict[str, str | openai.Omit] = {"Authorization": openai.Omit(), "anthropic-version": VERSION}
        if key:
            shown["x-api-key"] = key.get_secret_value().strip()
        return shown
