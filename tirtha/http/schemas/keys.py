"""API keys over HTTP: to make, to list, and what is shown of one. A key's text is shown once, in the answer that makes it."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from tirtha.caller import Right
from tirtha.http.schemas.fields import In, OwnerId, TenantName
from tirtha.keys.administration import KeyPage, KeyRequest, KeysRequest, ListedKey, MadeKey
from tirtha.keys.key import RIGHTS, KeyState
from tirtha.keys.store import KeyPlace
from tirtha.time_zones import read_zone

__all__ = ["KeyIn", "KeyMadeOut", "KeyOut", "KeysOut", "KeysQuery"]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_USUAL_RIGHTS: tuple[Right, ...] = ("read", "write")
_LONGEST_CURSOR = 16_384


def _rights(value: object) -> Sequence[str]:
    """Read a list of rights. Raises ValueError, which names what is none."""
    if not isinstance(value, list) or not value:
        raise ValueError(f"must be a list of rights: {', '.join(RIGHTS)}")
    wrong = [one for one in value if one not in RIGHTS]
    if wrong:
        raise ValueError(f"holds {str(wrong[0])[:40]!r}, which is no right; there are: {', '.join(RIGHTS)}")
    return value


def _expiry(value: object) -> datetime | None:
    """Read a moment in the future: ISO 8601 with a zone, or a day, at the end of which (UTC) it is over."""
    if value is None:
        return None
    try:
        moment = _moment(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(
            "must be a day such as 2030-12-31, or a time with a zone such as 2030-12-31T12:00:00Z"
        ) from None
    if moment <= datetime.now(UTC):
        raise ValueError("lies in the past")
    return moment


def _moment(value: object) -> datetime:
    if not isinstance(value, str):
        raise TypeError
    if _DAY.fullmatch(value):
        return datetime.combine(date.fromisoformat(value) + timedelta(days=1), time(), UTC)
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError
    return moment.astimezone(UTC)


def _zone_name(value: str) -> str:
    read_zone(value)
    return value


class KeyIn(In):
    """POST /v1/keys."""

    name: OwnerId
    tenant: TenantName | None = None
    rights: Annotated[list[Right], BeforeValidator(_rights)] = Field(default_factory=lambda: list(_USUAL_RIGHTS))
    user_id: OwnerId | None = None
    expires_at: Annotated[datetime | None, BeforeValidator(_expiry)] = None
    trusted_proxy: bool = False
    time_zone: Annotated[str, StringConstraints(max_length=64), AfterValidator(_zone_name)] | None = None

    @field_validator("user_id")
    @classmethod
    def _bound(cls, user_id: str | None, others: ValidationInfo) -> str | None:
        if user_id is not None and "admin" in others.data.get("rights", ()):
            raise ValueError("cannot be given with the right admin, which concerns the tenant as a whole")
        return user_id

    @field_validator("trusted_proxy")
    @classmethod
    def _speaks_for_others(cls, trusted_proxy: bool, others: ValidationInfo) -> bool:
        if trusted_proxy and others.data.get("user_id") is not None:
            raise ValueError("cannot be given with a user: a key that is bound speaks for no other")
        return trusted_proxy

    def request(self) -> KeyRequest:
        """Return the request as the operation takes it."""
        return KeyRequest(
            name=self.name,
            tenant=self.tenant,
            rights=frozenset(self.rights),
            user_id=self.user_id,
            expires_at=self.expires_at,
            trusted_proxy=self.trusted_proxy,
            time_zone=self.time_zone,
        )


class KeysQuery(BaseModel):
    """GET /v1/keys."""

    model_config = ConfigDict(extra="forbid")

    tenant: TenantName | None = None
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100
    cursor: Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST_CURSOR)] | None = None

    def request(self, after: KeyPlace | None) -> KeysRequest:
        """Return the request as the operation takes it."""
        return KeysRequest(tenant=self.tenant, limit=self.limit, after=after)


class KeyOut(BaseModel):
    """A key, without its secret. `state`: `valid`, `expired`, `revoked`, or `pepper_lost` if its secret cannot be checked."""

    id: str
    name: str
    tenant: str
    rights: list[Right]
    user_id: str | None
    trusted_proxy: bool
    time_zone: str | None
    state: KeyState
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    @classmethod
    def of(cls, listed: ListedKey) -> Self:
        """Report a key."""
        return cls(**_fields(listed))


class KeyMadeOut(KeyOut):
    """201 of POST /v1/keys: the only time that `key`, the text to send, is shown."""

    key: str

    @classmethod
    def of(cls, listed: ListedKey) -> Self:
        """Report a new key with its text."""
        assert isinstance(listed, MadeKey)  # noqa: S101 - only a key that was just made has a text
        return cls(**_fields(listed), key=listed.text)


class KeysOut(BaseModel):
    """200 of GET /v1/keys; `next` is the cursor of the following page, if there is one."""

    keys: list[KeyOut]
    next: str | None

    @classmethod
    def of(cls, page: KeyPage, cursor: str | None) -> Self:
        """Report a page of keys."""
        return cls(keys=[KeyOut.of(key) for key in page.keys], next=cursor)


def _fields(listed: ListedKey) -> dict[str, Any]:
    key = listed.key
    return {
        "id": key.id,
        "name": key.name,
        "tenant": key.tenant,
        "rights": [right for right in RIGHTS if right in key.rights],
        "user_id": key.user_id,
        "trusted_proxy": key.trusted_proxy,
        "time_zone": key.time_zone,
        "state": listed.state,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
    }
