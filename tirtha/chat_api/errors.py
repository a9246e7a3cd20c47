"""Errors as the clients of these endpoints read them: `{"error": {"message", "type", "param", "code"}}`.

Everything that refuses a request, from the outermost middleware to a route, answers with a problem document. On the paths of these
endpoints it is written anew, in one place, on its way out.
"""

import json
from collections.abc import Collection
from typing import Any

from pydantic import BaseModel
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cascade.ports import RelayRefused

__all__ = ["EITHER", "ERRORS", "ErrorShape", "refused"]

_PROBLEM = "application/problem+json"
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_CODES = {401: "invalid_api_key", 404: "not_found", 429: "rate_limit_exceeded"}
# What a problem's type says more closely than its status.
_OF_TYPE = {
    "urn:tirtha:problem:there-is-no-such-model": "model_not_found",
    "urn:tirtha:problem:the-conversation-is-too-long": "context_length_exceeded",
    "urn:tirtha:problem:the-spending-cap-is-reached": "insufficient_quota",
}


class Error(BaseModel):
    """What went wrong, as the OpenAI API tells it."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorOut(BaseModel):
    """An error of the OpenAI API."""

    error: Error


# For the description of the routes: a tier's server may refuse a request with some of these statuses itself.
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorOut, "description": "an error, as the OpenAI API tells it"}
    for status in (400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 503, 507)
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


async def refused(request: Request, error: Exception) -> Response:  # noqa: ARG001
    """Answer with what the model's server said of the request."""
    assert isinstance(error, RelayRefused)  # noqa: S101 - narrows what the registration guarantees
    told = {"message": str(error), "type": "invalid_request_error", "param": None, "code": None}
    return JSONResponse({"error": told | error.error}, error.status)


class ErrorShape:
    """ASGI middleware: on `paths`, and below them, problem documents go out as errors of the OpenAI API."""

    def __init__(self, app: ASGIApp, *, paths: Collection[str]) -> None:
        self._app = app
        self._paths = tuple(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, and write its problem anew."""
        if scope["type"] != "http" or not self._ours(scope["path"]):
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
                    for one in _anew(held):
                        await send(one)

        await self._app(scope, receive, rewriting)

    def _ours(self, path: str) -> bool:
        return any(path == own or path.startswith(f"{own}/") for own in self._paths)


def _is_problem(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type", "").startswith(_PROBLEM)


def _anew(held: list[Message]) -> list[Message]:
    start, *bodies = held
    problem = json.loads(b"".join(message.get("body", b"") for message in bodies))
    status = 400 if start["status"] in {413, 422} else start["status"]
    body = json.dumps({"error": _error(status, problem)}).encode()
    headers = MutableHeaders(raw=list(start["headers"]))
    headers["content-type"] = "application/json"
    headers["content-length"] = str(len(body))
    return [
        {**start, "status": status, "headers": headers.raw},
        {"type": "http.response.body", "body": body},
    ]


def _error(status: int, problem: dict[str, Any]) -> dict[str, Any]:
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    faults = problem.get("errors") or []
    return {
        "message": problem["detail"],
        "type": kind,
        "param": faults[0]["at"] if faults else None,
        "code": _OF_TYPE.get(problem["type"], _CODES.get(status)),
    }
