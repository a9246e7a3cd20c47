"""The MCP server: what clients ask for, handed to the tools and the sessions; every refusal put into words.

It stands on the SDK's low-level server. The other one, `MCPServer`, ignores arguments that a tool does not have, lists the same
resources to every caller, and sets up the process's logging.
"""

import logging
from collections.abc import Awaitable, Callable
from functools import cache
from importlib.resources import files
from typing import Any, Literal, TypeVar

import mcp_types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    InputRequiredResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    TextContent,
)
from pydantic import BaseModel, ValidationError

import tirtha
from tirtha.http.schemas.faults import sentence
from tirtha.mcp_server import sessions
from tirtha.mcp_server.errors import Refused
from tirtha.mcp_server.ports import Connection
from tirtha.mcp_server.tools import TOOLS, Call

__all__ = ["INSTRUCTIONS", "Called", "Context", "ToolOutcome", "make_server"]

log = logging.getLogger(__name__)

R = TypeVar("R")
Context = ServerRequestContext[Any, Any]
ToolOutcome = Literal["answered", "asked", "refused", "failed"]
Called = Callable[[str, ToolOutcome], None]
INSTRUCTIONS = files(__package__).joinpath("instructions.md").read_text("utf-8")
_WITHHELD = "an unexpected error; the log of Tirtha has it"


@cache
def _shown() -> list[mcp_types.Tool]:
    """The tools as clients see them; their schemas take longer to write than everything else of a server."""
    return [tool.shown() for tool in TOOLS.values()]


def make_server(
    connect: Callable[[Context], Awaitable[Connection]], *, called: Called = lambda _tool, _how: None
) -> Server:
    """Return the server. `connect` says by which connection a request came, and raises Refused; `called` notes each call."""
    shown = _shown()
    schemas = {tool.name: tool.input_schema for tool in shown}

    async def list_tools(ctx: Context, params: PaginatedRequestParams | None) -> ListToolsResult:  # noqa: ARG001
        return ListToolsResult(tools=shown)

    async def call_tool(ctx: Context, params: CallToolRequestParams) -> CallToolResult | InputRequiredResult:
        if params.name not in TOOLS:
            raise MCPError(INVALID_PARAMS, f"there is no tool {params.name!r}: there are {', '.join(TOOLS)}")
        how: ToolOutcome = "failed"
        try:
            result, how = await _called(ctx, params, connect)
        finally:
            called(params.name, how)
        return result

    async def list_templates(ctx: Context, params: PaginatedRequestParams | None) -> ListResourceTemplatesResult:  # noqa: ARG001
        return ListResourceTemplatesResult(resource_templates=[sessions.TEMPLATE])

    async def list_resources(ctx: Context, params: PaginatedRequestParams | None) -> ListResourcesResult:
        async def listing() -> ListResourcesResult:
            return await sessions.listed(await connect(ctx), params.cursor if params else None)

        return await _or_error(listing)

    async def read_resource(ctx: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        async def reading() -> ReadResourceResult:
            return await sessions.read(await connect(ctx), params.uri)

        return await _or_error(reading)

    return Server(
        "tirtha",
        title="Tirtha, a long-term memory",
        version=tirtha.__version__,
        instructions=INSTRUCTIONS,
        get_tool_input_schema=schemas.get,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read_resource,
    )


async def _called(
    ctx: Context, params: CallToolRequestParams, connect: Callable[[Context], Awaitable[Connection]]
) -> tuple[CallToolResult | InputRequiredResult, ToolOutcome]:
    """Run a tool. What goes wrong is the tool's result, so that the model reads it."""
    tool = TOOLS[params.name]
    try:
        arguments = tool.takes.model_validate(params.arguments or {})
        result = await tool.run(Call(ctx=ctx, params=params, connection=await connect(ctx)), arguments)
    except ValidationError as fault:
        return _error(sentence(fault, "arguments")), "refused"
    except Refused as fault:
        return _error(str(fault)), "refused"
    except MCPError:
        raise
    except Exception:  # the boundary of a request: the SDK would send the words of it to the client
        log.exception("the tool %s failed", params.name)
        return _error(_WITHHELD), "failed"
    if isinstance(result, InputRequiredResult):
        return result, "asked"
    return _structured(result), "answered"


async def _or_error(work: Callable[[], Awaitable[R]]) -> R:
    """Do the work of a request that has no other way to say what is wrong than an error of the protocol."""
    try:
        return await work()
    except Refused as fault:
        raise MCPError(INVALID_PARAMS, str(fault)) from fault
    except MCPError:
        raise
    except Exception as fault:  # the boundary of a request, as above
        log.exception("a resource could not be listed or read")
        raise MCPError(INTERNAL_ERROR, _WITHHELD) from fault


def _structured(result: BaseModel) -> CallToolResult:
    """Return a result as data, and the same as a text for clients that know no structured output."""
    data = result.model_dump(mode="json")
    return CallToolResult(
        content=[TextContent(type="text", text=result.model_dump_json(exclude_none=True))], structured_content=data
    )


def _error(words: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=words)], is_error=True)
