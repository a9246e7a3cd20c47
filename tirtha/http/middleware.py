"""What is checked before a request is read: who sends it, that it was meant for this server, and that it is not too large.

The host check keeps a web page from reaching a loopback server under a name of its own (DNS rebinding). Every answer goes out with
headers that keep browsers from guessing its type, framing it, or keeping a copy.
"""

from collections.abc import Callable, Collection
from ipaddress import ip_address

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from memory.errors import StoreUnavailable
from tirtha.errors import FaceFault
from tirtha.http.bodies import NDJSON, is_ndjson
from tirtha.http.errors import Fault, fault_response, problem
from tirtha.keys.authentication import Authentication, Shown

__all__ = ["SECURITY_HEADERS", "Callers", "RequestLimits", "SecurityHeaders", "shown_by"]

SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-frame-options": "DENY",  # for browsers that do not know frame-ancestors
    "cache-control": "no-store",
}
# What proxies add to the requests that they forward, beside everything that begins with x-forwarded-.
_SIGNS_OF_PROXIES = frozenset(
    {
        "cf-connecting-ip",
        "fastly-client-ip",
        "fly-client-ip",
        "forwarded",
        "true-client-ip",
        "via",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-envoy-external-address",
        "x-original-forwarded-for",
        "x-real-ip",
    }
)


class SecurityHeaders:
    """ASGI middleware, the outermost: sets the headers that an answer does not set itself.

    With `hsts_max_age_s` browsers are asked to use TLS only, for so long; with 0 they are not.
    """

    def __init__(self, app: ASGIApp, *, hsts_max_age_s: int) -> None:
        self._app = app
        hsts = {"strict-transport-security": f"max-age={hsts_max_age_s}"} if hsts_max_age_s else {}
        self._headers = SECURITY_HEADERS | hsts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, and complete the headers of its answer."""

        async def completing(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, completing if scope["type"] == "http" else send)


class Callers:
    """ASGI middleware: finds out who calls and leaves it in the request's state as `caller`, or answers why it is refused.

    So every path needs a key, also one that nothing is at. Of the paths in `open_paths` it is only asked whether the request may
    come from where it does; no database is needed for that.
    """

    def __init__(self, app: ASGIApp, *, authentication: Authentication, open_paths: Collection[str]) -> None:
        self._app = app
        self._authentication = authentication
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through with its caller, or answer it with a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        shown = shown_by(scope)
        try:
            if scope["path"] in self._open_paths:
                self._authentication.refuse_foreign(shown)
            else:
                scope.setdefault("state", {})["caller"] = await self._authentication.caller(shown)
        except (FaceFault, StoreUnavailable) as fault:
            await fault_response(fault)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def shown_by(scope: Scope) -> Shown:
    """Return what a request shows of its sender: by `Authorization`, or by `x-api-key`, as Anthropic's clients do.

    Of two different credentials none can be meant, so that together they are no key.
    """
    headers = Headers(scope=scope)
    given = [*headers.getlist("authorization"), *(f"Bearer {key}" for key in headers.getlist("x-api-key"))]
    credentials = ", ".join(dict.fromkeys(map(_as_compared, given)))
    return Shown(credentials=credentials or None, foreign_sign=_foreign_sign(scope, headers))


def _as_compared(credentials: str) -> str:
    """Return credentials with their scheme written in one way."""
    scheme, _, value = credentials.strip().partition(" ")
    return f"Bearer {value.strip()}" if scheme.lower() == "bearer" else credentials


def _foreign_sign(scope: Scope, headers: Headers) -> str | None:
    for name in headers:
        if name in _SIGNS_OF_PROXIES or name.startswith("x-forwarded-"):
            return f"its header {name.title()}"
    client, server = scope.get("client"), scope.get("server")
    if client is None or (server and client[0] == server[0]) or _is_loopback(client[0]):
        return None
    return f"its address {client[0]}"


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


class RequestLimits:
    """ASGI middleware: refuses hosts that `is_ours` does not know, and bodies above `max_body_bytes`.

    NDJSON that is sent to one of the paths in `streamed` may have any length: it is read line by line there. What is sent to one
    of those in `files` has a limit that is checked there.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        is_ours: Callable[[str], bool],
        max_body_bytes: int,
        streamed: Collection[str],
        files: Collection[str],
    ) -> None:
        self._app = app
        self._is_ours = is_ours
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
        if len(hosts) != 1 or not self._is_ours(_name(hosts[0])):
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
