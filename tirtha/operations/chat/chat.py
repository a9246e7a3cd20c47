"""The operation: remember what is new, put what memory holds in front of the last message, have it answered, check, remember.

A request to an interface's own task, or of nobody, goes through without memory. What the answer rests on memory for is checked by
guards; an answer that fails is repaired once and then escalated where nobody has read it yet, and marked where it was streamed.
"""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import perf_counter
from typing import Any
from uuid import uuid4

import anyio

from cascade import Brief, Decision
from cascade.call_trace import Trace
from cascade.decision import Attempt, Path
from cascade.errors import CascadeFault, TierDown
from cascade.gate import better
from cascade.ports import ChatFailed, Draft, RelayRefused
from cascade.prompts import feedback
from cascade.tiers.hearing import Heard
from cascade.tiers.model import ModelTier
from cascade.tiers.relaying import Relayed, RelayedStream, relay, relay_stream
from compaction import Compacted
from memory import NewTurn, Scope
from memory.api import Memory
from memory.errors import StorageFault
from memory.model import Flag
from tirtha.caller import Caller
from tirtha.errors import CapReached
from tirtha.operations.answering import Answering, Asked, owner_of
from tirtha.operations.ask import brief_of
from tirtha.operations.chat.asked import Begun, Changes, ChatAsked, Correction, MemoryUse, Outcome
from tirtha.operations.chat.checking import Checked, check
from tirtha.operations.chat.fitting import fit
from tirtha.operations.chat.following import FollowConversation, Place
from tirtha.operations.chat.notes import fenced
from tirtha.operations.chat.tiers import ChatTiers
from tirtha.operations.context import distilled
from tirtha.operations.tenancy.terms import cheaper
from tirtha.operations.under_way import Reading
from tirtha.tenants.admission import Admission

__all__ = ["Chat", "ChatStream"]

log = logging.getLogger(__name__)

_OF_QUESTION = 1_000  # characters of a long message's beginning and end that memory is asked about
_ASKED_WITH = 8  # turns at the end of a conversation that its decision is known by
_PATHS: Mapping[str, Path] = {"local": "local", "frontier": "frontier"}


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

    memory: Memory
    follow: FollowConversation
    answering: Answering
    admission: Admission
    tiers: ChatTiers
    answerable_from: float
    budget: int
    repair: bool
    deadline_s: float

    async def __call__(self, caller: Caller, asked: ChatAsked) -> Outcome:
        """Answer at once; the decision is in the ledger, and the answer remembered, on return."""
        with ExitStack() as stack:
            run = await self._begin(caller, asked, stack)
            return await run.reply()

    async def stream(self, caller: Caller, asked: ChatAsked) -> "ChatStream | Outcome":
        """Answer as it is said; whole, where the tenant's policy is that a chat is checked `before` it is shown."""
        with ExitStack() as stack:
            run = await self._begin(caller, asked, stack)
            if run.checks_before:
                return await run.reply()
            stream = await run.stream()
            stack.pop_all()
            return stream

    async def _begin(self, caller: Caller, asked: ChatAsked, stack: ExitStack) -> "_Run":
        """Choose the tiers, remember what is new, and look what memory holds. `stack` is open as long as the request is."""
        caller.require("read")
        started_s, user_id = perf_counter(), asked.user_id or ""
        terms = await self.admission.asking(caller.tenant, user_id)
        await self.admission.asking_models(caller.tenant, user_id)
        tiers = await self._affordable(caller, self.tiers.named(asked.model, cheaper(asked.max_tier, terms.max_tier)))
        scope = caller.scope(asked.user_id, asked.agent_id) if asked.user_id is not None else None
        owner = owner_of(scope or Scope(tenant=caller.tenant, user_id=""))
        reading = stack.enter_context(self.answering.under_way.reading(owner))
        place = await self._remembered(caller, scope, asked)
        recalls = scope is not None and asked.recall and not asked.task
        budget = (asked.budget or self.budget) if recalls else 0
        window = min(asked.window or tiers[0].window_tokens, tiers[0].window_tokens)
        fitted = Compacted(first=0, evidence_budget=0)
        if scope is not None and not asked.task and place is not None:
            fitted = fit(asked.prompt, window=window, answer_tokens=tiers[0].max_tokens, budget=budget)
        brief = await self._brief(scope, asked, place, fitted) if recalls and scope else None
        return _Run(
            chat=self,
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

    async def _brief(self, scope: Scope, asked: ChatAsked, place: Place | None, fitted: Compacted) -> Brief | None:
        """Return what memory holds on the user's last message beside what the prompt holds; None if that is nothing."""
        turns = asked.prompt.turns
        if not turns or turns[-1].role != "user" or not fitted.evidence_budget:
            return None
        text, now = turns[-1].text, datetime.now(asked.time_zone or UTC)
        question = text if len(text) <= 2 * _OF_QUESTION else f"{text[:_OF_QUESTION]}\n{text[-_OF_QUESTION:]}"
        shown = place.turn_ids[fitted.first :] if place else ()
        session = place.session_id if place else None
        exclude = frozenset((session, turn_id) for turn_id in shown if session is not None and turn_id is not None)
        with self.answering.observer.stage("recall"):
            found = await self.memory.recall(scope, question, now, exclude=exclude)
        if found.answerable < self.answerable_from or not found.evidence:
            return None
        with self.answering.observer.stage("distil"):
            context = distilled(found, fitted.evidence_budget)
        brief = brief_of(context, question=question, asked_at=now, answerable=found.answerable)
        return brief if brief.quotes else None


def _use(scope: Scope | None, *, recalls: bool, brief: Brief | None) -> MemoryUse:
    if scope is None:
        return "none"
    if not recalls:
        return "off"
    return "added" if brief else "empty"


@dataclass(slots=True, kw_only=True)
class _Run:
    """One request under way. `open` is closed when it has ended."""

    chat: Chat
    caller: Caller
    asked: ChatAsked
    scope: Scope | None
    place: Place | None
    tiers: list[ModelTier]
    fitted: Compacted
    brief: Brief | None
    memory_use: MemoryUse
    reading: Reading
    forgettings: int
    open: ExitStack
    trace: Trace
    checks_before: bool
    id: str

    @property
    def begun(self) -> Begun:
        """What is known before the answer."""
        return Begun(
            decision_id=self.id,
            session_id=self.place.session_id if self.place else self.asked.session_id,
            memory=self.memory_use,
            tokens_added=self.brief.tokens if self.brief else 0,
            tokens_saved=max(0, self.fitted.tokens_left_out - (self.brief.tokens if self.brief else 0)),
            owner=self.reading.owner,
            forgettings=self.forgettings,
        )

    # whole answers

    async def reply(self) -> Outcome:
        """Have it answered and checked; a failed answer is repaired once, then the next tier is asked, then it is marked."""
        try:
            return await self._reply()
        except (CascadeFault, ChatFailed) as fault:
            await self._failed(fault)
            raise

    async def _reply(self) -> Outcome:
        best: _Answer | None = None
        for number, tier in enumerate(self.tiers):
            last = number == len(self.tiers) - 1
            try:
                answer = await self._answer(tier, _PATHS[tier.name])
            except (TierDown, RelayRefused) as fault:
                if last and best is None:
                    raise
                log.warning("a chat is answered without the tier %r: %s", tier.name, fault)
                continue
            best = _better(best, answer)
            if answer.passed:
                return await self._served(answer)
            if self.chat.repair and not number and answer.checked:
                answer = await self._repaired(tier, answer)
                best = _better(best, answer)
                if answer.passed:
                    return await self._served(answer)
        if best is None:
            raise AssertionError("a tier answered, or its error was raised")
        return await self._served(best)

    async def _answer(self, tier: ModelTier, path: Path, correction: Correction | None = None) -> "_Answer":
        changes = replace(self._changes, correction=correction)
        request = self.asked.prompt.request(tier.protocol, changes, stream=False)
        relayed = await relay(tier, request, self.trace, purpose="repair" if correction else "chat")
        checked = await check(relayed.heard, self.brief, self.asked.prompt.turns, self.trace)
        return _Answer(tier=tier, path=path, relayed=relayed, checked=checked)

    async def _repaired(self, tier: ModelTier, failed: "_Answer") -> "_Answer":
        """Ask once more with what was wrong; the failed answer again, if the tier is down by then."""
        text = failed.relayed.heard.text
        reasons = failed.checked.reasons if failed.checked else ""
        try:
            return await self._answer(tier, "local_repaired", Correction(answer=text, feedback=feedback(text, reasons)))
        except (TierDown, RelayRefused) as fault:
            log.warning("a chat's answer is not repaired: %s", fault)
            return failed

    async def _served(self, answer: "_Answer") -> Outcome:
        outcome = await self._ended(answer.tier, answer.path, answer.relayed.heard, answer.checked)
        return replace(outcome, response=answer.relayed.response)

    # answers as they are said

    async def stream(self) -> "ChatStream":
        """Begin the answer of the first tier that is up."""
        for number, tier in enumerate(self.tiers):
            try:
                request = self.asked.prompt.request(tier.protocol, self._changes, stream=True)
                said = await relay_stream(tier, request, self.trace, purpose="chat")
            except (TierDown, RelayRefused) as fault:
                if number == len(self.tiers) - 1:
                    await self._failed(fault)
                    raise
                log.warning("a chat is answered without the tier %r: %s", tier.name, fault)
            else:
                return ChatStream(self, tier, said)
        raise AssertionError("the last tier answers or raises")

    async def streamed(self, tier: ModelTier, heard: Heard) -> Outcome:
        """End a stream whose last event came."""
        checked = await check(heard, self.brief, self.asked.prompt.turns, self.trace)
        return await self._ended(tier, _PATHS[tier.name], heard, checked)

    async def broken(self, reason: str) -> None:
        """End a stream that broke off, or that nobody listens to any more: what it cost is written down."""
        await self._record(self._decision("error", None, "", None, reason))

    # the end

    @property
    def _changes(self) -> Changes:
        return Changes(first=self.fitted.first, notes=fenced(self.brief.text) if self.brief else "")

    async def _ended(self, tier: ModelTier, path: Path, heard: Heard, checked: Checked | None) -> Outcome:
        verified = checked.passed if checked else None
        if checked is None:
            reason = "nothing of it rests on memory, so nothing was checked"
        else:
            reason = "every guard passed what rests on memory" if checked.passed else checked.reasons
        decision = self._decision(path, tier, heard.text, checked, reason)
        await self._remember(heard, verified=verified)
        await self._record(decision)
        return Outcome(begun=self.begun, decision=decision, verified=verified, protocol=tier.protocol)

    async def _remember(self, heard: Heard, *, verified: bool | None) -> None:
        """Remember the answer, unless its conversation is not remembered, or was forgotten meanwhile."""
        text = "\n".join([heard.text.strip(), *(f"[tool call: {one.name}({one.arguments})]" for one in heard.calls)])
        place = self.place
        if self.scope is None or place is None or place.session_id is None or not text.strip():
            return
        if place.answer_kept_out or self.reading.forgotten:
            return
        flag: Flag | None = None if verified else "unchecked"
        said_at = datetime.now(self.asked.time_zone or UTC)
        answer = NewTurn(role="assistant", text=text.strip(), said_at=said_at, flag=flag)
        try:
            await self.chat.follow.answered(self.caller, self.scope, place.session_id, answer)
        except StorageFault as fault:  # the client sends the answer with its next message, and then it is remembered
            log.warning("the answer of decision %s is not remembered: %s", self.id, fault)

    async def _failed(self, fault: Exception) -> None:
        if self.trace.calls:
            await self._record(self._decision("error", None, "", None, str(fault)))

    async def _record(self, decision: Decision) -> None:
        asked = Asked(
            key=None,
            request={},
            owner=self.reading.owner,
            started_s=self.trace.started_s,
            session_id=self.begun.session_id,
            asked_with=self._asked_with,
        )
        # Of what is not remembered, the ledger keeps what it cost and not a word.
        nameless = self.place is None or self.place.answer_kept_out
        await self.chat.answering.note(decision, asked, self.reading, emptied=nameless)

    @property
    def _asked_with(self) -> tuple[tuple[str, str], ...]:
        """The last message and what came with it, so that the decision goes when they are forgotten."""
        place = self.place
        if place is None or place.session_id is None:
            return ()
        last = [turn_id for turn_id in place.turn_ids[-_ASKED_WITH:] if turn_id is not None]
        return tuple((place.session_id, turn_id) for turn_id in last)

    def _decision(
        self, path: Path, tier: ModelTier | None, answer: str, checked: Checked | None, reason: str
    ) -> Decision:
        turns = self.asked.prompt.turns
        asked_at = datetime.now(self.asked.time_zone or UTC)
        brief = self.brief or Brief(
            question=turns[-1].text if turns else "",
            asked_at=asked_at,
            text="",
            tokens=0,
            budget=self.fitted.evidence_budget,
            quotes=(),
            answerable=0.0,
        )
        cited = checked.draft.citations if checked else ()
        return Decision(
            id=self.id,
            decided_at=datetime.now(UTC),
            path=path,
            tier=tier.name if tier else None,
            model=tier.model if tier else None,
            answer=answer,
            verified=bool(checked and checked.passed),
            reason=reason,
            citations=tuple(quote for quote in brief.quotes if quote.n in cited),
            brief=brief,
            contexts=(brief,),
            verdicts=checked.verdicts if checked else (),
            calls=tuple(self.trace.calls),
            max_tier=self.asked.max_tier,
            latency_ms=self.trace.latency_ms(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """An answer that nobody has read yet."""

    tier: ModelTier
    path: Path
    relayed: Relayed
    checked: Checked | None

    @property
    def passed(self) -> bool:
        """Whether it may be served as it is: the guards passed it, or there was nothing to judge."""
        return self.checked is None or self.checked.passed

    @property
    def attempt(self) -> Attempt:
        """The answer as the gate compares it."""
        draft = self.checked.draft if self.checked else Draft(answer=self.relayed.heard.text, citations=())
        verdicts = self.checked.verdicts if self.checked else ()
        return Attempt(
            path=self.path, tier=self.tier.name, model=self.tier.model, context=0, draft=draft, verdicts=verdicts
        )


def _better(incumbent: _Answer | None, replacement: _Answer) -> _Answer:
    """Give the replacement, unless it does worse on a guard."""
    if incumbent is None:
        return replacement
    kept = better(incumbent.attempt, replacement.attempt)
    return incumbent if kept == incumbent.attempt else replacement


class ChatStream:
    """An answer as it is said: iterate over its events once; `outcome` is there when they have ended."""

    def __init__(self, run: _Run, tier: ModelTier, said: RelayedStream) -> None:
        self.begun = run.begun
        self.protocol = tier.protocol
        self.outcome: Outcome | None = None
        self._run = run
        self._tier = tier
        self._said = said

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the tier's events; then the answer is checked, remembered and recorded. Raises TierDown if it breaks off."""
        with self._run.open:
            ended = False
            try:
                async for event in self._said:
                    yield event
                ended = True
            except ChatFailed as fault:
                with anyio.CancelScope(shield=True):
                    await self._run.broken(str(fault))
                ended = True
                raise self._tier.down(fault) from fault
            finally:
                if not ended:  # whoever listened has gone
                    with anyio.CancelScope(shield=True):
                        await self._run.broken("the client went away")
            self.outcome = await self._run.streamed(self._tier, self._said.heard)
