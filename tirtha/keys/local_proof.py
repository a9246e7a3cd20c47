"""The proof of the local administrator: a secret of one server process, in a file that only the owner of the data folder can read.

It is made anew by every process, so that what a killed server leaves behind opens nothing. Imports nothing of the engine.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["LOCAL_SCHEME", "left_in", "local_proof", "new_proof"]

LOCAL_SCHEME = "Tirtha-Local"  # of the Authorization header
_FILE = "server.proof"
_BYTES = 32


def new_proof() -> str:
    """Return a new proof, of 256 random bits."""
    return secrets.token_urlsafe(_BYTES)


@contextmanager
def left_in(home: Path, proof: str) -> Iterator[None]:
    """Leave a proof in the data folder while its server runs."""
    file = home / _FILE
    file.unlink(missing_ok=True)  # so that neither its permissions nor a link decide who can read it
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(proof)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def local_proof(home: Path) -> str | None:
    """Return the proof that the server of this data folder takes; None if it left none. Raises OSError for another's folder."""
    try:
        return (home / _FILE).read_text("ascii").strip()
    except FileNotFoundError:
        return None
