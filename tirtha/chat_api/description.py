"""What the OpenAPI document says of these endpoints: answers that may stream, and errors in the shape of each API."""

from typing import Any, Literal

from pydantic import BaseModel

__all__ = ["ANTHROPIC_ERRORS", "EITHER", "OPENAI_ERRORS"]

# Our own, and those with which a tier's server may refuse a request.
_STATUSES = (400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 503, 507)


class _OpenAIError(BaseModel):
    """What went wrong, as the OpenAI API reports it."""

    message: str
    type: str | None = None
    param: str | None = None
    code: str | int | None = None


class OpenAIErrorOut(BaseModel):
    """An error of the OpenAI API."""

    error: _OpenAIError


class _AnthropicError(BaseModel):
    """What went wrong, as Anthropic's API reports it."""

    type: str
    message: str


class AnthropicErrorOut(BaseModel):
    """An error of Anthropic's API."""

    type: Literal["error"]
    error: _AnthropicError


OPENAI_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": OpenAIErrorOut, "description": "an error, as the OpenAI API reports it"} for status in _STATUSES
}
ANTHROPIC_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": AnthropicErrorOut, "description": "an error, as Anthropic's API reports it"}
    for status in _STATUSES
}
EITHER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "the whole answer, or server-sent events where the request asks for a stream",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "text/event-stream": {"schema": {"type": "string"}},
        },
    }
}
