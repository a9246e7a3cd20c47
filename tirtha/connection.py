"""How the command line reaches a service: the server that runs on the data folder, or else one in this process.

Both speak the same HTTP contract, so a command is written once.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx

from tirtha.errors import NotOpened
from tirtha.settings import Settings

__all__ = ["announced", "connect", "running_server"]

_ADDRESS_FILE = "server.url"
_PROBE_TIMEOUT_S = 2.0
_TIMEOUT_S = 600.0


@asynccontextmanager
async def connect(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of the running server, or open the service here for as long as the client is used."""
    url = running_server(settings.folder)
    if url:
        async with httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_S) as client:
            yield client
        return
    from memory.errors import MemoryFault  # noqa: PLC0415 - a running server spares us the engine's slow imports
    from tirtha.api.app import create_app  # noqa: PLC0415
    from tirtha.service import open_service  # noqa: PLC0415

    try:
        async with open_service(settings) as service:
            transport = httpx.ASGITransport(create_app(service))
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                yield client
    except MemoryFault as fault:
        raise NotOpened(str(fault)) from fault


@contextmanager
def announced(home: Path, url: str) -> Iterator[None]:
    """Leave the server's address in its data folder while it runs."""
    file = home / _ADDRESS_FILE
    file.write_text(url)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def running_server(home: Path) -> str | None:
    """Give the address of the server that runs on this data folder, if one answers."""
    file = home / _ADDRESS_FILE
    if not file.is_file():
        return None
    url = file.read_text().strip()
    try:
        alive = httpx.get(f"{url}/healthz", timeout=_PROBE_TIMEOUT_S).is_success
    except httpx.HTTPError:
        return None  # a server that was killed leaves its address behind
    return url if alive else None
