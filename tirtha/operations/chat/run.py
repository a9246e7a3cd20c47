"""A chat request under way: its answer, whole or as it is said; the guards over it; and its end, whichever it is."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import anyio

from cascade import Brief, Decision
from cascade.call_trace import Trace
from cascade.decision import Attempt, Path
from cascade.errors import CascadeFault, ChatFailed, RelayRefused, TierDown
from cascade.guards.gate import better
from cascade.model import Draft
from cascade.prompts import feedback
from cascade.run import Run
from cascade.tiers.hearing import Heard
from cascade.tiers.model import ModelTier
from cascade.tiers.relaying import Relayed, RelayedStream, relay, relay_stream
from compaction import Compacted
from memory import NewTurn, Scope
from memory.errors import MemoryFault
from memory.model import Flag
from tirtha.caller import Caller
from tirtha.errors import FaceFault
from tirtha.operations.answering import Answering, Asked
from tirtha.operations.chat.asked import Begun, Changes, ChatAsked, ChatOutcome, Correction, MemoryUse, call_text
from tirtha.operations.chat.checking import Checked, check
from tirtha.operations.chat.following import FollowConversation, Place
from tirtha.operations.chat.notes import fenced
from tirtha.operations.under_way import Reading

__all__ = ["ChatRun", "ChatStream"]

log = logging.getLogger(__name__)

_CHARACTERS_A_TOKEN = 4
_ASKED_WITH = 8  # turns at the end of a conversation that its decision is known by
_PATHS: Mapping[str, Path] = {"local": "local", "frontier": "frontier"}


@dataclass(slots=True, kw_only=True)
class ChatRun:
    """One request under way. `open` is closed when it has ended."""

    follow: FollowConversation
    answering: Answering
    repair: bool
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
            owner=self.reading.owner,
            forgettings=self.forgettings,
        )

    # whole answers

    async def reply(self) -> ChatOutcome:
        """Have it answered and checked; a failed answer is repaired once, then the next tier is asked, then it is marked."""
        try:
            return await self._reply()
        except CascadeFault as fault:
            await self._failed(fault)
            raise

    async def _reply(self) -> ChatOutcome:
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
            if self.repair and not number and answer.checked:
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
        path: Path = "local_repaired" if failed.path == "local" else failed.path
        try:
            return await self._answer(tier, path, Correction(answer=text, feedback=feedback(text, reasons)))
        except (TierDown, RelayRefused) as fault:
            log.warning("a chat's answer is not repaired: %s", fault)
            return failed

    async def _served(self, answer: "_Answer") -> ChatOutcome:
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

    async def streamed(self, tier: ModelTier, heard: Heard) -> ChatOutcome:
        """End a stream whose last event came."""
        checked = await check(heard, self.brief, self.asked.prompt.turns, self.trace)
        return await self._ended(tier, _PATHS[tier.name], heard, checked)

    async def broken(self, reason: str) -> None:
        """End a stream that broke off, or that no one listens to any more: what it cost is written down."""
        await self._record(self._run.decision("error", reason=reason))

    # the end

    @property
    def _changes(self) -> Changes:
        return Changes(first=self.fitted.first, notes=fenced(self.brief.text) if self.brief else "")

    async def _ended(self, tier: ModelTier, path: Path, heard: Heard, checked: Checked | None) -> ChatOutcome:
        verified = checked.passed if checked else None
        if checked is None:
            reason = "nothing of it rests on memory, so nothing was checked"
        else:
            reason = "every guard passed what rests on memory" if checked.passed else checked.reasons
        served = _attempt(tier, path, heard, checked)
        decision = self._run.decision(path, answer=heard.text, reason=reason, served=served, verified=served.accepted)
        await self._remember(heard, evidence=bool(checked and checked.passed and checked.whole))
        await self._record(decision)
        return ChatOutcome(
            begun=self.begun,
            decision=decision,
            verified=verified,
            tokens_saved=await self._saved(),
            protocol=tier.protocol,
        )

    async def _saved(self) -> int:
        """Estimate the tokens of the user's memory that the notes stand in for."""
        if self.scope is None or self.brief is None:
            return 0
        held = await self.follow.memory.extent(self.scope)
        return max(0, held.characters // _CHARACTERS_A_TOKEN - self.brief.tokens)

    async def _remember(self, heard: Heard, *, evidence: bool) -> None:
        """Remember the answer, unless its conversation is not remembered, or was forgotten meanwhile.

        It is `evidence` only if the guards passed all of it: what a model added of its own must not be recalled as a fact.
        """
        text = "\n".join([heard.text.strip(), *(call_text(one.name, one.arguments) for one in heard.calls)])
        place = self.place
        if self.scope is None or place is None or place.session_id is None or not text.strip():
            return
        if place.answer_kept_out or self.reading.forgotten:
            return
        flag: Flag | None = None if evidence else "unchecked"
        said_at = datetime.now(self.asked.time_zone or UTC)
        answer = NewTurn(role="assistant", text=text.strip(), said_at=said_at, flag=flag)
        try:
            await self.follow.answered(self.caller, self.scope, place.session_id, answer)
        except (
            MemoryFault,
            FaceFault,
        ) as fault:  # the answer is there; clients send it with the next message, for a new try
            log.warning("the answer of decision %s is not remembered: %s", self.id, fault)

    async def _failed(self, fault: Exception) -> None:
        if self.trace.calls:
            await self._record(self._run.decision("error", reason=str(fault)))

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
        await self.answering.note(decision, asked, self.reading, emptied=nameless)

    @property
    def _asked_with(self) -> tuple[tuple[str, str], ...]:
        """The last message and what came with it, so that the decision goes when they are forgotten."""
        place = self.place
        if place is None or place.session_id is None:
            return ()
        last = [turn_id for turn_id in place.turn_ids[-_ASKED_WITH:] if turn_id is not None]
        return tuple((place.session_id, turn_id) for turn_id in last)

    @property
    def _run(self) -> Run:
        """What the decision is made of. It lists no attempts: the record of a chat is of the answer that was served."""
        turns = self.asked.prompt.turns
        brief = self.brief or Brief.without_evidence(
            turns[-1].text if turns else "",
            asked_at=datetime.now(self.asked.time_zone or UTC),
            budget=self.fitted.evidence_budget,
        )
        return Run(id=self.id, trace=self.trace, max_tier=self.asked.max_tier, contexts=[brief])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """An answer that no one has read yet."""

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
        return _attempt(self.tier, self.path, self.relayed.heard, self.checked)


def _attempt(tier: ModelTier, path: Path, heard: Heard, checked: Checked | None) -> Attempt:
    """Return an answer as an attempt: of what was checked, only the part that rests on memory."""
    draft = checked.draft if checked else Draft(answer=heard.text, citations=())
    verdicts = checked.verdicts if checked else ()
    return Attempt(path=path, tier=tier.name, model=tier.model, context=0, draft=draft, verdicts=verdicts)


def _better(incumbent: _Answer | None, replacement: _Answer) -> _Answer:
    """Return the replacement, unless it does worse on a guard."""
    if incumbent is None:
        return replacement
    kept = better(incumbent.attempt, replacement.attempt)
    return incumbent if kept == incumbent.attempt else replacement


class ChatStream:
    """An answer as it is said: iterate over its events once, then `outcome` is there. Its owner must close it."""

    def __init__(self, run: ChatRun, tier: ModelTier, said: RelayedStream) -> None:
        self.begun = run.begun
        self.protocol = tier.protocol
        self.outcome: ChatOutcome | None = None
        self._run = run
        self._tier = tier
        self._said = said
        self._recorded = False

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the tier's events; then the answer is checked, remembered and recorded. Raises TierDown if it breaks off."""
        try:
            async for event in self._said:
                yield event
        except ChatFailed as fault:
            await self._break(str(fault))
            raise self._tier.down(fault) from fault
        with anyio.CancelScope(shield=True):  # all of it was said, so it is remembered
            self._recorded = True
            self.outcome = await self._run.streamed(self._tier, self._said.heard)

    async def aclose(self) -> None:
        """End it, also where no one listened to all of it: the call is given up, and what it cost is written down."""
        with anyio.CancelScope(shield=True), self._run.open:
            await self._said.aclose()
            await self._break("the client went away")

    async def _break(self, reason: str) -> None:
        if not self._recorded:
            self._recorded = True
            await self._run.broken(reason)
