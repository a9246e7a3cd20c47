"""Fields of values that come from anywhere: each reader returns what it wants, or nothing, whatever is there.

Ids, texts and times are made fit for memory here, and the same way in every format.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from hashlib import blake2b

from tirtha.importers.errors import Ambiguous
from tirtha.visible import is_blank

__all__ = [
    "Object",
    "as_list",
    "as_object",
    "as_text",
    "clean",
    "digest",
    "is_id",
    "item_id",
    "moment",
    "objects",
    "placed",
    "speaker_of",
]

_LONGEST_ID = 256
_LONGEST_NAME = 128
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NO_CHARACTER = re.compile("[\x00\ud800-\udfff]")
_MILLISECONDS_FROM = 100_000_000_000  # as seconds this is the year 5138
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=366)

Object = Mapping[str, object]


def as_object(value: object) -> Object:
    """Return an object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> Sequence[object]:
    """Return a list, or an empty one for anything else."""
    return value if isinstance(value, list) else ()


def as_text(value: object) -> str:
    """Return a string, or "" for anything else."""
    return value if isinstance(value, str) else ""


def objects(value: object) -> Iterator[Object]:
    """Return the objects in a list, without what else is in it."""
    return (one for one in as_list(value) if isinstance(one, dict))


def clean(text: str) -> str:
    """Return a text in which what is no character (NUL, half a surrogate pair) is the replacement character."""
    return text if text.isascii() and "\x00" not in text else _NO_CHARACTER.sub("\ufffd", text)


def speaker_of(value: object) -> str | None:
    """Return a speaker's name as memory takes it, on one line and not too long; None where there is none."""
    name = " ".join(clean(_CONTROL.sub(" ", as_text(value))).split())[:_LONGEST_NAME]
    return None if is_blank(name) else name


def item_id(*parts: str) -> str:
    """Return an id made of parts; its digest where memory would not take it (too long, blank, control characters)."""
    joined = ":".join(parts)
    return joined if is_id(joined, _LONGEST_ID) else digest(*parts)


def is_id(text: str, longest: int) -> bool:
    """Return whether memory would take a text as an id of at most `longest` characters."""
    return not is_blank(text) and len(text) <= longest and not _CONTROL.search(text) and clean(text) == text


def digest(*parts: str) -> str:
    """Return 32 hexadecimal digits that stand for some texts."""
    return blake2b("\x00".join(parts).encode(errors="surrogatepass"), digest_size=16).hexdigest()


def moment(value: object, zone: tzinfo | None) -> datetime | None:
    """Read a time: ISO 8601, or seconds or milliseconds since 1970; None for what is no time, or lies out of all bounds.

    Raises Ambiguous: it has no zone, and none was given.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        read = datetime.fromisoformat(value.strip()) if isinstance(value, str) else _since_1970(value)
    except (ValueError, OverflowError, OSError):
        return None
    return placed(read, zone)


def _since_1970(count: float) -> datetime:
    if not math.isfinite(count):
        raise ValueError("no number of seconds")
    return datetime.fromtimestamp(count / 1_000 if abs(count) >= _MILLISECONDS_FROM else count, UTC)


def placed(read: datetime, zone: tzinfo | None) -> datetime | None:
    """Put a time without a zone into `zone`; None if it lies out of all bounds. Raises Ambiguous: there is no zone."""
    if read.tzinfo is None:
        if zone is None:
            raise Ambiguous(
                parameter="time_zone",
                question=f"The file has times without a zone, such as {read.isoformat(' ')}. In which zone were they told? "
                "Name it as Europe/Berlin, +02:00 or UTC.",
            )
        read = read.replace(tzinfo=zone)
    try:
        return read if _EARLIEST <= read <= datetime.now(UTC) + _AHEAD else None
    except OverflowError:
        return None
