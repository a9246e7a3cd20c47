"""How a tenant's terms bear on one question: its most expensive tier, what is served unverified, and whether money may be spent."""

from dataclasses import replace
from typing import TypeVar

from cascade import Cascade, CodeCascade, Ended, MaxTier
from tirtha.tenants.admission import Admission
from tirtha.tenants.model import Terms

__all__ = ["cheaper", "money_words", "reasoned", "under"]

_TIERS: tuple[MaxTier, ...] = ("extractive", "local", "frontier")
C = TypeVar("C", Cascade, CodeCascade)


def cheaper(one: MaxTier, other: MaxTier) -> MaxTier:
    """Return the less expensive of two limits."""
    return min(one, other, key=_TIERS.index)


def under(cascade: C, terms: Terms, admission: Admission) -> C:
    """Return the cascade with the policy that was set for a tenant; the configured one, if none was."""
    if terms.unverified == admission.tenants.defaults.unverified:
        return cascade
    return replace(cascade, policy=replace(cascade.policy, unverified=terms.unverified))


async def money_words(cascade: Cascade | CodeCascade, max_tier: MaxTier, admission: Admission, tenant: str) -> str:
    """Return why tiers that cost money are not asked; "" if they may be, or if there is none up to `max_tier`."""
    return await admission.cap_reached(tenant) if cascade.may_cost(max_tier) else ""


def reasoned(ended: Ended, why: str) -> Ended:
    """Return the end of a question with the reason why tiers were left out; then it is not served again."""
    if not why:
        return ended
    decision = replace(ended.decision, reason=f"{ended.decision.reason}; {why}")
    return replace(ended, decision=decision, lasting=False)
