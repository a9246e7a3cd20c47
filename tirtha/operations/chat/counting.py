"""Counting the tokens of a conversation, as the model's own server counts them: nothing is remembered, recalled or booked."""

from dataclasses import dataclass
from typing import Any

from cascade import MaxTier
from cascade.errors import ChatFailed, RelayRefused
from cascade.model import RelayRequest
from tirtha.caller import Caller
from tirtha.operations.chat.tiers import ChatTiers, speaking
from tirtha.operations.tenancy.terms import cheaper
from tirtha.tenants.admission import Admission

__all__ = ["CountTokens"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CountTokens:
    """Ask a tier's server how long a request is.

    Raises:
        UnknownModel, NoTier, ProtocolMissing: no tier can be asked.
        RelayRefused: the server refuses the request, or does not count.
        TierDown: it does not answer.
    """

    tiers: ChatTiers
    admission: Admission

    async def __call__(self, caller: Caller, *, model: str, request: RelayRequest, max_tier: MaxTier) -> dict[str, Any]:
        """Return what the server answers."""
        caller.require("read")
        terms = await self.admission.asking(caller.tenant, caller.user_id or "")
        named = self.tiers.named(model, cheaper(max_tier, terms.max_tier))
        tier = speaking(named, [request.protocol])[0]
        try:
            return await tier.pick([]).send(request, timeout_s=tier.timeout_s)
        except RelayRefused:
            raise
        except ChatFailed as fault:
            raise tier.down(fault) from fault
