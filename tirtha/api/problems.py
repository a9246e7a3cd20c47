"""Errors as RFC 9457 problem documents: our error types to status codes, and where and why it went wrong."""

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from cascade.errors import SandboxUnavailable, TierDown, TooLong, UnknownDecision
from compaction.errors import BudgetTooSmall, WindowTooSmall
from memory.errors import StoreUnavailable, TurnConflict
from tirtha.errors import TooLarge

__all__ = ["Fault", "Problem", "located", "problem", "register", "why"]

log = logging.getLogger(__name__)

_RETRY_AFTER_S = 5
_NEVER_SOON_S = 3_600
_TITLES = {
    400: "The request cannot be read",
    404: "There is no such thing",
    405: "That method is not allowed here",
    409: "The id holds another turn",
    413: "The request is too large",
    415: "The media type is not understood",
    422: "The request is not valid",
    500: "Tirtha failed",
    503: "The service is not available just now",
    507: "The disk is full",
}


class Fault(BaseModel):
    """One thing that is wrong: where in the request, and why."""

    at: str
    why: str


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Fault]


def register(app: FastAPI) -> None:
    """Answer every error of `app` with a problem document."""
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for kind in _OURS:
        app.add_exception_handler(kind, _ours)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unexpected)


def located(path: Sequence[int | str]) -> str:
    """Write a place in the request: turns[1].text."""
    place = ""
    for step in path:
        place += f"[{step}]" if isinstance(step, int) else f".{step}" if place else str(step)
    return place or "body"


def why(error: dict[str, Any]) -> str:
    """Say what is wrong with a field, without pydantic's prefix."""
    if error["type"] == "extra_forbidden":
        return "is not a field of this request"
    if error["type"] == "missing":
        return "is required"
    return str(error["msg"]).removeprefix("Value error, ")


def problem(
    status: int, detail: str, faults: Sequence[Fault] = (), headers: dict[str, str] | None = None
) -> JSONResponse:
    """Answer with a problem document."""
    title = _TITLES.get(status, "The request failed")
    slug = title.lower().replace(" ", "-")
    document = Problem(
        type=f"urn:tirtha:problem:{slug}", title=title, status=status, detail=detail, errors=list(faults)
    )
    return JSONResponse(document.model_dump(), status, headers, media_type="application/problem+json")


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - narrows what the registration guarantees
    errors = error.errors()
    if any(one["type"] == "json_invalid" for one in errors):
        return problem(400, f"the body is no JSON: {errors[0]['ctx']['error']}", [Fault(at="body", why="is no JSON")])
    if any(one["loc"] == ("body",) for one in errors) and "json" not in request.headers.get("content-type", ""):
        return problem(
            415, "send a JSON object as Content-Type: application/json", [Fault(at="body", why="is not typed as JSON")]
        )
    faults = [Fault(at=located(one["loc"][1:] or one["loc"]), why=why(one)) for one in errors]
    return problem(422, "; ".join(f"{fault.at} {fault.why}" for fault in faults[:3]), faults)


async def _http(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001
    assert isinstance(error, HTTPException)  # noqa: S101 - narrows what the registration guarantees
    detail = "the body is not UTF-8 encoded JSON" if error.status_code == 400 else str(error.detail)
    faults = [Fault(at="body", why=detail)] if error.status_code in {400, 413} else []
    return problem(error.status_code, detail, faults, dict(error.headers or {}))


_OURS = (
    TurnConflict,
    BudgetTooSmall,
    WindowTooSmall,
    TooLarge,
    TooLong,
    StoreUnavailable,
    TierDown,
    SandboxUnavailable,
    UnknownDecision,
)


async def _ours(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001, PLR0911 - one line a type
    match error:
        case TurnConflict(index=index):
            return problem(
                409, str(error), [Fault(at=f"turns[{index}].id", why="is the id of another turn of the session")]
            )
        case TooLarge(at=at):
            return problem(413, str(error), [Fault(at=at, why=str(error))])
        case TooLong(tokens=tokens, window_tokens=window):
            return problem(413, str(error), [Fault(at="question", why=f"takes {tokens} tokens of {window}")])
        case TierDown(retry_after_s=retry_after_s):
            return problem(503, str(error), headers={"Retry-After": str(retry_after_s)})
        case SandboxUnavailable():
            return problem(503, str(error), headers={"Retry-After": str(_NEVER_SOON_S)})
        case WindowTooSmall():
            return problem(413, str(error), [Fault(at="budget", why=str(error))])
        case BudgetTooSmall(needed=needed):
            return problem(422, str(error), [Fault(at="budget", why=f"must be at least {needed} for this question")])
        case StoreUnavailable(full=full):
            log.error("%s", error)
            return problem(507 if full else 503, str(error), headers={"Retry-After": str(_RETRY_AFTER_S)})
        case UnknownDecision():
            return problem(404, str(error))
        case _:
            raise error


async def _gone(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001
    return problem(400, "the connection ended before the body did")


async def _unexpected(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001
    return problem(500, "an unexpected error; the server's log has it, and nothing of this request was half done")
