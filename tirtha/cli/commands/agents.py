"""The command by which agents use the memory: mcp."""

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated

import anyio
import typer
from pydantic import TypeAdapter, ValidationError

from tirtha.cli.connection import ShownKey
from tirtha.cli.running import err, print_lines, read_settings, run
from tirtha.settings import Settings

__all__ = ["app"]

app = typer.Typer()

_DEFAULT_USER = "default"


@app.command()
def mcp(
    *,
    user: Annotated[str, typer.Option("--user", "-u", help="whose memory the agent has")] = _DEFAULT_USER,
    agent: Annotated[str | None, typer.Option("--agent", help="only this agent's memory of the user")] = None,
    _key: ShownKey = None,
) -> None:
    """Serve the memory to an agent: an MCP server on standard input and output."""
    from tirtha.observation.logs import set_up_logging  # noqa: PLC0415 - other commands need none of this

    settings = read_settings()
    set_up_logging(settings.log_level, settings.log_format)
    if sys.stdin.isatty():
        print_lines(err, "This speaks to an agent's program, which starts it: docs/mcp.md says how. Ctrl-C ends it.")
    owner = _checked("--user", user), None if agent is None else _checked("--agent", agent)
    run(_serve(settings, *owner))


def _checked(flag: str, value: str) -> str:
    from tirtha.http.schemas.fields import OwnerId  # noqa: PLC0415

    try:
        return TypeAdapter[str](OwnerId).validate_python(value)
    except ValidationError as fault:
        why = str(fault.errors()[0]["msg"]).removeprefix("Value error, ")
        raise typer.BadParameter(why, param_hint=flag) from None


async def _serve(settings: Settings, user_id: str, agent_id: str | None) -> None:
    """Serve the client until it closes standard input, or a signal ends the process."""
    from tirtha.cli.server_on_demand import server_on_demand  # noqa: PLC0415
    from tirtha.mcp_server.over_http import MemoryOverHttp  # noqa: PLC0415
    from tirtha.mcp_server.ports import Connection  # noqa: PLC0415
    from tirtha.mcp_server.stdio import serve_stdio  # noqa: PLC0415

    async with server_on_demand(settings) as server, anyio.create_task_group() as tasks:
        tasks.start_soon(_end_by_signal, server.close)
        await serve_stdio(Connection(memory=MemoryOverHttp(server), user_id=user_id, agent_id=agent_id))
        tasks.cancel_scope.cancel()


async def _end_by_signal(close: Callable[[], Awaitable[None]]) -> None:
    """Wait for INT or TERM, close what is open, and end the process: nothing wakes the thread that reads standard input."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for by in signals:
            await close()
            os._exit(128 + by)
