"""The route `/mcp`: the server over streamable HTTP, without sessions of the protocol, so that any process may answer any request.

It is a route like all of ours: what stands before the others (keys, hosts, limits, timeouts, the log) stands before this one, its
right is declared, and its tenant let in. Then the SDK answers. Reference: MCP specification 2026-07-28, "Streamable HTTP".
"""

from urllib.parse import urlsplit

from fastapi import APIRouter, HTTPException, Request
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from tirtha.caller import Caller
from tirtha.errors import OtherUser
from tirtha.http.dependencies import Known, named_in_header
from tirtha.http.schemas.faults import sentence
from tirtha.http.schemas.fields import OwnerId
from tirtha.http.strict_route import StrictRoute
from tirtha.mcp_server.errors import Refused
from tirtha.mcp_server.over_operations import MemoryOverOperations
from tirtha.mcp_server.ports import Connection
from tirtha.mcp_server.server import Context, make_server
from tirtha.service import Service

__all__ = ["PATH", "mcp_router"]

PATH = "/mcp"
_USER = "X-Tirtha-User"
_DEFAULT_USER = "default"  # of callers that need no key
_USER_ID = TypeAdapter(OwnerId)


def mcp_router(service: Service, *, max_body_bytes: int) -> APIRouter:
    """Return the route over an open service."""
    server = make_server(_connected, called=service.observer.metrics.called_tool)
    router = APIRouter(route_class=StrictRoute)

    # No GET and no DELETE: without sessions there is nothing to listen to and nothing to end.
    @router.post(PATH, include_in_schema=False)
    async def mcp(request: Request, caller: Known) -> Response:  # noqa: ARG001 - any key; each tool needs a right of its own
        """Answer one message of the Model Context Protocol."""
        _refuse_other_origins(request)
        return _Answered(server, await request.body(), max_body_bytes=max_body_bytes)

    return router


class _Answered(Response):
    """The answer that the SDK makes of a request whose body was read already: so our limits and timeouts hold, in our words.

    The SDK's manager keeps sessions, of which there are none here. So each request has a manager of its own, whose tasks end
    with the request.
    """

    def __init__(self, server: Server, body: bytes, *, max_body_bytes: int) -> None:
        super().__init__()
        self._server = server
        self._sent = body
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        replayed = False

        async def replaying() -> Message:
            nonlocal replayed
            if replayed:
                return await receive()  # that the client is gone
            replayed = True
            return {"type": "http.request", "body": self._sent, "more_body": False}

        manager = StreamableHTTPSessionManager(self._server, stateless=True, max_request_body_size=self._max_body_bytes)
        async with manager.run():
            await manager.handle_request(scope, replaying, send)


async def _connected(ctx: Context) -> Connection:
    """Return the connection of the caller that was found out before this route. Raises Refused."""
    request = ctx.request
    assert isinstance(request, Request)  # noqa: S101 - the SDK's HTTP transport hands it over
    caller: Caller = request.state.caller
    service: Service = request.app.state.service
    named = _named_user(request)
    if caller.user_id is not None and named not in {None, caller.user_id}:
        raise Refused(str(OtherUser()))
    return Connection(
        memory=MemoryOverOperations(service=service, caller=caller),
        user_id=caller.user_id or named,
        default_user_id=_DEFAULT_USER if caller.key_id is None else None,
    )


def _named_user(request: Request) -> str | None:
    """Return the user that the header names; None without one. Raises Refused."""
    try:
        named = named_in_header(request, _USER)
        return None if named is None else _USER_ID.validate_python(named)
    except ValidationError as fault:
        raise Refused(sentence(fault, _USER)) from None
    except ValueError as fault:
        raise Refused(f"the header {_USER} {fault}") from None


def _refuse_other_origins(request: Request) -> None:
    """Refuse what a web page of another name sends. Raises HTTPException.

    Our own name was checked before. So a page that reaches us under a name of its own is found out there, and any other here.
    """
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).hostname != urlsplit(f"//{request.headers.get('host', '')}").hostname:
        raise HTTPException(403, f"requests of the page {origin!r} are not answered")
