"""What the timings share: a server in a process of its own, texts in the manner of the sample history, a percentile."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from tirtha.sample import sample_sessions
from tirtha.settings import Settings

__all__ = ["numbered_texts", "p95", "serving"]


@contextmanager
def serving(home: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Serve `home` in a process of its own; gives the address and the process."""
    settings = Settings(home=home)
    command = [str(Path(sys.executable).with_name("tirtha")), "serve", "--port", "0", "--home", str(settings.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:  # noqa: S603
        assert process.stdout
        url = process.stdout.readline().split()[3]
        try:
            yield url, psutil.Process(process.pid)
        finally:
            process.terminate()


def numbered_texts(count: int) -> list[str]:
    """Return `count` different texts in the manner of the sample history."""
    said = [turn.text for turns in sample_sessions().values() for turn in turns]
    return [f"{said[number % len(said)]} That was note {number}." for number in range(count)]


def p95(times: Sequence[float]) -> float:
    """Return the 95th percentile."""
    return sorted(times)[int(len(times) * 0.95)]
