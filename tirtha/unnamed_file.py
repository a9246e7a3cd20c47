"""Files without a name in the data folder: gone when they are closed, however the process ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from memory.errors import StoreUnavailable

__all__ = ["disk_faults", "unnamed_file"]


def unnamed_file(folder: Path, failure: str) -> IO[bytes]:
    """Open a file without a name in `folder`. Raises StoreUnavailable, which begins with `failure`."""
    with disk_faults(failure):
        return TemporaryFile(dir=folder)


@contextmanager
def disk_faults(failure: str) -> Iterator[None]:
    """Turn a fault of the disk into StoreUnavailable, which begins with `failure`."""
    try:
        yield
    except OSError as fault:
        raise StoreUnavailable(f"{failure}: {fault.strerror}") from fault
