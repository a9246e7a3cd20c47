"""What the timings share: a server in a process of its own, texts in the manner of the sample history, a clock, a percentile."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TypeVar

import psutil

from tirtha.sample import sample_sessions
from tirtha.settings import Settings

__all__ = ["numbered_texts", "p95", "serving", "timed"]

T = TypeVar("T")


@contextmanager
def serving(home: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Serve `home` in a process of its own; yields the address and the process."""
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


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Return how many milliseconds `work` took, and what it returned."""
    started_s = perf_counter()
    result = work()
    return (perf_counter() - started_s) * 1_000, result


def p95(times: Sequence[float]) -> float:
    """Return the 95th percentile."""
    return sorted(times)[int(len(times) * 0.95)]
