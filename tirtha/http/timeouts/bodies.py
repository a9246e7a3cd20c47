"""Bodies in time: one that pauses for too long, or that takes too long in all, is answered with 408 and its connection closed.

Without it, a client that sends a body byte by byte holds a connection and its memory for as long as it likes.
"""

from collections.abc import Collection
from math import inf

import anyio
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tirtha.http.bodies import is_ndjson

__all__ = ["BodyTimeouts"]


class BodyTimeouts:
    """ASGI middleware: a body may pause for `pause_s`, and take `whole_s` in all.

    NDJSON that is sent to one of the paths in `streamed` may have any length, and so take any time; but it may not pause.
    """

    def __init__(self, app: ASGIApp, *, pause_s: float, whole_s: float, streamed: Collection[str]) -> None:
        self._app = app
        self._pause_s = pause_s
        self._whole_s = whole_s
        self._streamed = streamed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, whose body is read within its time."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        streams = scope["path"] in self._streamed and is_ndjson(Headers(scope=scope).get("content-type", ""))
        await self._app(scope, self._timed(receive, inf if streams else self._whole_s), send)

    def _timed(self, receive: Receive, whole_s: float) -> Receive:
        """Return `receive` with a time for each part of the body; what comes after the body may take any time."""
        ends_s = anyio.current_time() + whole_s
        ended = False

        async def timed() -> Message:
            nonlocal ended
            if ended:
                return await receive()
            left_s = min(self._pause_s, ends_s - anyio.current_time())
            with anyio.move_on_after(left_s):
                message = await receive()
                ended = not message.get("more_body", False)
                return message
            ended = True
            raise self._too_slow(left_s)

        return timed

    def _too_slow(self, waited_s: float) -> HTTPException:
        why = (
            f"nothing of it came for {self._pause_s:g} s"
            if waited_s == self._pause_s
            else f"it was not whole within {self._whole_s:g} s"
        )
        return HTTPException(408, f"the body was sent too slowly: {why}", {"Connection": "close"})
