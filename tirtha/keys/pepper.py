"""The pepper: a secret of the server's own, in a file beside the database, under which the secrets of keys are hashed.

A thief of only the database cannot check a guess, nor make a key that the server takes. The file is written once, whole and
for its owner's eyes alone. Knows no key and no database.
"""

import hmac
import os
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from tirtha.errors import PepperUnusable

__all__ = ["Pepper", "PepperFile"]

_BYTES = 32
_SHORTEST = 16  # of a pepper that somebody wrote by hand
_FINGERPRINT_OF = b"tirtha: fingerprint of the pepper"
_FINGERPRINT_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Pepper:
    """A pepper, and what is made with it."""

    value: bytes = field(repr=False)

    def digest(self, secret: str) -> str:
        """Return the HMAC-SHA-256 of a secret, as hexadecimal digits."""
        return hmac.digest(self.value, secret.encode(), sha256).hex()

    @property
    def fingerprint(self) -> str:
        """What says that two peppers are the same, and nothing else of them: kept with every key."""
        return hmac.digest(self.value, _FINGERPRINT_OF, sha256).hex()[:_FINGERPRINT_DIGITS]


@dataclass(frozen=True, slots=True)
class PepperFile:
    """The file of the pepper at `path`."""

    path: Path

    def read(self) -> Pepper | None:
        """Return the pepper; None if there is no file. Raises PepperUnusable."""
        try:
            value = self.path.read_bytes().rstrip(b"\r\n")
        except FileNotFoundError:
            return None
        except OSError as fault:
            raise PepperUnusable(self.path, f"it cannot be read ({fault.strerror})") from fault
        if len(value) < _SHORTEST:
            raise PepperUnusable(self.path, f"it holds {len(value)} bytes, and {_SHORTEST} are the least")
        return Pepper(value)

    def read_or_make(self) -> Pepper:
        """Return the pepper, and make one first if there is no file; durable on return. Raises PepperUnusable."""
        known = self.read()
        if known is not None:
            return known
        try:
            self._write(f"{secrets.token_urlsafe(_BYTES)}\n".encode())
        except OSError as fault:
            raise PepperUnusable(self.path, f"it cannot be written ({fault.strerror})") from fault
        made = self.read()
        if made is None:
            raise PepperUnusable(self.path, "it was removed while it was made")
        return made

    def _write(self, value: bytes) -> None:
        """Write the file whole, or leave the one that another process wrote meanwhile."""
        draft = self.path.with_name(f".{self.path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(value)
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, self.path)  # unlike a rename, it replaces nothing
            except FileExistsError:
                return
        finally:
            draft.unlink()
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
