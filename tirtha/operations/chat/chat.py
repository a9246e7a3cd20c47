"""The operation: remember what is new, put what memory holds in front of the last message, have it answered, check, remember.

A request to an interface's own task, or of no user, goes through without memory. What the answer rests on memory for is checked by
guards; an answer that fails is repaired once and then escalated where no one has read it yet, and marked where it was streamed.
"""

from contextlib import ExitStack
from dataclasses import dataclass, replace
from time import perf_counter
from uuid import uuid4

from cascade import Brief
from cascade.call_trace import Trace
from cascade.tiers.model import ModelTier
from compaction import Compacted
from memory import Scope
from tirtha.caller import Caller
from tirtha.errors import CapReached
from tirtha.operations.answering import Answering, owner_of
from tirtha.operations.chat.asked import ChatAsked, ChatOutcome, MemoryUse
from tirtha.operations.chat.fitting import fit
from tirtha.operations.chat.following import FollowConversation, Place
from tirtha.operations.chat.run import ChatRun, ChatStream
from tirtha.operations.chat.taking_notes import TakeNotes
from tirtha.operations.chat.tiers import ChatTiers, speaking
from tirtha.operations.tenancy.terms import cheaper
from tirtha.tenants.admission import Admission

__all__ = ["Chat"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """Answer a conversation with memory.

    Raises:
        UnknownModel, NoTier, ProtocolMissing: no tier can be asked.
        CapReached: only tiers that cost money could be.
        TooLong: the last message does not fit the window.
        RelayRefused: the tier's server refuses what the request says.
        TierDown: no tier answers.
        TooLarge, RateLimited, AboveRate, TenantFull, IndexBehind, StoreUnavailable: as remembering raises them.
    """

    follow: FollowConversation
    notes: TakeNotes
    answering: Answering
    admission: Admission
    tiers: ChatTiers
    answerable_from: float
    budget: int
    repair: bool
    deadline_s: float

    async def __call__(self, caller: Caller, asked: ChatAsked) -> ChatOutcome:
        """Answer at once; the decision is in the ledger, and the answer remembered, on return."""
        with ExitStack() as stack:
            run = await self._begin(caller, asked, stack)
            return await run.reply()

    async def stream(self, caller: Caller, asked: ChatAsked) -> ChatStream | ChatOutcome:
        """Answer as it is said; whole, where the tenant's policy is that a chat is checked `before` it is shown."""
        with ExitStack() as stack:
            run = await self._begin(caller, asked, stack)
            if run.checks_before:
                return await run.reply()
            stream = await run.stream()
            run.open = stack.pop_all()
            return stream

    async def _begin(self, caller: Caller, asked: ChatAsked, stack: ExitStack) -> ChatRun:
        """Choose the tiers, remember what is new, and look what memory holds. `stack` is open as long as the request is."""
        caller.require("read")
        asked = replace(asked, time_zone=asked.time_zone or caller.time_zone)
        started_s, user_id = perf_counter(), asked.user_id or ""
        terms = await self.admission.asking(caller.tenant, user_id)
        await self.admission.asking_models(caller.tenant, user_id)
        named = self.tiers.named(asked.model, cheaper(asked.max_tier, terms.max_tier))
        tiers = await self._affordable(caller, speaking(named, asked.prompt.protocols))
        scope = caller.scope(asked.user_id, asked.agent_id) if asked.user_id is not None else None
        owner = owner_of(scope or Scope(tenant=caller.tenant, user_id=""))
        reading = stack.enter_context(self.answering.under_way.reading(owner))
        place = await self._remembered(caller, scope, asked)
        recalls = scope is not None and asked.recall and not asked.task
        budget = (asked.budget or self.budget) if recalls else 0
        window = min(asked.window or tiers[0].window_tokens, tiers[0].window_tokens)
        fitted = Compacted(first=0, evidence_budget=budget)
        if place is not None and recalls:  # what leaves the prompt is remembered, and can be recalled
            fitted = await fit(asked.prompt, window=window, answer_tokens=tiers[0].max_tokens, budget=budget)
        brief = None
        if scope is not None and fitted.evidence_budget:
            brief = await self.notes(scope, asked, place, fitted, answerable_from=self.answerable_from)
        return ChatRun(
            follow=self.follow,
            answering=self.answering,
            repair=self.repair,
            caller=caller,
            asked=asked,
            scope=scope,
            place=place,
            tiers=tiers,
            fitted=fitted,
            brief=brief,
            memory_use=_use(scope, recalls=recalls, brief=brief),
            reading=reading,
            forgettings=self.answering.under_way.forgettings(owner),
            open=stack,
            trace=Trace(started_s=started_s, deadline_s=self.deadline_s),
            checks_before=terms.chat_checks == "before",
            id=uuid4().hex,
        )

    async def _affordable(self, caller: Caller, tiers: list[ModelTier]) -> list[ModelTier]:
        """Return the tiers that the tenant's money allows. Raises CapReached."""
        if all(tier.price.free for tier in tiers):
            return tiers
        reached = await self.admission.cap_reached(caller.tenant)
        affordable = [tier for tier in tiers if tier.price.free or not reached]
        if not affordable:
            raise CapReached(reached)
        return affordable

    async def _remembered(self, caller: Caller, scope: Scope | None, asked: ChatAsked) -> Place | None:
        """Remember what is new; None where nothing is to be remembered."""
        if scope is None or asked.task or not asked.remember or "write" not in caller.rights:
            return None
        return await self.follow(caller, scope, asked)


def _use(scope: Scope | None, *, recalls: bool, brief: Brief | None) -> MemoryUse:
    if scope is None:
        return "none"
    if not recalls:
        return "off"
    return "added" if brief else "empty"
