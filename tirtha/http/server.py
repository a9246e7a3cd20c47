"""Serving: the application on a socket, until a signal ends it.

INT and TERM end it alike: no new connections, ten seconds for the requests under way, then what is open is closed in order, the
database last. uvicorn alone would raise the signal again before anything is closed, and TERM would end the process there.
"""

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from cascade.errors import Misconfigured
from tirtha.http.address import announced
from tirtha.http.timeouts.heads import timed_protocol
from tirtha.observation.logs import set_up_logging
from tirtha.settings import Settings
from tirtha.wiring.keys import refuse_to_listen_without_a_key
from tirtha.wiring.tiers import probe

if TYPE_CHECKING:
    from tirtha.service import Service  # not at run time: it imports the engine

__all__ = ["http_server", "listening", "serve"]

log = logging.getLogger(__name__)

_GRACE_S = 10
_BACKLOG = 2_048
_EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - only once a key is made


class _Server(uvicorn.Server):
    """uvicorn's server, which leaves the signals to `_ended_by_signals`."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


async def serve(settings: Settings) -> None:
    """Serve until INT or TERM; prints the address once requests are answered.

    Raises:
        KeyboardInterrupt: INT ended it, and everything is closed.
        NotLoopback: the address could be reached by others, and no key is made.
        PepperUnusable: keys are made, and none of them can be checked.
        Misconfigured: a tier's setting is wrong; the message names it.
        OSError: the address cannot be listened on.
    """
    refuse_to_listen_without_a_key(settings)
    set_up_logging(settings.log_level, settings.log_format)
    with _ended_by_signals() as ending:
        await _serve(settings, ending)


async def _serve(settings: Settings, ending: "_Ending") -> None:
    await _check_tiers(settings)
    with listening(settings.host, settings.port) as listener:
        from tirtha.wiring.service import open_service  # noqa: PLC0415 - slow to import; what is wrong with a setting is reported at once

        async with open_service(settings) as service:
            for wrong in await service.keys.what_is_wrong():
                log.warning("%s", wrong)
            server = http_server(service, settings)
            port = listener.getsockname()[1]
            url = f"http://{settings.host}:{port}"
            own_url = f"http://127.0.0.1:{port}" if settings.host == _EVERY_ADDRESS else url
            with announced(settings.folder, own_url, service.authentication.local_proof):
                gc.collect()
                gc.freeze()  # the libraries' million objects stay for good; each full collection would walk them for 0.3 s
                print(f"Tirtha listens on {url} (data in {settings.folder})", flush=True)  # noqa: T201 - for scripts
                await ending.serve(server, listener)


def http_server(service: "Service", settings: Settings) -> uvicorn.Server:
    """Return a server of the application over an open service. It leaves the signals of the process to its caller."""
    from tirtha.http.app import create_app  # noqa: PLC0415 - slow to import, as above

    config = uvicorn.Config(
        create_app(service, settings),
        log_level=settings.log_level,
        log_config=None,  # its lines go the way of ours
        access_log=False,  # they hold whole paths, with ids and queries; ours (`watched`) do not
        lifespan="off",
        proxy_headers=False,  # what a request says of its sender must not stand for who connected
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
        http=timed_protocol(settings.header_timeout_s),
    )
    return _Server(config)


class _Ending:
    """What a signal does: cancel what is being opened, or let the server end its requests."""

    def __init__(self) -> None:
        self._opening = asyncio.current_task()
        self._server: uvicorn.Server | None = None
        self.by: signal.Signals | None = None

    async def serve(self, server: uvicorn.Server, listener: socket.socket) -> None:
        """Serve until a signal comes."""
        self._server = server
        await server.serve(sockets=[listener])

    def end(self, by: signal.Signals) -> None:
        """End for the first signal, and do not wait for requests after a second one."""
        if self.by is None:
            self.by = by
            if self._server is None and self._opening is not None:
                self._opening.cancel()
        elif self._server is not None:
            self._server.force_exit = True
        if self._server is not None:
            self._server.should_exit = True


@contextmanager
def _ended_by_signals() -> Iterator[_Ending]:
    """Handle the signals that end the process as long as the block runs, until all that is opened in it is closed."""
    ending, loop = _Ending(), asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, ending.end, one)
    try:
        yield ending
    except asyncio.CancelledError:
        if ending.by is None:
            raise
    finally:
        for one in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(one)
    if ending.by == signal.SIGINT:
        raise KeyboardInterrupt


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
