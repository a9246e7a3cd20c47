"""What every route is given: the service, and who calls with which right.

A route declares the right that it needs by its parameter: `Reader`, `Writer`, `Admin`, or `Known` for any key; by
`dependencies=[OPEN]` or `ReaderIfAny` it declares that it needs none. `StrictRoute` refuses a route that declares nothing, and
checks the right before anything of a request is read.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from tirtha.caller import Caller, Right
from tirtha.errors import KeyMissing
from tirtha.http.middleware import shown_by
from tirtha.service import Service

__all__ = [
    "OPEN",
    "Admin",
    "Known",
    "Needed",
    "Reader",
    "ReaderIfAny",
    "Served",
    "Writer",
    "caller_of",
    "declared",
    "named_in_header",
]

Needed = Right | Literal["any", "open"]  # `any`: whatever key; `open`: none


class _Needs(SecurityBase):
    """The declaration that a route needs a right; gives the caller."""

    scheme_name = "key"
    model = HTTPBearer(description="a key of `tirtha keys create`: trt_...")

    def __init__(self, right: Right | Literal["any"]) -> None:
        self.right: Needed = right

    def __call__(self, request: Request) -> Caller:
        """Return the caller. Raises Forbidden and KeyMissing."""
        return caller_of(request, self.right)


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _anyone() -> None:
    """Declare that a route needs no key."""


async def _reader_if_any(request: Request) -> Caller | None:
    """Return the caller, if there is one who may read the tenant as a whole. Raises KeyRefused for a key that is not good."""
    service = _service(request)
    try:
        caller = await service.authentication.caller(shown_by(request.scope))
    except KeyMissing:
        return None
    return caller if "read" in caller.rights and caller.user_id is None else None


def caller_of(request: Request, needed: Needed) -> Caller:
    """Return the caller that was found out before. Raises Forbidden for one who lacks the right, KeyMissing without one."""
    caller: Caller | None = getattr(request.state, "caller", None)
    if caller is None:
        raise KeyMissing
    match needed:
        case "read" | "write" | "admin":
            caller.require(needed)
    return caller


def declared(dependant: Dependant) -> Needed | None:
    """Return what a route declares that it needs; None if it declares nothing, or more than one thing."""
    found = set(_declarations(dependant))
    return found.pop() if len(found) == 1 else None


def _declarations(dependant: Dependant) -> Iterator[Needed]:
    for part in dependant.dependencies:
        if isinstance(part.call, _Needs):
            yield part.call.right
        elif part.call in {_anyone, _reader_if_any}:
            yield "open"
        yield from _declarations(part)


def named_in_header(request: Request, name: str) -> str | None:
    """Return the id that a header names, of any letters in UTF-8; None without one. Raises ValueError, which says what is wrong."""
    sent = [value for one, value in request.headers.raw if one == name.lower().encode() and value]
    if not sent:
        return None
    if len(sent) > 1:
        raise ValueError("is given more than once")
    try:
        return sent[0].decode()
    except UnicodeDecodeError:
        raise ValueError("must be UTF-8") from None


OPEN = Depends(_anyone)
Served = Annotated[Service, Depends(_service)]
Known = Annotated[Caller, Depends(_Needs("any"))]
Reader = Annotated[Caller, Depends(_Needs("read"))]
Writer = Annotated[Caller, Depends(_Needs("write"))]
Admin = Annotated[Caller, Depends(_Needs("admin"))]
ReaderIfAny = Annotated[Caller | None, Depends(_reader_if_any)]
