"""Cursors: where a page of a listing ended, as a string that only this server reads.

One way for every listing. A cursor holds the place that the next page begins after, in the terms that the listing is sorted by:
that place stays when what stood there is forgotten. It is bound to its listing, to the tenant and to the filters of its request,
so that the cursor of another request is refused and cannot skip anything silently. It is not signed, because it opens nothing that
the request itself does not.
"""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from memory import TurnPk
from tirtha.errors import BadCursor
from tirtha.http.schemas.fields import ItemId, OwnerId, TenantName
from tirtha.operations.listing import MOST_FOUND

__all__ = [
    "AUDIT",
    "DECISIONS",
    "FEEDBACK",
    "INSTRUCTIONS",
    "KEYS",
    "LONGEST_CURSOR",
    "SESSIONS",
    "TENANTS",
    "TURNS",
    "TURNS_FOUND",
    "USERS",
    "Cursors",
]

LONGEST_CURSOR = 16_384
_VERSION = 1
_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")

P = TypeVar("P")
Filters = Sequence[str | None]


class _Sent(BaseModel):
    """What a cursor holds: its version, the listing, the filters' fingerprint, and the place."""

    model_config = ConfigDict(extra="forbid", strict=True)

    v: int
    of: str
    by: str
    at: JsonValue


class Cursors(Generic[P]):
    """The cursors of one listing, whose places `place` reads and writes."""

    def __init__(self, listing: str, place: TypeAdapter[P]) -> None:
        self._listing = listing
        self._place = place

    def write(self, place: P | None, filters: Filters) -> str | None:
        """Make the cursor of the page after `place`, for a request with these filters (the tenant first); None if there is none."""
        if place is None:
            return None
        at = self._place.dump_python(place, mode="json")
        sent = {"v": _VERSION, "of": self._listing, "by": _fingerprint(filters), "at": at}
        return urlsafe_b64encode(json.dumps(sent, separators=(",", ":")).encode()).decode().rstrip("=")

    def read(self, cursor: str | None, filters: Filters) -> P | None:
        """Return the place that a cursor holds; None without one. Raises BadCursor, which says why it cannot be used."""
        if cursor is None:
            return None
        sent = _decoded(cursor)
        if sent.v != _VERSION:
            raise BadCursor("was made by another version: begin again without a cursor")
        if sent.of != self._listing:
            raise BadCursor(f"belongs to another listing, and not to the one of {self._listing}")
        if sent.by != _fingerprint(filters):
            raise BadCursor(
                "belongs to a request for another user or with other filters; only `limit` may change between pages"
            )
        try:
            return self._place.validate_json(json.dumps(sent.at), strict=True)
        except ValueError:  # also what has too many digits to be written
            raise _garbage() from None


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside of the calendar") from None


_Moment = Annotated[AwareDatetime, AfterValidator(_utc)]
_Pk = Annotated[TurnPk, Field(ge=0, lt=2**63)]
_DecisionId = Annotated[str, Field(min_length=1, max_length=32)]
_Start = Annotated[int, Field(ge=0, lt=2**31)]
_Shown = Annotated[list[_Pk], Field(max_length=MOST_FOUND)]


def _decoded(cursor: str) -> _Sent:
    if not _ALPHABET.issuperset(cursor):
        raise _garbage()
    try:
        return _Sent.model_validate_json(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        raise _garbage() from None


def _garbage() -> BadCursor:
    return BadCursor("is no cursor of this server: send `next` of the page before as it was, or nothing to begin")


def _fingerprint(filters: Filters) -> str:
    return sha256(json.dumps(list(filters)).encode()).hexdigest()[:16]


TENANTS = Cursors("tenants", TypeAdapter(TenantName))
AUDIT = Cursors("audit", TypeAdapter(Annotated[int, Field(ge=0, lt=2**63)]))
FEEDBACK = Cursors("feedback", TypeAdapter(str))
USERS = Cursors("users", TypeAdapter(OwnerId))
SESSIONS = Cursors("sessions", TypeAdapter(tuple[_Moment, _Pk]))
TURNS = Cursors("memories", TypeAdapter(tuple[_Moment, _Pk]))
TURNS_FOUND = Cursors("memories", TypeAdapter(tuple[_Moment, _Shown]))
INSTRUCTIONS = Cursors("instructions", TypeAdapter(tuple[_Moment, _Pk, _Start]))
KEYS = Cursors("keys", TypeAdapter(tuple[_Moment, ItemId]))
DECISIONS = Cursors("decisions", TypeAdapter(tuple[_Moment, _DecisionId]))
