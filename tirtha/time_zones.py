"""Time zones as people write them: a name of the IANA database, or an offset."""

import re
from datetime import timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

__all__ = ["known_zone", "read_zone"]

_OFFSET = re.compile(r"([ +-])([01]\d|2[0-3]):([0-5]\d)")


def read_zone(value: str) -> tzinfo:
    """Read a time zone, such as Europe/Berlin or +02:00. In a query string a plus may have become a space. Raises ValueError."""
    if offset := _OFFSET.fullmatch(value):
        behind = -1 if offset[1] == "-" else 1
        return timezone(behind * timedelta(hours=int(offset[2]), minutes=int(offset[3])))
    try:
        return ZoneInfo(value)
    except (LookupError, ValueError, OSError):
        raise ValueError("is no time zone such as Europe/Berlin, UTC or +02:00") from None


def known_zone(value: str) -> tzinfo | None:
    """Return a time zone that was checked when it was stored; None if this machine's database does not have it any more."""
    try:
        return read_zone(value)
    except ValueError:
        return None
