"""Asking: the way of one question, from the exact cache to the ledger.

The cache stands before any embedding or search; identical questions that come in together are answered once; every request ends in
exactly one decision record, whatever happens; what was forgotten while a question was under way leaves no copy behind.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from time import perf_counter
from typing import Any, Literal
from uuid import uuid4

from cascade import Brief, Cascade, CodeCascade, CodeTask, Decision, Ended, Ledger, MaxTier, Quote, TimeSaid
from cascade.cache import AnswerCache, SingleFlight, cache_key
from cascade.errors import CascadeFault
from cascade.ledger import Owner
from cascade.pricing import cost_nanousd
from cascade.shadowing import Shadowing
from compaction import Context, distill, stuff
from compaction.errors import WindowTooSmall
from memory import Memory, Recollection, Scope
from memory.errors import StoreUnavailable
from tirtha.requests import Ask

__all__ = ["Answered", "Asking", "CacheUse", "owner_of"]

log = logging.getLogger(__name__)

CacheUse = Literal["hit", "miss", "bypass"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A decision, and what the cache had to do with it."""

    decision: Decision
    cache: CacheUse


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contexts:
    """Contexts of one recollection, as the cascade asks for them."""

    ask: Ask
    asked_at: datetime
    memory: Memory
    found: Recollection

    async def at(self, budget: int) -> Brief:
        """Distil what was found to `budget`. Raises BudgetTooSmall."""
        return self._brief(distill(self.found.evidence, budget=budget, broad=self.found.compares))

    async def raw(self, limit: int) -> Brief:
        """Stuff the history into `limit`, or distil to it where not even the newest turn fits."""
        try:
            return self._brief(stuff(await self.memory.history(self.ask.scope), limit=limit))
        except WindowTooSmall:
            return await self.at(limit)

    def _brief(self, context: Context) -> Brief:
        quotes = tuple(
            Quote(
                n=line.n,
                turn_id=line.turn_id,
                session_id=line.session_id,
                speaker=line.speaker,
                said_at=line.said_at,
                text=line.quote,
                score=line.score,
                times=tuple(TimeSaid(meaning=time.meaning, grain=time.grain) for time in line.times),
            )
            for line in context.lines
        )
        return Brief(
            question=self.ask.question,
            asked_at=self.asked_at,
            text=context.text,
            tokens=context.tokens,
            budget=context.budget,
            quotes=quotes,
            answerable=self.found.answerable,
        )


@dataclass(slots=True, kw_only=True)
class Asking:
    """What answering takes, joined."""

    memory: Memory
    cascade: Cascade
    code: CodeCascade
    ledger: Ledger
    cache: AnswerCache | None
    shadowing: Shadowing | None
    flights: SingleFlight
    background: set[asyncio.Task[None]]

    async def ask(self, ask: Ask, *, budget: int, use_cache: bool = True) -> Answered:
        """Answer from memory, or abstain; the decision is in the ledger before it is returned.

        Raises TierDown, TooLong (with a decision of the path `error` in the ledger), and what recall and distillation raise.
        """
        started_s, asked_at = perf_counter(), ask.asked_at or datetime.now(UTC)
        known = await self.memory.store.scope(ask.scope)
        epoch = known[1] if known else 0
        owner = owner_of(ask.scope)
        request = {
            "task": "memory",
            "question": ask.question,
            "budget": budget,
            # Without a time of its own a question is asked today, and "last week" is another one tomorrow.
            "asked_at": ask.asked_at.isoformat() if ask.asked_at else asked_at.date().isoformat(),
            "session_id": ask.session_id,
            "max_tier": ask.max_tier,
        }
        key = cache_key(request, owner=owner, epoch=epoch, hashes=self.cascade.hashes)

        async def decide() -> Ended:
            found = await self.memory.recall(ask.scope, ask.question, asked_at)
            contexts = _Contexts(ask=ask, asked_at=asked_at, memory=self.memory, found=found)
            return await self.cascade.answer(contexts, budget=budget, started_s=started_s, max_tier=ask.max_tier)

        until = None if ask.asked_at else datetime.combine(asked_at.date() + timedelta(days=1), time(), UTC)
        asked = _Asked(
            key=key if use_cache else None, owner=owner, until=until, started_s=started_s, scope=ask.scope, epoch=epoch
        )
        return await self._through_cache(asked, decide)

    async def write_code(self, task: CodeTask, owner: Owner, *, max_tier: MaxTier, use_cache: bool = True) -> Answered:
        """Write a program that passes the task's tests. Raises TierDown, TooLong and SandboxUnavailable, as `ask` does."""
        started_s = perf_counter()
        request: dict[str, Any] = {
            "task": "code",
            "question": task.question,
            "entry_point": task.entry_point,
            "tests": task.tests,
            "max_tier": max_tier,
        }
        key = cache_key(request, owner=owner, epoch=0, hashes=self.code.hashes)

        async def decide() -> Ended:
            return await self.code.answer(task, started_s=started_s, max_tier=max_tier)

        return await self._through_cache(
            _Asked(key=key if use_cache else None, owner=owner, started_s=started_s), decide
        )

    async def close(self) -> None:
        """End what is under way."""
        await self.flights.close()
        for task in self.background:
            task.cancel()
        await asyncio.gather(*self.background, return_exceptions=True)

    async def _through_cache(self, asked: "_Asked", decide: Callable[[], Awaitable[Ended]]) -> Answered:
        key, cache = asked.key, self.cache
        if key is None or cache is None:
            return Answered(decision=_served(await self._decide(asked, decide)), cache="bypass")
        stored = await cache.get(key, tenant=asked.owner.tenant)
        if stored is not None:
            return Answered(decision=await self._again(stored, asked), cache="hit")

        async def decide_and_store() -> Ended:
            ended = await self._decide(asked, decide)
            if ended.decision.verified:
                await self._store(cache, key, ended.decision, asked)
            return ended

        ended, leads = await self.flights.run(key, decide_and_store)
        if leads:
            return Answered(decision=_served(ended), cache="miss")
        return Answered(decision=_served(await self._along(ended, asked)), cache="hit")

    async def _decide(self, asked: "_Asked", decide: Callable[[], Awaitable[Ended]]) -> Ended:
        ended = await decide()
        await self._record(ended.decision, asked, like=ended.decision)
        self._shadow(ended.decision, asked.owner)
        return ended

    async def _store(self, cache: AnswerCache, key: str, decision: Decision, asked: "_Asked") -> None:
        """Store an answer for the next time; that this fails is no reason not to give it now."""
        try:
            await cache.put(key, decision, tenant=asked.owner.tenant, until=asked.until)
        except StoreUnavailable as fault:
            log.warning("decision %s is not cached: %s", decision.id, fault)

    async def _again(self, stored: Decision, asked: "_Asked") -> Decision:
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
        await self._record(decision, asked, like=stored)
        return decision

    async def _along(self, ended: Ended, asked: "_Asked") -> Ended:
        """Share the end of an identical request that was under way already."""
        if ended.decision.verified:
            return Ended(decision=await self._again(ended.decision, asked))
        latency_ms = round((perf_counter() - asked.started_s) * 1_000)
        decision = replace(
            ended.decision, id=uuid4().hex, decided_at=datetime.now(UTC), calls=(), latency_ms=latency_ms
        )
        await self._record(decision, asked, like=ended.decision)
        return Ended(decision=decision, fault=ended.fault)

    async def _record(self, decision: Decision, asked: "_Asked", *, like: Decision) -> None:
        """Append to the ledger; a record that rests on what was forgotten while it was made is emptied at once."""
        frontier = self.cascade.frontier
        first = next((call for call in like.calls if not call.fault), None)
        compared = cost_nanousd(first.usage, frontier.price) if frontier and first else None
        await self.ledger.record(decision, asked.owner, frontier_nanousd=compared)
        known = await self.memory.store.scope(asked.scope) if asked.scope else None
        if known is None or known[1] == asked.epoch:
            return
        used = {(quote.session_id, quote.turn_id) for brief in decision.contexts for quote in brief.quotes}
        gone = used - await self.memory.store.known_turns(known[0], used)
        if gone:
            await self.ledger.forget(asked.owner, gone)

    def _shadow(self, decision: Decision, owner: Owner) -> None:
        if self.shadowing and self.shadowing.chooses(decision):
            task = asyncio.create_task(self._ask_shadow(self.shadowing, decision, owner.tenant))
            self.background.add(task)
            task.add_done_callback(self.background.discard)

    async def _ask_shadow(self, shadowing: Shadowing, decision: Decision, tenant: str) -> None:
        try:
            await self.ledger.record_shadow(await shadowing.ask(decision), tenant=tenant)
        except (CascadeFault, StoreUnavailable) as fault:
            log.warning("decision %s has no shadow: %s", decision.id, fault)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What the cache and the ledger need to know of a request; a code task has no scope."""

    key: str | None
    owner: Owner
    started_s: float
    until: datetime | None = None
    scope: Scope | None = None
    epoch: int = 0


def _served(ended: Ended) -> Decision:
    if ended.fault is not None:
        raise ended.fault
    return ended.decision


def owner_of(scope: Scope) -> Owner:
    """Name a scope as the ledger knows it."""
    return Owner(tenant=scope.tenant, user_id=scope.user_id, agent_id=scope.agent_id or "")
