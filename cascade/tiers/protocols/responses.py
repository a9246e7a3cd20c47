"""OpenAI's Responses API: requests of the cascade in that protocol, and the answers to them.

Nothing is stored at the server. Token probabilities are not asked for.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import openai
from pydantic import SecretStr

from cascade.model import ChatRequest, Completion
from cascade.tiers.dialect import Dialect
from cascade.tiers.protocols.heard import heard_completion

__all__ = ["Responses"]

_FINISHES = {"completed": "stop", "max_output_tokens": "length"}


class Responses:
    """`POST /responses`."""

    path = "/responses"
    cast_to = object
    listing: Mapping[str, str] = MappingProxyType({})

    def body(self, request: ChatRequest, dialect: Dialect) -> dict[str, Any]:
        """Write a request; its instructions stand apart from its messages."""
        instructions = [message.content for message in request.messages if message.role == "system"]
        conversation = [message for message in request.messages if message.role != "system"]
        body: dict[str, Any] = {
            "input": [
                {"type": "message", "role": message.role, "content": message.content} for message in conversation
            ],
            "max_output_tokens": request.max_tokens,
            "store": False,
        }
        if instructions:
            body["instructions"] = "\n\n".join(instructions)
        if dialect.temperature:
            body["temperature"] = request.temperature
        if dialect.reasoning_effort:
            body["reasoning"] = {"effort": dialect.reasoning_effort}
        if dialect.structured and request.schema:
            named = {"type": "json_schema", "name": "answer", "strict": True, "schema": json.loads(request.schema)}
            body["text"] = {"format": named}
        return body

    def completion(self, answered: object) -> Completion:
        """Read a response; a refusal is a part of its content. Raises ChatFailed."""
        completion = heard_completion("responses", answered, finishes=_FINISHES)
        return replace(completion, finish_reason="refusal") if _refuses(answered) else completion

    def headers(self, key: SecretStr | None) -> Mapping[str, str | openai.Omit]:  # noqa: ARG002 - it goes in Authorization
        """Return none."""
        return {}


def _refuses(answered: object) -> bool:
    output = answered.get("output") if isinstance(answered, Mapping) else None
    messages = [item for item in output or () if isinstance(item, Mapping) and isinstance(item.get("content"), list)]
    return any(
        isinstance(part, Mapping) and part.get("type") == "refusal" for item in messages for part in item["content"]
    )
