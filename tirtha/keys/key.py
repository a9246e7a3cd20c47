"""What a key is: the record that is kept of it, and its text, which is shown once and not kept. Knows no database.

The text is `trt_ID_SECRET`. The id finds the record, and stands in lists and logs. The secret is 256 random bits, of which only an
HMAC is kept. A slow password hash would add nothing: 2^256 secrets cannot be tried.
"""

import re
import secrets
import string
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

from tirtha.caller import Caller, Right
from tirtha.time_zones import known_zone

__all__ = ["RIGHTS", "Key", "KeyState", "KeyText", "new_text", "read_text"]

RIGHTS: tuple[Right, ...] = get_args(Right)
KeyState = Literal["valid", "expired", "revoked", "pepper_lost"]

_ID_CHARACTERS = string.ascii_lowercase + string.digits
_ID_LENGTH = 10
_SECRET_BYTES = 32
_TEXT = re.compile(r"trt_(?P<id>[a-z0-9]{10})_(?P<secret>[A-Za-z0-9_-]{43})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyText:
    """The two parts of a key's text."""

    id: str
    secret: str = field(repr=False)

    def __str__(self) -> str:
        return f"trt_{self.id}_{self.secret}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What is kept of a key. `pepper` is the fingerprint of the pepper under which its secret was hashed.

    `time_zone` is where its user is: a name of the IANA database, or an offset such as +02:00.
    """

    id: str
    tenant: str
    name: str
    rights: frozenset[Right]
    user_id: str | None
    trusted_proxy: bool
    time_zone: str | None = None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    pepper: str

    def state(self, now: datetime, pepper: str | None) -> KeyState:
        """Return whether the key is good at `now`, under the pepper with this fingerprint; None stands for a missing pepper."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= now:
            return "expired"
        return "valid" if self.pepper == pepper else "pepper_lost"

    def caller(self) -> Caller:
        """Return the caller who shows this key."""
        return Caller(
            tenant=self.tenant,
            rights=self.rights,
            key_id=self.id,
            user_id=self.user_id,
            trusted_proxy=self.trusted_proxy,
            time_zone=known_zone(self.time_zone) if self.time_zone else None,
        )


def new_text() -> KeyText:
    """Return the text of a new key, from the system's source of randomness."""
    id_ = "".join(secrets.choice(_ID_CHARACTERS) for _ in range(_ID_LENGTH))
    return KeyText(id=id_, secret=secrets.token_urlsafe(_SECRET_BYTES))


def read_text(text: str) -> KeyText | None:
    """Parse a key's text; None if it is none."""
    found = _TEXT.fullmatch(text)
    return KeyText(id=found["id"], secret=found["secret"]) if found else None
