"""Every request, watched from outside of all that may answer it: its id, the trace it belongs to, a line in the log, the metrics.

Knows the answer's status and time, and the template of the route; never a path, a query, a header's value or a body.
"""

import asyncio
import logging
from dataclasses import dataclass
from time import perf_counter

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tirtha.observation.observer import Observer
from tirtha.observation.request import REQUEST, RequestSeen, request_id_of
from tirtha.observation.trace_context import read_trace
from tirtha.observation.tracing import TRACE, Span

__all__ = ["Watched"]

log = logging.getLogger(__name__)

_REQUEST_ID = "x-request-id"
_ASKED_OFTEN = frozenset({"/healthz", "/readyz", "/metrics"})  # by machines, for which no line is needed
_FAILED, _GIVEN_UP = 500, 499  # the second one is nginx's for a client that went away


@dataclass(slots=True)
class _Answer:
    status: int | None = None


class Watched:
    """ASGI middleware, the outermost."""

    def __init__(self, app: ASGIApp, *, observer: Observer) -> None:
        self._app = app
        self._observer = observer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request be answered, and log and count it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        seen = RequestSeen(id=request_id_of(headers.get(_REQUEST_ID)))
        tokens = (
            REQUEST.set(seen),
            TRACE.set(read_trace(headers.getlist("traceparent"), headers.getlist("tracestate"))),
        )
        with self._observer.tracer.span(scope["method"], "server", {"http.request.method": scope["method"]}) as span:
            await self._answered(scope, receive, send, seen, span)
        REQUEST.reset(
            tokens[0]
        )  # not after an error: the server logs that afterwards, and the line is to name the request
        TRACE.reset(tokens[1])

    async def _answered(self, scope: Scope, receive: Receive, send: Send, seen: RequestSeen, span: Span) -> None:
        answer, began_s = _Answer(), perf_counter()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                MutableHeaders(scope=message)[_REQUEST_ID] = seen.id
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except asyncio.CancelledError:
            answer.status = _GIVEN_UP
            raise
        finally:
            self._record(scope["method"], seen, answer.status or _FAILED, perf_counter() - began_s, span)

    def _record(self, method: str, seen: RequestSeen, status: int, took_s: float, span: Span) -> None:
        self._observer.metrics.answered(method=method, route=seen.route, status=status, took_s=took_s)
        span.rename(f"{method} {seen.route}".rstrip())
        span.note({"http.route": seen.route, "http.response.status_code": status, "tirtha.request_id": seen.id})
        if status >= _FAILED:
            span.fail(str(status))
        level = logging.DEBUG if seen.route in _ASKED_OFTEN else logging.INFO
        took_ms = round(took_s * 1_000)
        fields = {"method": method, "route": seen.route, "status": status, "ms": took_ms}
        log.log(level, "%s %s %d %d ms", method, seen.route or "(no route)", status, took_ms, extra={"fields": fields})
