"""What is checked before a request is read: that it was meant for this server, and that it is not too large to take in.

The host check keeps a web page from reaching a loopback server under a name of its own (DNS rebinding).
"""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tirtha.http.bodies import NDJSON, is_ndjson
from tirtha.http.errors import Fault, problem

__all__ = ["RequestLimits"]


class RequestLimits:
    """ASGI middleware: refuses foreign hosts, and bodies above `max_body_bytes`.

    NDJSON that is sent to one of the paths in `streamed` may have any length: it is read line by line there. What is sent to one
    of those in `files` has a limit that is checked there.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Collection[str],
        max_body_bytes: int,
        streamed: Collection[str],
        files: Collection[str],
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._max_body_bytes = max_body_bytes
        self._streamed = streamed
        self._files = files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        announced = int(headers.get("content-length") or 0)
        if len(hosts) != 1 or _name(hosts[0]) not in self._hosts:
            host = ", ".join(hosts)
            refusal = problem(
                400, f"this server does not answer to the name {host!r}", [Fault(at="host", why="is not ours")]
            )
            await refusal(scope, receive, send)
        elif self._has_own_limit(scope["path"], headers.get("content-type", "")):
            await self._app(scope, receive, send)
        elif announced > self._max_body_bytes:
            await self._too_large(announced)(scope, receive, send)
        else:
            await self._app(scope, self._counted(receive), send)

    def _has_own_limit(self, path: str, content_type: str) -> bool:
        return path in self._files or (path in self._streamed and is_ndjson(content_type))

    def _counted(self, receive: Receive) -> Receive:
        seen = 0

        async def counting() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._max_body_bytes:
                raise HTTPException(413, self._detail(f"more than {self._max_body_bytes:,}"))
            return message

        return counting

    def _too_large(self, size: int) -> ASGIApp:
        detail = self._detail(f"{size:,}")
        return problem(413, detail, [Fault(at="body", why=detail)])

    def _detail(self, size: str) -> str:
        return f"the body has {size} bytes; at most {self._max_body_bytes:,} are allowed (send bulks as {NDJSON})"


def _name(host: str) -> str:
    """Return the name in a Host header as names are compared: without a port, a root's dot at its end, or capitals."""
    name, colon, port = host.strip().rpartition(":")
    if not colon or not all(digit in "0123456789" for digit in port):
        name = host.strip()
    return name.lower().removesuffix(".")
