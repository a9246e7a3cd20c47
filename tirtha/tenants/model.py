"""The value types of tenants: what was assigned to one, and the terms that follow from it and from the settings' defaults."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from typing import Literal

from cascade import MaxTier
from tirtha.settings import PolicySettings, TenantSettings

__all__ = ["Assigned", "Tenant", "Terms", "default_terms", "nanousd_of"]

_NANO = 1_000_000_000

Unverified = Literal["abstain", "serve"]
ChatChecks = Literal["after", "before"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """What was set for a tenant; a value that is None was not, and follows the settings.

    `stored_turns` is a quota of turns in all; `..._per_minute` are of the tenant, `user_...` of each of its users;
    `nanousd_per_day` is the spending cap of a UTC day; `..._days` are how long things are kept; the rest are policies.
    """

    stored_turns: int | None = None
    requests_per_minute: int | None = None
    turns_per_minute: int | None = None
    tokens_per_minute: int | None = None
    user_requests_per_minute: int | None = None
    user_turns_per_minute: int | None = None
    user_tokens_per_minute: int | None = None
    nanousd_per_day: int | None = None
    turns_days: int | None = None
    decisions_days: int | None = None
    audit_days: int | None = None
    max_tier: MaxTier | None = None
    unverified: Unverified | None = None
    chat_checks: ChatChecks | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds for a tenant: the fields of `Assigned`, where None means without a limit."""

    max_tier: MaxTier
    unverified: Unverified
    chat_checks: ChatChecks
    stored_turns: int | None = None
    requests_per_minute: int | None = None
    turns_per_minute: int | None = None
    tokens_per_minute: int | None = None
    user_requests_per_minute: int | None = None
    user_turns_per_minute: int | None = None
    user_tokens_per_minute: int | None = None
    nanousd_per_day: int | None = None
    turns_days: int | None = None
    decisions_days: int | None = None
    audit_days: int | None = None

    def with_assigned(self, assigned: Assigned) -> "Terms":
        """Return these terms, but for what was set."""
        return replace(self, **{name: value for name, value in asdict(assigned).items() if value is not None})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A tenant that was made. One that is being deleted has no callers any more."""

    name: str
    created_at: datetime
    assigned: Assigned
    deleting_since: datetime | None = None


def nanousd_of(usd: Decimal) -> int:
    """Return an amount of US dollars in whole nano-dollars, never more than it is."""
    return int((usd * _NANO).to_integral_value(ROUND_FLOOR))


def default_terms(defaults: TenantSettings, policy: PolicySettings) -> Terms:
    """Return the terms of a tenant for which nothing was set."""
    limits = defaults.model_dump(exclude={"usd_per_day"})
    cap = None if defaults.usd_per_day is None else nanousd_of(defaults.usd_per_day)
    return Terms(
        max_tier=policy.max_tier,
        unverified=policy.unverified,
        chat_checks=policy.chat_checks,
        nanousd_per_day=cap,
        **limits,
    )
