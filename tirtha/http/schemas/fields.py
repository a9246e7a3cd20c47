"""The kinds of values that requests are made of: ids, texts, times, sizes. Each says in a sentence what is wrong with a value."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

__all__ = ["Budget", "In", "ItemId", "Moment", "OwnerId", "Prose", "Words", "as_text", "is_blank"]

_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=366)
# Whitespace, control and format characters (Unicode's Z*, Cc and Cf), and those of other categories that show nothing: fillers,
# variation selectors, the empty braille cell, the null notehead. Lone surrogates are refused before this is asked.
_SHOWS_NOTHING = (
    r"\s\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    r"\ufeff\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U0001d159\U000e0000-\U000e0fff"
)
_SEEN = re.compile(f"[^{_SHOWS_NOTHING}]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def is_blank(text: str) -> bool:
    """Say whether nothing of a text can be seen: whitespace, zero-width characters and other fillers only."""
    return _SEEN.search(text) is None


def _moment(value: object) -> datetime:
    """Read ISO 8601 with a zone, between 1900 and a year from now."""
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("is no ISO 8601 time such as 2023-05-08T13:56:00Z") from None
    else:
        raise ValueError("must be a string such as 2023-05-08T13:56:00Z")  # noqa: TRY004 - pydantic wants ValueError
    if moment.tzinfo is None:
        raise ValueError("has no time zone; write 2023-05-08T13:56:00Z or ...+02:00")
    if not _EARLIEST <= moment <= datetime.now(UTC) + _AHEAD:
        raise ValueError("must lie between the year 1900 and a year from now")
    return moment


def _visible(value: str) -> str:
    if is_blank(value):
        raise ValueError("must not be blank")
    return value


def as_text(value: str) -> str:
    """Return a string that databases can keep as text. Raises ValueError, which says what in it is no character."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("holds half a surrogate pair, which is no character") from None
    if "\x00" in value:
        raise ValueError("must not hold the character NUL (U+0000)")
    return value


def _id(value: str) -> str:
    if _CONTROL.search(value):
        raise ValueError("must not hold control characters")
    return _visible(as_text(value))


Moment = Annotated[datetime, BeforeValidator(_moment)]
Words = Annotated[str, AfterValidator(as_text)]  # any text, also an empty one
Prose = Annotated[Words, AfterValidator(_visible)]
OwnerId = Annotated[str, StringConstraints(min_length=1, max_length=128), AfterValidator(_id)]
ItemId = Annotated[str, StringConstraints(min_length=1, max_length=256), AfterValidator(_id)]
Budget = Annotated[int, Field(ge=1, le=131_072)]


class In(BaseModel):
    """What every request and every part of one is: types are strict, and unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", strict=True)
