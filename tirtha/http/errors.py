"""Errors as RFC 9457 problem documents: our error types to status codes, and where and why it went wrong."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from cascade.errors import LedgerUnavailable, SandboxUnavailable, TierDown, TooLong, UnknownDecision
from compaction.errors import BudgetTooSmall, WindowTooSmall
from memory.errors import (
    IndexBehind,
    IndexDamaged,
    StoreDamaged,
    StoreUnavailable,
    TenantClosed,
    TenantFull,
    TooManyQuestions,
    TurnConflict,
)
from tirtha.errors import (
    BadChat,
    BadCursor,
    CapReached,
    ExportBroken,
    ExportIsNewer,
    Forbidden,
    KeyMissing,
    KeyRefused,
    MemoryNeeded,
    NotAnExport,
    NotFromHere,
    NoTier,
    NotReady,
    OtherTenant,
    OtherUser,
    PepperUnusable,
    ProtocolMissing,
    SessionNeeded,
    TenantWide,
    TooLarge,
    UnknownKey,
    UnknownModel,
    UnknownResponse,
    WrongOwner,
)
from tirtha.http.bodies import BadBody, is_json
from tirtha.http.routing import allowed_methods
from tirtha.http.schemas.faults import located, why
from tirtha.importers.errors import Ambiguous, ArchiveRefused, NotRecognised, Unreadable
from tirtha.tenants.errors import AboveRate, RateLimited, TenantExists, TenantGone, TenantKept, UnknownTenant

__all__ = [
    "OUR_FAULTS",
    "TITLES",
    "Fault",
    "Problem",
    "answer_of",
    "fault_response",
    "located",
    "problem",
    "register",
    "why",
]

log = logging.getLogger(__name__)

TITLES = {
    400: "The request cannot be read",
    401: "A valid key is needed",
    403: "That is not allowed",
    404: "There is no such thing",
    405: "That method is not allowed here",
    408: "The request was sent too slowly",
    409: "The id holds another turn",
    413: "The request is too large",
    415: "The media type is not understood",
    422: "The request is not valid",
    429: "Too many requests",
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


def problem(
    status: int, detail: str, faults: Sequence[Fault] = (), headers: dict[str, str] | None = None, title: str = ""
) -> Response:
    """Answer with a problem document (RFC 9457).

    Args:
        status: the HTTP status.
        detail: what is wrong, in a sentence.
        faults: where in the request it is wrong, and why.
        headers: more headers of the answer.
        title: says it more closely than the status alone; by default what the status means here.
    """
    title = title or TITLES.get(status, "The request failed")
    slug = title.lower().replace(" ", "-")
    document = Problem(
        type=f"urn:tirtha:problem:{slug}", title=title, status=status, detail=detail, errors=list(faults)
    )
    # The name of a field may hold half a surrogate pair, which UTF-8 lacks and JSON writes with a backslash.
    shown = json.dumps(document.model_dump(), ensure_ascii=False).encode(errors="backslashreplace")
    return Response(shown, status, headers, media_type="application/problem+json")


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - narrows what the registration guarantees
    errors = error.errors()
    if any(one["loc"] == ("body",) for one in errors) and not is_json(request.headers.get("content-type", "")):
        return problem(
            415, "send a JSON object as Content-Type: application/json", [Fault(at="body", why="is not typed as JSON")]
        )
    faults = [Fault(at=located(one["loc"][1:] or one["loc"]), why=why(one)) for one in errors]
    return problem(422, "; ".join(f"{fault.at} {fault.why}" for fault in faults[:3]), faults)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - narrows what the registration guarantees
    detail = str(error.detail)
    faults = [Fault(at="body", why=detail)] if error.status_code in {400, 413} else []
    if isinstance(error, BadBody):
        faults = [Fault(at=error.at, why=error.why)]
    headers = dict(error.headers or {})
    if error.status_code == 405:  # the framework names the methods of one route, and a path may have several
        headers["Allow"] = ", ".join(allowed_methods(request.scope))
    return problem(error.status_code, detail, faults, headers)


@dataclass(frozen=True, slots=True)
class _Answer:
    """How one of our errors is reported: the status, where and why, when to try again, by which scheme, and under which title."""

    status: int
    at: str = ""
    why: str = ""
    retry_after_s: int | None = None
    scheme: str | None = None
    title: str = ""


_SOON_S = 5
_REBUILT_S = 60
_NEVER_SOON_S = 3_600
# Our error types, and how each is reported. Without `why` the error's own message says why.
_OURS: Mapping[type[Exception], Callable[[Any], _Answer]] = {
    TurnConflict: lambda e: _Answer(409, f"turns[{e.index}].id", "is the id of another turn of the session"),
    BudgetTooSmall: lambda e: _Answer(422, "budget", f"must be at least {e.needed} for this question"),
    WindowTooSmall: lambda _: _Answer(413, "budget"),
    TooLarge: lambda e: _Answer(413, e.at),
    TooLong: lambda e: _Answer(
        413, "question", f"takes {e.tokens} tokens of {e.window_tokens}", title="The conversation is too long"
    ),
    BadChat: lambda e: _Answer(422, e.at, e.why),
    MemoryNeeded: lambda _: _Answer(422, "X-Tirtha-User", "is required"),
    UnknownModel: lambda _: _Answer(404, "model", title="There is no such model"),
    UnknownResponse: lambda _: _Answer(404),
    NoTier: lambda _: _Answer(503, retry_after_s=_NEVER_SOON_S),
    ProtocolMissing: lambda _: _Answer(503, retry_after_s=_NEVER_SOON_S),
    CapReached: lambda _: _Answer(429, retry_after_s=_NEVER_SOON_S, title="The spending cap is reached"),
    Forbidden: lambda _: _Answer(403),
    OtherUser: lambda _: _Answer(403),
    TenantWide: lambda _: _Answer(403),
    OtherTenant: lambda _: _Answer(403),
    NotFromHere: lambda _: _Answer(403),
    KeyMissing: lambda _: _Answer(401, scheme="Bearer"),
    KeyRefused: lambda _: _Answer(401, scheme="Bearer"),
    UnknownKey: lambda _: _Answer(404),
    PepperUnusable: lambda _: _Answer(503, retry_after_s=_NEVER_SOON_S),
    BadCursor: lambda e: _Answer(422, "cursor", e.why),
    SessionNeeded: lambda _: _Answer(422, "session_id", "is required: more than one session has a turn of this id"),
    NotAnExport: lambda e: _Answer(422, "line 1", e.why),
    ExportIsNewer: lambda e: _Answer(422, "version", f"is {e.version}; at most {e.known} is read here"),
    ExportBroken: lambda e: _Answer(422, f"line {e.line}", e.why),
    WrongOwner: lambda e: _Answer(422, "user_id", f"cannot be given: the export {e.why}"),
    Ambiguous: lambda e: _Answer(422, e.parameter, e.question),
    ArchiveRefused: lambda _: _Answer(422, "body"),
    NotRecognised: lambda _: _Answer(422, "body"),
    Unreadable: lambda _: _Answer(422, "body"),
    IndexBehind: lambda e: _Answer(503, retry_after_s=e.retry_after_s),
    StoreDamaged: lambda _: _Answer(503, retry_after_s=_NEVER_SOON_S),
    IndexDamaged: lambda _: _Answer(503, retry_after_s=_REBUILT_S),
    StoreUnavailable: lambda e: _Answer(507 if e.full else 503, retry_after_s=_SOON_S),
    LedgerUnavailable: lambda e: _Answer(507 if e.full else 503, retry_after_s=_SOON_S),
    NotReady: lambda _: _Answer(503, retry_after_s=_SOON_S),
    TierDown: lambda e: _Answer(503, retry_after_s=e.retry_after_s),
    SandboxUnavailable: lambda _: _Answer(503, retry_after_s=_NEVER_SOON_S),
    UnknownDecision: lambda _: _Answer(404),
    TooManyQuestions: lambda e: _Answer(503, retry_after_s=e.retry_after_s),
    RateLimited: lambda e: _Answer(429, retry_after_s=e.retry_after_s),
    AboveRate: lambda e: _Answer(413, e.what),
    # Not 507, which means to an operator that a disk is full and to a client to try again: this is a rule, and only a change helps.
    TenantFull: lambda _: _Answer(403, title="Quota exceeded"),
    TenantClosed: lambda _: _Answer(403, title="The tenant is gone"),
    TenantGone: lambda _: _Answer(403, title="The tenant is gone"),
    UnknownTenant: lambda _: _Answer(404),
    TenantExists: lambda _: _Answer(409, "name", "is the name of another tenant", title="The tenant exists already"),
    TenantKept: lambda e: _Answer(422, "confirm", e.why),
}


OUR_FAULTS = tuple(_OURS)


def answer_of(error: Exception) -> _Answer:
    """Return how one of our errors is reported; what its operator must see to is logged."""
    if isinstance(error, StoreUnavailable | LedgerUnavailable | NotReady | PepperUnusable):
        log.error("%s", error)
    return next(_OURS[kind] for kind in type(error).__mro__ if kind in _OURS)(error)


def fault_response(error: Exception) -> Response:
    """Answer with the problem document of one of our errors."""
    answer = answer_of(error)
    faults = [Fault(at=answer.at, why=answer.why or str(error))] if answer.at else []
    headers = {"Retry-After": str(answer.retry_after_s)} if answer.retry_after_s is not None else {}
    if answer.scheme:
        headers["WWW-Authenticate"] = answer.scheme
    return problem(answer.status, str(error), faults, headers, answer.title)


async def _ours(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return fault_response(error)


async def _gone(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return problem(400, "the connection ended before the body did")


async def _unexpected(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return problem(500, "an unexpected error; the server's log has it, and nothing of this request was half done")
