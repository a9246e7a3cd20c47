"""Errors as the clients of these endpoints read them, in the dialect of the API that a path belongs to.

OpenAI's are `{"error": {"message", "type", "param", "code"}}`, Anthropic's `{"type": "error", "error": {"type", "message"}}`.
Everything that refuses a request, from the outermost middleware to a route, answers with a problem document. On the paths of these
endpoints it is written anew, in one place, on its way out.
"""

import json
from collections.abc import Mapping
from typing import Any, Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cascade.errors import RelayRefused

__all__ = ["ErrorShape", "refused"]

_PROBLEM = "application/problem+json"
_TOO_LONG = "urn:tirtha:problem:the-conversation-is-too-long"


class _Dialect(Protocol):
    """How an API writes errors."""

    def status(self, problem: Mapping[str, Any]) -> int:
        """Return the status that a problem goes out with."""

    def written(self, status: int, problem: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body for a problem that goes out with `status`."""

    def refused(self, error: RelayRefused) -> dict[str, Any]:
        """Return the body for what the model's server said of a request."""


class _OpenAI:
    """The errors of the OpenAI API."""

    _TYPES: Mapping[int, str] = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
    _CODES: Mapping[int, str] = {401: "invalid_api_key", 404: "not_found", 429: "rate_limit_exceeded"}
    # What a problem's type says more closely than its status.
    _OF_TYPE: Mapping[str, str] = {
        "urn:tirtha:problem:there-is-no-such-model": "model_not_found",
        _TOO_LONG: "context_length_exceeded",
        "urn:tirtha:problem:the-spending-cap-is-reached": "insufficient_quota",
    }

    def status(self, problem: Mapping[str, Any]) -> int:
        """Return 400 for all that is wrong with a request."""
        status = int(problem["status"])
        return 400 if status in {413, 422} else status

    def written(self, status: int, problem: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body for a problem."""
        faults = problem.get("errors") or []
        error = {
            "message": problem["detail"],
            "type": self._TYPES.get(status, "invalid_request_error" if status < 500 else "server_error"),
            "param": faults[0]["at"] if faults else None,
            "code": self._OF_TYPE.get(problem["type"], self._CODES.get(status)),
        }
        return {"error": error}

    def refused(self, error: RelayRefused) -> dict[str, Any]:
        """Return the server's error object, complete."""
        shown = {"message": str(error), "type": "invalid_request_error", "param": None, "code": None}
        return {"error": shown | error.error}


class _Anthropic:
    """The errors of Anthropic's API. What is wrong with the request as a whole names its place in the message."""

    _TYPES: Mapping[int, str] = {
        401: "authentication_error",
        402: "billing_error",
        403: "permission_error",
        404: "not_found_error",
        413: "request_too_large",
        429: "rate_limit_error",
        504: "timeout_error",
        529: "overloaded_error",
    }
    _SAID_OF_LENGTH = "prompt is too long: "  # clients compact a conversation when they read that

    def status(self, problem: Mapping[str, Any]) -> int:
        """Return 400 for what is wrong with a request, also for a conversation that no window holds."""
        status = int(problem["status"])
        return 400 if status == 422 or problem["type"] == _TOO_LONG else status

    def written(self, status: int, problem: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body for a problem."""
        said = self._SAID_OF_LENGTH if problem["type"] == _TOO_LONG else ""
        return self._error({"type": self._type(status), "message": f"{said}{problem['detail']}"})

    def refused(self, error: RelayRefused) -> dict[str, Any]:
        """Return the server's error object, complete."""
        return self._error({"type": self._type(error.status), "message": str(error)} | error.error)

    def _type(self, status: int) -> str:
        return self._TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")

    def _error(self, error: dict[str, Any]) -> dict[str, Any]:
        return {"type": "error", "error": error}


# The dialect of each path, and of all below it.
_SPOKEN: Mapping[str, _Dialect] = {
    "/v1/chat": _OpenAI(),
    "/v1/responses": _OpenAI(),
    "/v1/models": _OpenAI(),
    "/v1/messages": _Anthropic(),
}


async def refused(request: Request, error: Exception) -> Response:
    """Answer with what the model's server said of the request."""
    assert isinstance(error, RelayRefused)  # noqa: S101 - narrows what the registration guarantees
    dialect = _dialect_of(request.url.path) or _SPOKEN["/v1/chat"]
    return JSONResponse(dialect.refused(error), error.status)


class ErrorShape:
    """ASGI middleware: on paths that have a dialect problem documents go out in it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, and write its problem anew."""
        dialect = _dialect_of(scope["path"]) if scope["type"] == "http" else None
        if dialect is None:
            await self._app(scope, receive, send)
            return
        held: list[Message] = []

        async def rewriting(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_problem(message):
                held.append(message)
            elif not held:
                await send(message)
            else:
                held.append(message)
                if not message.get("more_body", False):
                    for one in _anew(held, dialect):
                        await send(one)

        await self._app(scope, receive, rewriting)


def _dialect_of(path: str) -> _Dialect | None:
    """Return how errors of a path are written; None for problem documents."""
    return next((dialect for own, dialect in _SPOKEN.items() if path == own or path.startswith(f"{own}/")), None)


def _is_problem(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type", "").startswith(_PROBLEM)


def _anew(held: list[Message], dialect: _Dialect) -> list[Message]:
    start, *bodies = held
    sent = b"".join(message.get("body", b"") for message in bodies)
    if not sent:  # the answer to a HEAD
        headers = MutableHeaders(raw=list(start["headers"]))
        headers["content-type"] = "application/json"
        del headers["content-length"]
        return [{**start, "headers": headers.raw}, *bodies]
    problem = json.loads(sent)
    status = dialect.status(problem)
    body = json.dumps(dialect.written(status, problem)).encode()
    headers = MutableHeaders(raw=list(start["headers"]))
    headers["content-type"] = "application/json"
    headers["content-length"] = str(len(body))
    return [
        {**start, "status": status, "headers": headers.raw},
        {"type": "http.response.body", "body": body},
    ]
