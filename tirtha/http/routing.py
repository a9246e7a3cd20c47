"""What the framework's routing lacks: ids that hold a slash in a path, HEAD wherever GET is, and every allowed method named.

A server hands over the path decoded, so that `a%2Fb` looks like two segments. Here it is read anew from what was sent, segment by
segment. A slash within a segment travels through the routes as half a surrogate pair, which no id holds, and `{name:id}` in a
route's path puts it back. Knows no route: it asks the application's.
"""

from collections.abc import Sequence
from typing import NoReturn
from urllib.parse import unquote_to_bytes

from starlette.convertors import Convertor, register_url_convertor
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tirtha.observation.request import note_route

__all__ = ["IdConvertor", "Routing", "allowed_methods"]

_SLASH = "\udc2f"
_METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")  # HEAD and OPTIONS follow from these


class IdConvertor(Convertor[str]):
    """An id as a segment of a path, `{turn_id:id}`: any characters, an encoded slash too."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        """Return the id that was sent."""
        return value.replace(_SLASH, "/")

    def to_string(self, value: str) -> NoReturn:
        """Refuse to make a path: nothing here asks for one, and its characters would have to be encoded."""
        raise NotImplementedError


register_url_convertor("id", IdConvertor())


class Routing:
    """ASGI middleware, the innermost: reads the path as it was sent, answers HEAD as GET without a body, and OPTIONS."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request to the routes, or answer what they do not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = {**scope, "path": _path(scope)}  # a copy: the server logs the path of its own
        if scope["method"] == "OPTIONS" and (allowed := allowed_methods(scope)):
            await Response(status_code=204, headers={"allow": ", ".join(allowed)})(scope, receive, send)
        elif scope["method"] == "HEAD":
            await self._routed(scope | {"method": "GET"}, receive, _without_body(send))
        else:
            await self._routed(scope, receive, send)

    async def _routed(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        finally:  # the routes leave in the scope which of them it was
            note_route(getattr(scope.get("route"), "path_format", ""))


def allowed_methods(scope: Scope) -> list[str]:
    """Return the methods that some route takes at the path of `scope`, in alphabetical order; none if no route has it."""
    routes: Sequence[BaseRoute] = scope["app"].routes
    taken = [
        method
        for method in _METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    if not taken:
        return []
    return sorted([*taken, "OPTIONS", *(["HEAD"] if "GET" in taken else [])])


def _path(scope: Scope) -> str:
    """Decode the path segment by segment; bytes that are no UTF-8 become halves of surrogate pairs, which ids are refused for."""
    sent: bytes | None = scope.get("raw_path")
    if sent is None:
        path: str = scope["path"]
        return path
    segments = [unquote_to_bytes(segment).decode("utf-8", "surrogateescape") for segment in sent.split(b"/")]
    return "/".join(segment.replace("/", _SLASH) for segment in segments)


def _without_body(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] != "http.response.body":
            await send(message)
        elif not message.get("more_body", False):
            await send({"type": "http.response.body", "body": b""})

    return sending
