"""Ask: answer a question from memory with citations, or say that it is not there."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from time import perf_counter
from typing import Any

import anyio.to_thread

from cascade import Brief, Cascade, Ended, MaxTier, Quote, TimeSaid
from compaction import Context, stuff
from compaction.errors import WindowTooSmall
from memory import Recollection, Scope
from memory.api import Memory
from tirtha.caller import Caller
from tirtha.observation.observer import Observer
from tirtha.operations.answering import Answered, Answering, Asked, key_of, owner_of
from tirtha.operations.as_of import AsOf, until
from tirtha.operations.context import distilled
from tirtha.operations.limits import Limits
from tirtha.operations.tenancy.terms import cheaper, money_words, reasoned, under
from tirtha.tenants.admission import Admission

__all__ = ["AskMemory", "AskRequest", "brief_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskRequest:
    """A question over a user's memory.

    `budget` (tokens) and `asked_at` default to the settings' and to now; `session_id` is the conversation it belongs to;
    `max_tier` is the most expensive tier allowed. `use_cache`: whether a stored answer to the very same request may be served.
    """

    user_id: str
    agent_id: str | None = None
    question: str
    budget: int | None = None
    asked_at: datetime | None = None
    as_of: AsOf = None
    session_id: str | None = None
    max_tier: MaxTier = "frontier"
    use_cache: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AskMemory:
    """Answer through the cascade.

    Raises:
        TooLarge: the question is above its limit.
        BudgetTooSmall: no line fits the budget.
        TooLong: no model's window holds the request.
        TierDown: a tier is down, and no other may answer.
        RateLimited, TooManyQuestions: the tenant asks too fast.
        StoreUnavailable, LedgerUnavailable: the database or the index is out of reach.
    """

    memory: Memory
    cascade: Cascade
    answering: Answering
    limits: Limits
    budget: int
    admission: Admission

    async def __call__(self, caller: Caller, request: AskRequest) -> Answered:
        """Return the decision; it is in the ledger already."""
        caller.require("read")
        self.limits.check_question(request.question)
        started_s, asked_at = perf_counter(), request.asked_at or datetime.now(UTC)
        scope, budget = caller.scope(request.user_id, request.agent_id), request.budget or self.budget
        terms = await self.admission.asking(caller.tenant, request.user_id)
        request = replace(request, max_tier=cheaper(request.max_tier, terms.max_tier))
        if request.max_tier != "extractive":
            await self.admission.asking_models(caller.tenant, request.user_id)
        cascade = under(self.cascade, terms, self.admission)
        epoch, last = await self.memory.epoch(scope), until(request.as_of, asked_at)
        whole = _whole(request, budget, asked_at)
        key = key_of(whole, owner=owner_of(scope), epoch=epoch, hashes=cascade.hashes)
        asked = Asked(
            key=key if request.use_cache else None,
            request=whole,
            owner=owner_of(scope),
            until=None if request.asked_at else _tomorrow(asked_at),
            started_s=started_s,
            session_id=request.session_id,
        )

        async def decide() -> Ended:
            with self.answering.observer.stage("recall"):
                found = await self.memory.recall(scope, request.question, asked_at, until=last)
            contexts = _Contexts(
                question=request.question,
                asked_at=asked_at,
                until=last,
                scope=scope,
                memory=self.memory,
                found=found,
                observer=self.answering.observer,
            )
            capped = await money_words(cascade, request.max_tier, self.admission, caller.tenant)
            ended = await cascade.answer(
                contexts, budget=budget, started_s=started_s, max_tier=request.max_tier, paid=not capped
            )
            return reasoned(ended, capped)

        return await self.answering.answer(asked, decide)


def _whole(request: AskRequest, budget: int, asked_at: datetime) -> dict[str, Any]:
    """Return the whole request as JSON values, defaults made explicit: what the cache's key is made of."""
    return {
        "task": "memory",
        "question": request.question,
        "budget": budget,
        "asked_at": request.asked_at.isoformat() if request.asked_at else asked_at.date().isoformat(),
        "as_of": request.as_of,
        "session_id": request.session_id,
        "max_tier": request.max_tier,
    }


def _tomorrow(now: datetime) -> datetime:
    """Return when the day is over: a question without a time is asked today, and "last week" is another one tomorrow."""
    return datetime.combine(now.date() + timedelta(days=1), time(), UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contexts:
    """Contexts of one recollection, as the cascade asks for them."""

    question: str
    asked_at: datetime
    until: datetime | None
    scope: Scope
    memory: Memory
    found: Recollection
    observer: Observer

    async def at(self, budget: int) -> Brief:
        """Distil what was found to `budget`. Raises BudgetTooSmall."""
        with self.observer.stage("distil"):
            return self._brief(distilled(self.found, budget))

    async def raw(self, limit: int) -> Brief:
        """Stuff the history into `limit`, or distil to it where not even the newest turn fits."""
        try:
            history = await self.memory.history(self.scope, until=self.until)
            return self._brief(await anyio.to_thread.run_sync(partial(stuff, history, limit=limit)))
        except WindowTooSmall:
            return await self.at(limit)

    def _brief(self, context: Context) -> Brief:
        answerable = self.found.answerable
        return brief_of(context, question=self.question, asked_at=self.asked_at, answerable=answerable)


def brief_of(context: Context, *, question: str, asked_at: datetime, answerable: float) -> Brief:
    """Return a context as the cascade takes it."""
    quotes = tuple(
        Quote(
            n=line.n,
            turn_id=line.turn_id,
            session_id=line.session_id,
            speaker=line.speaker,
            said_at=line.said_at,
            text=line.quote,
            score=line.score,
            header=line.header,
            times=tuple(TimeSaid(meaning=time.meaning, grain=time.grain) for time in line.times),
        )
        for line in context.lines
    )
    return Brief(
        question=question,
        asked_at=asked_at,
        text=context.text,
        tokens=context.tokens,
        budget=context.budget,
        quotes=quotes,
        answerable=answerable,
        complete=context.complete,
    )
