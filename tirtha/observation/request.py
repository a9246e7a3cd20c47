"""The request that is being answered: its id, whose it is, the decision it came to. For log lines and the audit log.

One ASGI middleware begins it. It is found from wherever the request's work is done, in tasks and threads too, since they copy the
context that they were begun in. Work of no request (the indexer, a start) has none.
"""

import re
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import uuid4

__all__ = ["REQUEST", "RequestSeen", "note_decision", "note_route", "note_tenant", "request_id", "request_id_of"]

_SANE = re.compile(r"[A-Za-z0-9._-]{1,128}")


@dataclass(slots=True, kw_only=True)
class RequestSeen:
    """What is known of a request so far; empty texts are not known yet. `route` is a template and holds no id."""

    id: str
    route: str = ""
    tenant: str = ""
    decision_id: str = ""


REQUEST: ContextVar[RequestSeen | None] = ContextVar("tirtha_request", default=None)


def request_id_of(given: str | None) -> str:
    """Return the id that a caller gave a request, if it is 1 to 128 of `A-Za-z0-9._-`, else a new one."""
    return given if given is not None and _SANE.fullmatch(given) else uuid4().hex


def request_id() -> str | None:
    """Return the id of the request that is being answered; None outside of one."""
    seen = REQUEST.get()
    return seen.id if seen else None


def note_route(template: str) -> None:
    """Note which route answers."""
    if seen := REQUEST.get():
        seen.route = template


def note_tenant(tenant: str) -> None:
    """Note whose request it is."""
    if seen := REQUEST.get():
        seen.tenant = tenant


def note_decision(decision_id: str) -> None:
    """Note the decision that the request came to."""
    if seen := REQUEST.get():
        seen.decision_id = decision_id
