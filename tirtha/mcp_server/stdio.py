"""The server on standard input and output, where nothing is written but the protocol."""

from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from tirtha.mcp_server.ports import Connection
from tirtha.mcp_server.server import Context, make_server

__all__ = ["serve_stdio"]


async def serve_stdio(connection: Connection) -> None:
    """Serve one client, of either era of the protocol, until it closes standard input."""

    async def connect(ctx: Context) -> Connection:  # noqa: ARG001 - there is one only
        return connection

    await _served(make_server(connect))


async def _served(server: Server) -> None:
    async with stdio_server() as (requests, answers):
        await server.run(requests, answers, server.create_initialization_options())
