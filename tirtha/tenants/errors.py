"""What tenants are refused, and what is refused to those who manage them.

FaceFault
├── RateLimited    too much in a minute; may be tried again
├── AboveRate      more in one request than a minute allows; never will be let through
├── TenantGone     the caller's tenant does not exist, or is being deleted
├── UnknownTenant  no tenant has this name
├── TenantExists   a tenant has this name already
└── TenantKept     a tenant is not deleted: `default`, or one whose name was not confirmed
"""

from typing import Literal

from tirtha.errors import FaceFault

__all__ = ["AboveRate", "RateLimited", "TenantExists", "TenantGone", "TenantKept", "UnknownTenant"]

Of = Literal["tenant", "user"]


class RateLimited(FaceFault):
    """The limit of `limit` `what` a minute is used up for now; there is room after `retry_after_s`. `of` says whose limit."""

    def __init__(self, *, what: str, limit: int, of: Of, retry_after_s: int, stored: str = "") -> None:
        self.what = what
        self.limit = limit
        self.of = of
        self.retry_after_s = retry_after_s
        super().__init__(
            f"the limit of {limit:,} {what} a minute of this {of} is used up; {stored}try again in {retry_after_s} s"
        )


class AboveRate(FaceFault):
    """One request has `size` `what`, and a whole minute allows `limit`. `of` says whose limit."""

    def __init__(self, *, what: str, size: int, limit: int, of: Of) -> None:
        self.what = what
        self.size = size
        self.limit = limit
        self.of = of
        super().__init__(
            f"the request has {size:,} {what}, and this {of} may send {limit:,} a minute: send them in parts, or as NDJSON"
        )


class TenantGone(FaceFault):
    """The tenant `tenant` that the caller belongs to does not exist, or is being deleted."""

    def __init__(self, tenant: str) -> None:
        self.tenant = tenant
        super().__init__("the tenant that you call for does not exist any more")


class UnknownTenant(FaceFault):
    """No tenant is called `name`."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"there is no tenant {name!r}")


class TenantExists(FaceFault):
    """A tenant is called `name` already; with `deleting` it is on its way out."""

    def __init__(self, name: str, *, deleting: bool = False) -> None:
        self.name = name
        self.deleting = deleting
        more = "is being deleted: wait until that is done" if deleting else "exists already"
        super().__init__(f"the tenant {name!r} {more}")


class TenantKept(FaceFault):
    """The tenant `name` was not deleted, for the reason `why`."""

    def __init__(self, name: str, why: str) -> None:
        self.name = name
        self.why = why
        super().__init__(f"the tenant {name!r} is not deleted: {why}")
