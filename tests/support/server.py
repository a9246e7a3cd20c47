"""A real `tirtha serve` process on loopback, for tests that kill it, or speak to it as a user would."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Server", "running"]

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
