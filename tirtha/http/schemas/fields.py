"""The kinds of values that requests are made of: ids, texts, times, sizes. Each says in a sentence what is wrong with a value."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, StringConstraints

from tirtha.time_zones import read_zone
from tirtha.visible import is_blank

__all__ = ["Budget", "In", "ItemId", "Moment", "OwnerId", "Prose", "TenantName", "Words", "Zone", "as_text"]

_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=366)
_TENANT_NAME = re.compile(r"[a-z0-9._-]{1,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


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


def _zone(value: object) -> tzinfo:
    """Read a time zone: a name of the IANA database, or an offset. In a query string a plus may have become a space."""
    if isinstance(value, tzinfo):
        return value
    if not isinstance(value, str):
        raise ValueError("must be a string such as Europe/Berlin or +02:00")  # noqa: TRY004 - pydantic wants ValueError
    return read_zone(value)


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
Zone = Annotated[tzinfo, PlainValidator(_zone, json_schema_input_type=str)]


def _tenant_name(value: str) -> str:
    if not _TENANT_NAME.fullmatch(value):
        raise ValueError("must be 1 to 64 characters of a to z, 0 to 9, '.', '_' and '-'")
    return value


# For the schema only: what validators above say in words that a caller can act on.
_VISIBLE = Field(json_schema_extra={"pattern": r"\S"})
_VISIBLE_LINE = Field(json_schema_extra={"pattern": r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"})
_TENANT = Field(json_schema_extra={"pattern": f"^{_TENANT_NAME.pattern}$"})

Words = Annotated[str, AfterValidator(as_text)]  # any text, also an empty one
Prose = Annotated[Words, AfterValidator(_visible), _VISIBLE]
OwnerId = Annotated[str, StringConstraints(min_length=1, max_length=128), AfterValidator(_id), _VISIBLE_LINE]
ItemId = Annotated[str, StringConstraints(min_length=1, max_length=256), AfterValidator(_id), _VISIBLE_LINE]
TenantName = Annotated[str, AfterValidator(_tenant_name), _TENANT]
Budget = Annotated[int, Field(ge=1, le=131_072)]


class In(BaseModel):
    """What every request and every part of one is: types are strict, and unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", strict=True)
