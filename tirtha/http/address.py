"""The address of the server that runs on a data folder, left in a file there while it runs, beside its local proof."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tirtha.keys.local_proof import left_in

__all__ = ["announced", "running_server"]

_ADDRESS_FILE = "server.url"
_PROBE_TIMEOUT_S = 2.0


@contextmanager
def announced(home: Path, url: str, proof: str) -> Iterator[None]:
    """Leave the server's address and its local proof in its data folder while it runs."""
    file = home / _ADDRESS_FILE
    with left_in(home, proof):
        file.write_text(url)
        try:
            yield
        finally:
            file.unlink(missing_ok=True)


def running_server(home: Path) -> str | None:
    """Return the address of the server that runs on this data folder, if one answers."""
    file = home / _ADDRESS_FILE
    if not file.is_file():
        return None
    try:
        url = file.read_text("ascii").strip()
        alive = httpx.get(f"{url}/healthz", timeout=_PROBE_TIMEOUT_S).is_success
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return None  # a server that was killed leaves its address behind, and a failing disk may garble it
    return url if alive else None
