"""A disk that runs full: a real file system, of a few MiB in memory."""

import errno
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

__all__ = ["small_disk", "write_until_full"]


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a filesystem of 8 MiB, or skip the test where that is not allowed."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a filesystem needs the right to")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def write_until_full(file: Path) -> None:
    """Take all the room that is left on the disk of a file."""
    with file.open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(4_096))
        except OSError as fault:
            assert fault.errno == errno.ENOSPC
