"""Tenants as callers send and see them: what may be set, with the bounds of each value, and what holds."""

from dataclasses import asdict
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from cascade import dollars
from tirtha.http.cursors import LONGEST_CURSOR
from tirtha.http.schemas.fields import In, TenantName
from tirtha.operations.tenancy.administration import TenantShown
from tirtha.operations.tenancy.deletion import DeletedTenant
from tirtha.tenants.model import Assigned, Terms, nanousd_of

__all__ = [
    "DeleteTenantQuery",
    "DeletedTenantOut",
    "TenantIn",
    "TenantOut",
    "TenantValuesIn",
    "TenantsOut",
    "TenantsQuery",
]

_MOST = 10**12
_MOST_USD = Decimal(10**6)
_MOST_DAYS = 36_500


def _usd(value: object) -> object:
    """Read an amount of US dollars, as a number or, exactly, as text."""
    if value is None:
        return None
    readable = isinstance(value, int | float | str) and not isinstance(value, bool)
    try:
        amount = Decimal(str(value) if readable else "NaN")
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount <= _MOST_USD:
        raise ValueError(f'must be an amount of US dollars such as "2.50", from 0 to {_MOST_USD:,}')
    return amount


Most = Annotated[int | None, Field(ge=1, le=_MOST)]
Days = Annotated[int | None, Field(ge=1, le=_MOST_DAYS)]
Usd = Annotated[Decimal | None, BeforeValidator(_usd)]


class TenantValuesIn(In):
    """PATCH /v1/tenants/{name}: what is set. What is left out stays as it is; null sets a value back to the default."""

    stored_turns: Most = None
    requests_per_minute: Most = None
    turns_per_minute: Most = None
    tokens_per_minute: Most = None
    user_requests_per_minute: Most = None
    user_turns_per_minute: Most = None
    user_tokens_per_minute: Most = None
    usd_per_day: Usd = None
    turns_days: Days = None
    decisions_days: Days = None
    audit_days: Days = None
    max_tier: Literal["extractive", "local", "frontier"] | None = None
    unverified: Literal["abstain", "serve"] | None = None
    chat_checks: Literal["after", "before"] | None = None

    def changes(self) -> dict[str, Any]:
        """Return what was sent, by the names of `Assigned`."""
        sent = {name: getattr(self, name) for name in self.model_fields_set if name != "name"}
        if "usd_per_day" in sent:
            usd = sent.pop("usd_per_day")
            sent["nanousd_per_day"] = None if usd is None else nanousd_of(usd)
        return sent

    def assigned(self) -> Assigned:
        """Return what was sent as what is set for a new tenant."""
        return Assigned(**self.changes())


class TenantIn(TenantValuesIn):
    """POST /v1/tenants: a tenant's name, and what is set for it."""

    name: TenantName


class TenantsQuery(BaseModel):
    """GET /v1/tenants."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=1_000)] = 100
    cursor: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_CURSOR)] | None = None


class DeleteTenantQuery(BaseModel):
    """DELETE /v1/tenants/{name}: the name once more."""

    model_config = ConfigDict(extra="forbid")

    confirm: str


class TenantValuesOut(BaseModel):
    """Values of a tenant; null is no limit, or, of what was set, not set."""

    stored_turns: int | None
    requests_per_minute: int | None
    turns_per_minute: int | None
    tokens_per_minute: int | None
    user_requests_per_minute: int | None
    user_turns_per_minute: int | None
    user_tokens_per_minute: int | None
    usd_per_day: str | None
    turns_days: int | None
    decisions_days: int | None
    audit_days: int | None
    max_tier: str | None
    unverified: str | None
    chat_checks: str | None

    @classmethod
    def of(cls, values: Assigned | Terms) -> Self:
        """Report values."""
        held = asdict(values)
        cap = held.pop("nanousd_per_day")
        return cls(usd_per_day=None if cap is None else dollars(cap), **held)


class TenantOut(BaseModel):
    """A tenant: what was `set` for it, what holds (`terms`), the turns it has, and what it has spent today (UTC)."""

    name: str
    created_at: datetime
    deleting: bool
    turns: int
    spent_today_usd: str
    set: TenantValuesOut
    terms: TenantValuesOut

    @classmethod
    def of(cls, shown: TenantShown) -> Self:
        """Report a tenant."""
        return cls(
            name=shown.tenant.name,
            created_at=shown.tenant.created_at,
            deleting=shown.tenant.deleting_since is not None,
            turns=shown.turns,
            spent_today_usd=dollars(shown.spent_nanousd),
            set=TenantValuesOut.of(shown.tenant.assigned),
            terms=TenantValuesOut.of(shown.terms),
        )


class TenantsOut(BaseModel):
    """200 of GET /v1/tenants; `next` is the cursor of the following page, if there is one."""

    tenants: list[TenantOut]
    next: str | None


class DeletedTenantOut(BaseModel):
    """200 of DELETE /v1/tenants/{name}: how much was removed."""

    turns: int
    decisions: int

    @classmethod
    def of(cls, deleted: DeletedTenant) -> Self:
        """Report a deletion."""
        return cls(turns=deleted.turns, decisions=deleted.decisions)
