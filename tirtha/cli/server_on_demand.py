"""A server for a process that needs one, and not at once: the one that runs on the data folder, or else one in this process.

It is looked for with the first request, and again when it has gone. A server of this process opens the data folder, for which the
engine is imported, and announces itself there as `tirtha serve` does: so other processes go through it, and none is locked out.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.to_thread
import httpx
from anyio.abc import TaskGroup, TaskStatus

from tirtha.cli.connection import credentials
from tirtha.errors import FaceFault
from tirtha.http.address import announced, running_server
from tirtha.keys.local_proof import local_proof
from tirtha.mcp_server.errors import Refused
from tirtha.settings import Settings

__all__ = ["ServerOnDemand", "server_on_demand"]

_TIMEOUT_S = 600.0
_KEPT_ALIVE_S = 2.0  # less than the server keeps a connection, so that none is used while it is being closed
_OPENING_S, _AGAIN_S = 120.0, 0.5  # how long another process may take to open the folder, and how often that is asked
_Json = Mapping[str, Any]


class ServerOnDemand:
    """Requests to the server. `tasks` is where a server of this process runs."""

    def __init__(self, settings: Settings, client: httpx.AsyncClient, tasks: TaskGroup) -> None:
        self._settings = settings
        self._client = client
        self._tasks = tasks
        self._finding = anyio.Lock()
        self._url: str | None = None
        self._ending = anyio.Event()
        self._ended = anyio.Event()
        self._ended.set()  # until there is a server of this process

    async def request(self, method: str, path: str, *, query: _Json, body: _Json | None) -> httpx.Response:
        """Send a request and return its answer. Raises Refused if no server can be reached."""
        for _ in range(2):  # a server that was found may have gone since
            url = await self._found()
            shown = credentials(self._settings, await anyio.to_thread.run_sync(local_proof, self._settings.folder))
            try:
                return await self._client.request(method, url + path, params=query, json=body, headers=shown)
            except httpx.ConnectError:  # so nothing was sent
                self._url = None
            except httpx.TransportError as fault:
                self._url = None
                raise Refused(
                    f"the server at {url} stopped answering ({str(fault) or type(fault).__name__}), and whether it did what was "
                    "asked is not known: look, and ask again"
                ) from fault
        raise Refused("the server of the data folder cannot be reached: start it again", retry_after_s=5)

    async def close(self) -> None:
        """End the server of this process, if there is one; what is open is closed in order."""
        self._ending.set()
        await self._ended.wait()

    async def _found(self) -> str:
        async with self._finding:
            if self._url is None:
                self._url = await self._running() or await self._opened()
            return self._url

    async def _running(self) -> str | None:
        return await anyio.to_thread.run_sync(running_server, self._settings.folder)

    async def _opened(self) -> str:
        """Return the address of a new server in this process, or of one that another process opened meanwhile."""
        await anyio.to_thread.run_sync(_import_engine)
        from cascade.errors import CascadeFault  # noqa: PLC0415 - a running server spares us the engine's slow imports
        from memory.errors import HomeInUse, MemoryFault  # noqa: PLC0415

        ends_s = anyio.current_time() + _OPENING_S
        while True:
            try:
                url: str = await self._tasks.start(self._serve)
            except HomeInUse as fault:  # another process opens it just now, or a command uses it for a while
                if anyio.current_time() > ends_s:
                    raise Refused(str(fault)) from fault
                await anyio.sleep(_AGAIN_S)
                if found := await self._running():
                    return found
            except (MemoryFault, CascadeFault, FaceFault, OSError) as fault:
                raise Refused(f"the data folder cannot be opened: {fault}") from fault
            else:
                return url

    async def _serve(self, *, task_status: TaskStatus[str]) -> None:
        """Serve on a free port of loopback until `close`."""
        from tirtha.http.server import http_server, listening  # noqa: PLC0415 - as above
        from tirtha.wiring.service import open_service  # noqa: PLC0415

        settings = self._settings
        self._ended = anyio.Event()
        try:
            async with open_service(settings) as service:
                with listening("127.0.0.1", 0) as listener:
                    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
                    server = http_server(service, settings)
                    with announced(settings.folder, url, service.authentication.local_proof):
                        async with anyio.create_task_group() as serving:
                            serving.start_soon(server.serve, [listener])
                            task_status.started(url)
                            await self._ending.wait()
                            server.should_exit = True
        finally:
            self._ended.set()


@asynccontextmanager
async def server_on_demand(settings: Settings) -> AsyncIterator[ServerOnDemand]:
    """Yield requests to the server of the data folder; a server that was begun here for them ends with the block."""
    kept = httpx.Limits(keepalive_expiry=_KEPT_ALIVE_S)
    async with httpx.AsyncClient(timeout=_TIMEOUT_S, limits=kept) as client, anyio.create_task_group() as tasks:
        server = ServerOnDemand(settings, client, tasks)
        try:
            yield server
        finally:
            with anyio.CancelScope(shield=True):
                await server.close()


def _import_engine() -> None:
    """Import what takes seconds, in a thread, so that the client is answered meanwhile."""
    import tirtha.http.app  # noqa: PLC0415
    import tirtha.wiring.service  # noqa: F401, PLC0415
