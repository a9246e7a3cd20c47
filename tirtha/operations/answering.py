"""Answering: the way that questions and code tasks share, from the exact cache to the ledger.

The cache stands before any embedding or search; identical requests that come in together are answered once; every request ends in
exactly one decision record, whatever happens; what was forgotten while a request was under way leaves no copy behind.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from time import perf_counter
from typing import Any
from uuid import uuid4

from cascade import Decision, Ended, Ledger
from cascade.decision import Hashes
from cascade.errors import CascadeFault, LedgerUnavailable
from cascade.pricing import Price, cost_nanousd
from cascade.shadowing import Shadowing
from cascade.storage.cache import AnswerCache, SingleFlight, cache_key
from cascade.storage.ledger import Owner, TurnKey
from memory import Scope
from memory.errors import StoreUnavailable
from tirtha.observation.metrics import CacheResult
from tirtha.observation.observer import Observer
from tirtha.observation.request import note_decision
from tirtha.operations.under_way import Reading, UnderWay
from tirtha.tenants.admission import Admission

__all__ = ["Answered", "Answering", "Asked", "key_of", "owner_of"]

log = logging.getLogger(__name__)

Decide = Callable[[], Awaitable[Ended]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A decision, and what the cache had to do with it."""

    decision: Decision
    cache: CacheResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the cache and the ledger need to know of a request; without a `key`, made of `request`, it goes past the cache.

    `until` bounds how long the answer may be served again; `session_id` is the conversation that the question belongs to, and
    `asked_with` the turns of it that ask.
    """

    key: str | None
    request: Mapping[str, Any]
    owner: Owner
    started_s: float
    until: datetime | None = None
    session_id: str | None = None
    asked_with: tuple[TurnKey, ...] = ()


@dataclass(slots=True, kw_only=True)
class Answering:
    """The cache, the ledger, and what is under way. `frontier` is the price that costs are compared with.

    `admission` is called with what each decision took, and asked before a shadow call.
    """

    observer: Observer
    ledger: Ledger
    admission: Admission
    cache: AnswerCache | None
    frontier: Price | None
    shadowing: Shadowing | None
    under_way: UnderWay = field(default_factory=UnderWay)
    flights: SingleFlight = field(default_factory=SingleFlight)
    background: set[asyncio.Task[None]] = field(default_factory=set)

    async def answer(self, asked: Asked, decide: Decide) -> Answered:
        """Serve the stored answer, join the same request under way, or decide; the decision is in the ledger on return.

        Raises what the decision ended with: TierDown, TooLong, SandboxUnavailable; and LedgerUnavailable.
        """
        answered = await self._answer(asked, decide)
        self.observer.metrics.looked_up(answered.cache)
        return answered

    async def _answer(self, asked: Asked, decide: Decide) -> Answered:
        key, cache = asked.key, self.cache
        if key is None or cache is None:
            return Answered(decision=_served(await self._decide(asked, decide)), cache="bypass")

        async def decide_and_store() -> Ended:
            ended = await self._decide(asked, decide)
            if ended.decision.verified and ended.lasting:
                await self._store(cache, key, ended.decision, asked)
            return ended

        with self.under_way.reading(asked.owner) as reading:
            stored = await cache.get(key, tenant=asked.owner.tenant)
            if stored is not None:
                return Answered(decision=await self._again(stored, asked, reading), cache="hit")
            ended, leads = await self.flights.run(key, decide_and_store)
            if leads:
                return Answered(decision=_served(ended), cache="miss")
            return Answered(decision=_served(await self._along(ended, asked, reading)), cache="hit")

    async def note(self, decision: Decision, asked: Asked, reading: Reading, *, emptied: bool = False) -> None:
        """Record a decision that was made elsewhere, and count what it took.

        Args:
            decision: the decision.
            asked: the request that it answers.
            reading: the reading that it was made in. If it rests on what was forgotten meanwhile, only what it cost is recorded.
            emptied: whether only what it cost is recorded in any case.
        """
        await self._record(decision, asked, reading, like=decision, emptied=emptied)
        await self.admission.used(asked.owner.tenant, asked.owner.user_id, decision)

    async def close(self) -> None:
        """End what is under way."""
        await self.flights.close()
        for task in self.background:
            task.cancel()
        await asyncio.gather(*self.background, return_exceptions=True)

    async def _decide(self, asked: Asked, decide: Decide) -> Ended:
        with self.under_way.reading(
            asked.owner
        ) as reading:  # a reading of its own, since the flight may outlive its caller
            ended = await decide()
            await self._record(ended.decision, asked, reading, like=ended.decision)
        await self.admission.used(asked.owner.tenant, asked.owner.user_id, ended.decision)
        self._shadow(ended.decision, asked.owner)
        return ended

    async def _store(self, cache: AnswerCache, key: str, decision: Decision, asked: Asked) -> None:
        """Store an answer for the next time; that this fails is no reason not to give it now."""
        try:
            await cache.put(key, decision, tenant=asked.owner.tenant, until=asked.until, request=asked.request)
        except LedgerUnavailable as fault:
            log.warning("decision %s is not cached: %s", decision.id, fault)

    async def _again(self, stored: Decision, asked: Asked, reading: Reading) -> Decision:
        """Serve a stored decision once more, as a decision of its own that cost nothing."""
        decision = replace(
            stored,
            id=uuid4().hex,
            decided_at=datetime.now(UTC),
            path="cache",
            reason=f"the same request was answered by decision {stored.id}",
            calls=(),
            contexts=(stored.brief,),
            attempts=(),
            latency_ms=round((perf_counter() - asked.started_s) * 1_000),
        )
        await self._record(decision, asked, reading, like=stored)
        return decision

    async def _along(self, ended: Ended, asked: Asked, reading: Reading) -> Ended:
        """Share the end of an identical request that was under way already."""
        if ended.decision.verified:
            return Ended(decision=await self._again(ended.decision, asked, reading))
        latency_ms = round((perf_counter() - asked.started_s) * 1_000)
        decision = replace(
            ended.decision, id=uuid4().hex, decided_at=datetime.now(UTC), calls=(), latency_ms=latency_ms
        )
        await self._record(decision, asked, reading, like=ended.decision)
        return Ended(decision=decision, fault=ended.fault)

    async def _record(
        self, decision: Decision, asked: Asked, reading: Reading, *, like: Decision, emptied: bool = False
    ) -> None:
        """Append to the ledger; of a decision that rests on what was forgotten while it was made, only what it cost."""
        first = next((call for call in like.calls if not call.fault), None)
        compared = cost_nanousd(first.usage, self.frontier) if self.frontier and first else None
        async with self.under_way.recording:
            await self.ledger.record(
                decision,
                asked.owner,
                frontier_nanousd=compared,
                session_id=asked.session_id,
                emptied=emptied or reading.outlived(decision, asked.session_id),
                asked_with=asked.asked_with,
            )
        note_decision(decision.id)
        self.observer.metrics.decided(decision, anew=decision is like)

    def _shadow(self, decision: Decision, owner: Owner) -> None:
        if self.shadowing and self.shadowing.chooses(decision):
            task = asyncio.create_task(self._ask_shadow(self.shadowing, decision, owner.tenant))
            self.background.add(task)
            task.add_done_callback(self.background.discard)

    async def _ask_shadow(self, shadowing: Shadowing, decision: Decision, tenant: str) -> None:
        try:
            if await self.admission.may_shadow(tenant):
                await self.ledger.record_shadow(await shadowing.ask(decision), tenant=tenant)
                self.admission.spending.changed(tenant)
        except (CascadeFault, StoreUnavailable) as fault:
            log.warning("decision %s has no shadow: %s", decision.id, fault)


def key_of(request: Mapping[str, Any], *, owner: Owner, epoch: int, hashes: Hashes) -> str:
    """Return the cache's key of a request.

    Args:
        request: the request, as the cache compares it.
        owner: who asked; the same question of another user is another key.
        epoch: that of the scope, so that a change of memory changes the key. A program rests on no memory, and does without.
        hashes: what it would be decided with: policy, prompts, guards and models.
    """
    return cache_key(request, owner=owner, epoch=0 if request["task"] == "code" else epoch, hashes=hashes)


def owner_of(scope: Scope) -> Owner:
    """Name a scope as the ledger knows it."""
    return Owner(tenant=scope.tenant, user_id=scope.user_id, agent_id=scope.agent_id or "")


def _served(ended: Ended) -> Decision:
    if ended.fault is not None:
        raise ended.fault
    return ended.decision
