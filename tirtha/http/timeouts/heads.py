"""Heads in time and in order: a connection that does not send a whole request's head soon is closed, with 408 if it sent a part.

uvicorn closes a connection that is idle after an answer. It waits for ever for the first request, and for one that is half sent.
What is no HTTP, or a head above 64 KiB, it answers with plain text; here that is a problem document, as every other error.
"""

import asyncio
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from tirtha.http.errors import problem
from tirtha.http.middleware import SECURITY_HEADERS
from tirtha.observation.request import request_id_of

__all__ = ["timed_protocol"]

_MALFORMED = "this is no HTTP/1.1 request, or its path and headers are longer than 64 KiB"
_LATE = "the head of the request did not come in time"


def timed_protocol(timeout_s: float) -> type[H11Protocol]:
    """Return uvicorn's protocol with a time for the head of each request."""
    return type("TimedProtocol", (_TimedProtocol,), {"timeout_s": timeout_s})


class _TimedProtocol(H11Protocol):
    """One connection. The time runs from its opening, or from the first bytes after an answer, until a head is whole."""

    timeout_s: float
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take bytes in; wait for the rest of a head that has begun, and no longer once it is whole."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._wait()
        else:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words are always the same
        """Answer what cannot be read; what breaks off in the middle of an answer gets no second one."""
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            self.transport.write(_refusal(400, _MALFORMED))
        self.transport.close()

    def _wait(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(self.timeout_s, self._give_up)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give_up(self) -> None:
        self._late = None
        trailing: tuple[Any, bool] = self.conn.trailing_data
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            return
        if trailing[0]:
            self.transport.write(_refusal(408, _LATE))
        self.transport.close()


def _refusal(status: int, detail: str) -> bytes:
    """Write an answer from below the application, with the headers that its answers have."""
    answer = problem(status, detail, headers={"Connection": "close", "X-Request-Id": request_id_of(None)})
    for name, value in SECURITY_HEADERS.items():
        answer.headers[name] = value
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()]
    lines += [b"%s: %s" % header for header in answer.raw_headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + bytes(answer.body)
