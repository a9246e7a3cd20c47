"""A real server on loopback: a `tirtha serve` process, for tests of the process, or the same application in a thread of this one.

A process imports and loads for seconds, so a test that is about what the server answers, and not about the process, has a thread.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from anyio.from_thread import start_blocking_portal

from memory.encoding.encoder import Encoder
from tests.support.databases import new_home
from tirtha.http.address import announced
from tirtha.http.app import create_app
from tirtha.http.server import listening
from tirtha.http.timeouts.heads import timed_protocol
from tirtha.setting_sources import SettingSources
from tirtha.wiring.service import open_service

__all__ = ["COMMAND", "Server", "environment", "running", "serving"]

COMMAND = str(Path(sys.executable).with_name("tirtha"))


class Server:
    """A running server: where it listens, and the process to kill."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url

    def kill(self) -> None:
        """Kill it without warning (SIGKILL)."""
        self.process.kill()
        self.process.wait()


def environment(home: Path, **extra: str) -> dict[str, str]:
    """The environment of a Tirtha process that uses `home`."""
    return {**os.environ, "TIRTHA_HOME": str(home), "HF_HUB_OFFLINE": "1", **extra}  # noqa: TID251 - for a child process


@contextmanager
def running(home: Path, **extra: str) -> Iterator[Server]:
    """Start a server on a free port and wait until it answers; it is stopped at the end if it still runs."""
    process = subprocess.Popen(
        [COMMAND, "serve", "--port", "0"],
        env=environment(home, **extra),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    try:
        announced = process.stdout.readline()
        assert "listens on" in announced, f"the server ended with {process.wait()}"
        yield Server(process, announced.split()[3])
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


@contextmanager
def serving(home: Path, encoder: Encoder, **extra: str) -> Iterator[str]:
    """Serve from a thread of this process, configured by the environment as a process is; gives the address."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (extra | {"TIRTHA_HOME": str(new_home(home))}).items():
            patch.setenv(name, value)
        settings = SettingSources().read()
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(open_service(settings, encoder=encoder)) as service,
        listening("127.0.0.1", 0) as listener,
        announced(home, url := f"http://127.0.0.1:{listener.getsockname()[1]}", service.authentication.local_proof),
    ):
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(service, settings),
                http=timed_protocol(settings.header_timeout_s),
                lifespan="off",
                log_config=None,
                timeout_graceful_shutdown=10,
            )
        )
        served = portal.start_task_soon(server.serve, [listener])
        try:
            yield url
        finally:
            server.should_exit = True
            served.result(timeout=30)
