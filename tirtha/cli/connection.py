"""How the command line reaches a service: the server that runs on the data folder, or else one in this process.

Both speak the same HTTP contract, so a command is written once. A person who can read the data folder owns what is in it: without a
key a command speaks as the administrator of this machine.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Annotated

import httpx
import typer

from tirtha.cli.in_process import InProcess
from tirtha.cli.running import CommandFailed
from tirtha.errors import NotOpened
from tirtha.http.address import running_server
from tirtha.keys.local_proof import LOCAL_SCHEME, local_proof
from tirtha.settings import Settings

__all__ = ["ShownKey", "connect", "credentials"]

_TIMEOUT_S = 600.0
_key_shown: ContextVar[str | None] = ContextVar("key_shown", default=None)


def _keep(key: str | None) -> str | None:
    _key_shown.set(key)
    return key


# A command that talks to a server takes this as its last parameter, `_key: ShownKey = None`; `connect` knows what was given.
ShownKey = Annotated[
    str | None,
    typer.Option("--key", callback=_keep, help="API key to show; default TIRTHA_KEY"),
]


@asynccontextmanager
async def connect(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of the running server, or open the service here for as long as the client is used.

    Raises CommandFailed if the server stops answering, and NotOpened if the service cannot be opened here.
    """
    url = running_server(settings.folder)
    if url:
        headers = credentials(settings, local_proof(settings.folder))
        try:
            async with httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_S, headers=headers) as client:
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
            headers = credentials(settings, service.authentication.local_proof)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1", timeout=_TIMEOUT_S, headers=headers
            ) as client:
                yield client
    except (MemoryFault, CascadeFault) as fault:
        raise NotOpened(str(fault)) from fault


def credentials(settings: Settings, proof: str | None) -> dict[str, str]:
    """Return the headers that say who calls: by the key of the flag or the settings, else by the local proof, if there is one."""
    key = _key_shown.get() or (settings.key.get_secret_value() if settings.key else None)
    if key:
        return {"authorization": f"Bearer {key.strip()}"}
    return {"authorization": f"{LOCAL_SCHEME} {proof}"} if proof else {}
