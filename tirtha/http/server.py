"""Serving: the application on a socket, for as long as the process lives."""

import gc
import logging
import socket

import uvicorn

from cascade.errors import Misconfigured
from tirtha.errors import NotLoopback
from tirtha.http.address import announced
from tirtha.settings import LOOPBACK, Settings
from tirtha.terminal import PrintableFormatter
from tirtha.wiring.tiers import probe

__all__ = ["listening", "serve"]

log = logging.getLogger(__name__)

_GRACE_S = 10
_BACKLOG = 2_048


async def serve(settings: Settings) -> None:
    """Serve until a signal stops it; prints the address once requests are answered.

    Raises:
        NotLoopback: the address could be reached by others.
        Misconfigured: a tier's setting is wrong; the message names it.
        OSError: the address cannot be listened on.
    """
    if settings.host not in LOOPBACK:
        raise NotLoopback(settings.host)
    handler = logging.StreamHandler()
    handler.setFormatter(PrintableFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler])
    await _check_tiers(settings)
    with listening(settings.host, settings.port) as listener:
        from tirtha.http.app import create_app  # noqa: PLC0415 - slow to import; what is wrong with a setting is told at once
        from tirtha.wiring.service import open_service  # noqa: PLC0415

        async with open_service(settings) as service:
            config = uvicorn.Config(
                create_app(service, settings),
                log_level=settings.log_level,
                access_log=settings.log_level == "debug",
                lifespan="off",
                timeout_graceful_shutdown=_GRACE_S,
            )
            url = f"http://{settings.host}:{listener.getsockname()[1]}"
            with announced(settings.folder, url):
                gc.collect()
                gc.freeze()  # the libraries' million objects stay for good; each full collection would walk them for 0.3 s
                print(f"Tirtha listens on {url} (data in {settings.folder})", flush=True)  # noqa: T201 - for scripts
                await uvicorn.Server(config).serve(sockets=[listener])


async def _check_tiers(settings: Settings) -> None:
    """Refuse to start on a setting that is wrong for certain; a server that is only down may come up later."""
    for name, seen, fault in await probe(settings):
        if isinstance(fault, Misconfigured):
            raise fault
        if fault is not None:
            log.warning("the tier %s does not answer yet: %s", name, seen)


def listening(host: str, port: int) -> socket.socket:
    """Open a listening socket: who connects before the server is up waits instead of being refused. Raises OSError."""
    # The protocol must be named: asyncio turns Nagle's delay (40 ms a response) off only for sockets that say they are TCP.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as fault:
        listener.close()
        raise OSError(fault.errno, f"cannot listen on {host}:{port}: {fault.strerror}") from fault
    return listener
