"""How the command line reaches a service: the server that runs on the data folder, or else one in this process.

Both speak the same HTTP contract, so a command is written once.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tirtha.cli.in_process import InProcess
from tirtha.cli.running import CommandFailed
from tirtha.errors import NotOpened
from tirtha.http.address import running_server
from tirtha.settings import Settings

__all__ = ["connect"]

_TIMEOUT_S = 600.0


@asynccontextmanager
async def connect(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of the running server, or open the service here for as long as the client is used.

    Raises CommandFailed if the server stops answering, and NotOpened if the service cannot be opened here.
    """
    url = running_server(settings.folder)
    if url:
        try:
            async with httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_S) as client:
                yield client
        except httpx.TransportError as fault:
            reason = str(fault) or type(fault).__name__
            raise CommandFailed(
                f"the server at {url} stopped answering ({reason}): see its log, start it again"
            ) from fault
        return
    from cascade.errors import CascadeFault  # noqa: PLC0415 - a running server spares us the engine's slow imports
    from memory.errors import MemoryFault  # noqa: PLC0415
    from tirtha.http.app import create_app  # noqa: PLC0415
    from tirtha.wiring.service import open_service  # noqa: PLC0415

    try:
        async with open_service(settings) as service:
            transport = InProcess(create_app(service, settings))
            async with httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1", timeout=_TIMEOUT_S
            ) as client:
                yield client
    except (MemoryFault, CascadeFault) as fault:
        raise NotOpened(str(fault)) from fault
