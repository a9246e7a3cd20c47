"""Compacting a conversation that is handed in: all of it is remembered, then its older turns leave as evidence for what is open."""

from dataclasses import dataclass, replace
from uuid import uuid4

from cascade import Brief
from tirtha.caller import Caller
from tirtha.errors import MemoryNeeded
from tirtha.operations.answering import owner_of
from tirtha.operations.chat.asked import ChatAsked
from tirtha.operations.chat.fitting import fit
from tirtha.operations.chat.following import FollowConversation
from tirtha.operations.chat.taking_notes import TakeNotes
from tirtha.operations.chat.tiers import ChatTiers
from tirtha.operations.under_way import UnderWay
from tirtha.tenants.admission import Admission

__all__ = ["CompactConversation", "CompactedConversation"]

_SHARE_OF_WINDOW = 4  # by default a conversation comes back within a quarter of the model's window


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactedConversation:
    """The turns from `first` on stay; `brief` is the evidence of the others, None where none is needed or none was found."""

    id: str
    session_id: str | None
    first: int
    brief: Brief | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactConversation:
    """Shorten a conversation to a window; no model is asked.

    Raises:
        MemoryNeeded: there is no memory that could hold what leaves.
        UnknownModel, NoTier: the model whose window it is for is not known.
        TooLong: not even the last message fits.
        TooLarge, RateLimited, AboveRate, TenantFull, IndexBehind, StoreUnavailable: as remembering raises them.
    """

    follow: FollowConversation
    notes: TakeNotes
    tiers: ChatTiers
    admission: Admission
    under_way: UnderWay
    budget: int

    async def __call__(self, caller: Caller, asked: ChatAsked) -> CompactedConversation:
        """Remember the conversation, and say what of it stays."""
        caller.require("read")
        if asked.user_id is None:
            raise MemoryNeeded
        scope = caller.scope(asked.user_id, asked.agent_id)
        await self.admission.asking(caller.tenant, asked.user_id)
        tier = self.tiers.named(asked.model, asked.max_tier)[0]
        with self.under_way.reading(owner_of(scope)):
            asked = replace(asked, time_zone=asked.time_zone or caller.time_zone)
            place = await self.follow(caller, scope, asked)
            window = asked.window or tier.window_tokens // _SHARE_OF_WINDOW
            fitted = await fit(asked.prompt, window=window, answer_tokens=0, budget=asked.budget or self.budget)
            brief = None
            if fitted.first and fitted.evidence_budget:
                brief = await self.notes(scope, asked, place, fitted, answerable_from=0.0)
        return CompactedConversation(id=uuid4().hex, session_id=place.session_id, first=fitted.first, brief=brief)
