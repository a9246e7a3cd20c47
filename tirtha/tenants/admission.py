"""Admission: whether a caller's request may go on, by its tenant's terms: does the tenant exist, how fast, for how much money.

The edge asks once for every request (`request`); operations ask for what only they know: turns, users, tokens, costs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import anyio

from cascade import Decision, dollars
from memory.errors import StoreUnavailable
from tirtha.caller import OPERATORS_TENANT
from tirtha.tenants.errors import RateLimited, TenantGone
from tirtha.tenants.model import Terms
from tirtha.tenants.rates import Rates
from tirtha.tenants.registry import Tenants
from tirtha.tenants.spending import Spending

__all__ = ["Admission"]

_PARTS = 8  # of a minute's limit that a bulk takes one after another


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What the requests of a tenant are measured by. Raises StoreUnavailable or LedgerUnavailable where these are asked."""

    tenants: Tenants
    rates: Rates
    spending: Spending

    async def request(self, tenant: str) -> None:
        """Let a request of a tenant in, whatever it is. Raises TenantGone and RateLimited."""
        try:
            known = await self.tenants.find(tenant)
        except StoreUnavailable:
            if tenant == OPERATORS_TENANT:
                return  # the operator must be able to see what is wrong with it
            raise
        if known is None or known.deleting_since:
            raise TenantGone(tenant)
        terms = self.tenants.defaults.with_assigned(known.assigned)
        await self.rates.take("requests", terms.requests_per_minute, tenant)

    async def storing(self, tenant: str, user_id: str, turns: int) -> Terms:
        """Let a user's turns be stored, and return the tenant's terms. Raises RateLimited and AboveRate."""
        terms = await self.tenants.terms(tenant)
        await self.rates.take("requests", terms.user_requests_per_minute, tenant, user_id)
        await self.rates.take("turns", terms.user_turns_per_minute, tenant, user_id, cost=turns)
        await self.rates.take("turns", terms.turns_per_minute, tenant, cost=turns)
        return terms

    async def storing_in_bulk(self, tenant: str, turns: Mapping[str, int]) -> Terms:
        """Wait until so many turns of each user may be stored, and return the tenant's terms: a bulk goes at the pace it may."""
        terms = await self.tenants.terms(tenant)
        for user_id, count in turns.items():
            await self._wait_for(terms.user_turns_per_minute, tenant, user_id, count)
        await self._wait_for(terms.turns_per_minute, tenant, None, sum(turns.values()))
        return terms

    async def asking(self, tenant: str, user_id: str) -> Terms:
        """Let a question of a user be asked, and return the tenant's terms. Raises RateLimited."""
        terms = await self.tenants.terms(tenant)
        await self.rates.take("requests", terms.user_requests_per_minute, tenant, user_id)
        return terms

    async def asking_models(self, tenant: str, user_id: str) -> None:
        """Let models be asked a question. Raises RateLimited if they have read and written too much of late."""
        terms = await self.tenants.terms(tenant)
        await self.rates.check("tokens", terms.user_tokens_per_minute, tenant, user_id)
        await self.rates.check("tokens", terms.tokens_per_minute, tenant)

    async def used(self, tenant: str, user_id: str, decision: Decision) -> None:
        """Count what a decision took of models, once it is recorded."""
        if not decision.calls:
            return
        self.spending.changed(tenant)
        terms, tokens = (
            await self.tenants.terms(tenant),
            decision.usage.prompt_tokens + decision.usage.completion_tokens,
        )
        await self.rates.charge("tokens", terms.user_tokens_per_minute, tenant, user_id, cost=tokens)
        await self.rates.charge("tokens", terms.tokens_per_minute, tenant, cost=tokens)

    async def cap_reached(self, tenant: str) -> str:
        """Return the words that today's spending cap of a tenant is reached in; "" as long as it is not."""
        cap = (await self.tenants.terms(tenant)).nanousd_per_day
        if cap is None or await self.spending.today(tenant) < cap:
            return ""
        return f"today's spending cap of US$ {dollars(cap)} is reached, so models that cost money were not asked"

    async def may_shadow(self, tenant: str) -> bool:
        """Return whether the frontier tier may be asked for a tenant, at its price, beside the answer."""
        return (await self.tenants.terms(tenant)).max_tier == "frontier" and not await self.cap_reached(tenant)

    async def _wait_for(self, limit: int | None, tenant: str, user_id: str | None, turns: int) -> None:
        """Take turns of the limit as it allows, in parts, so that others find room beside it."""
        left, part = turns, max(1, (limit or 0) // _PARTS)
        while limit and left:
            try:
                await self.rates.take("turns", limit, tenant, user_id, cost=min(left, part))
            except RateLimited as full:
                await anyio.sleep(full.retry_after_s)
            else:
                left -= min(left, part)
