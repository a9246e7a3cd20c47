"""Spending: what each tenant's questions have cost today, by the ledger of decisions. A day is one of UTC.

The ledger is the truth, so that a restart changes nothing. A sum is kept until a decision of the tenant that cost something is
recorded, and for some seconds at most, because another process may record one.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from time import monotonic

from cascade import Ledger

__all__ = ["Spending"]

_KEPT_S = 5.0


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sum:
    day: date
    nanousd: int
    until_s: float


class Spending:
    """Today's costs by tenant; `now` returns the time."""

    def __init__(self, ledger: Ledger, *, now: Callable[[], datetime] = _now) -> None:
        self._ledger = ledger
        self._now = now
        self._sums: dict[str, _Sum] = {}
        self._changes: Counter[str] = Counter()

    async def today(self, tenant: str) -> int:
        """Return what the tenant has spent today, in nano-dollars. Raises LedgerUnavailable."""
        day = self._now().astimezone(UTC).date()
        known = self._sums.get(tenant)
        if known and known.day == day and monotonic() < known.until_s:
            return known.nanousd
        changes = self._changes[tenant]
        spent = await self._ledger.spent(tenant=tenant, since=datetime.combine(day, time(), UTC))
        if changes == self._changes[tenant]:  # else something was recorded meanwhile, which the sum may lack
            self._sums[tenant] = _Sum(day=day, nanousd=spent, until_s=monotonic() + _KEPT_S)
        return spent

    def changed(self, tenant: str) -> None:
        """Note that something which cost money was recorded for the tenant."""
        self._changes[tenant] += 1
        self._sums.pop(tenant, None)
