"""The service: the one place where memory, compaction and the cascade are joined.

Every surface (HTTP, command line, benchmarks) is a thin shell over these methods. One method is one request's way through
the house, readable from top to bottom.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from time import perf_counter
from typing import Literal
from uuid import uuid4

import anyio
from sqlalchemy import Engine

from cascade import AnswerabilityGuard, Brief, Cascade, CitationGuard, Decision, ExtractiveTier, Ledger, Quote, TimeSaid
from compaction import Context, distill, raw_tokens
from compaction.tokens import token_table
from memory import Evidence, Memory, MemorySettings, NewTurn, Receipt, Remember, Scope, open_memory
from memory.database import reading, writing
from memory.encoder import BUNDLED_MODEL, Encoder
from memory.related_terms import term_vectors
from memory.rescorer import shipped_rescorer
from memory.turns import Recollection, SessionSummary, Turn
from tirtha.errors import TooLarge
from tirtha.settings import Settings

__all__ = ["Ask", "Distilled", "Recalled", "Service", "Wait", "open_service"]

Wait = Literal["durable", "indexed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question of a scope; `budget` and `asked_at` default to the settings' and to now."""

    scope: Scope
    question: str
    budget: int | None = None
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Distilled:
    """A context and the probability that it holds the answer."""

    context: Context
    answerable: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """A turn that recall found, by its best passage."""

    turn: Turn
    best: Evidence


class Service:
    """The open service. Get one from `open_service`."""

    def __init__(self, *, memory: Memory, cascade: Cascade, ledger: Ledger, settings: Settings) -> None:
        self.memory = memory
        self.settings = settings
        self._cascade = cascade
        self._ledger = ledger

    async def remember(
        self, scope: Scope, session_id: str | None, turns: Sequence[NewTurn], *, wait: Wait = "durable"
    ) -> tuple[Receipt, bool]:
        """Remember turns of one session (a new one by default); says whether the index holds them already.

        Raises:
            TooLarge: a turn or their number is above its limit.
            TurnConflict: an id is used again for another text.
            StoreUnavailable: they could not be stored.
        """
        self._check_size(turns)
        wish = Remember(scope=scope, session_id=session_id or uuid4().hex, turns=turns)
        receipt = await self.memory.remember(wish)
        indexed = wait == "indexed" and await self.memory.until_indexed(scope, receipt)
        return receipt, indexed

    async def remember_many(self, wishes: Sequence[Remember]) -> list[Receipt]:
        """Remember turns of many sessions at once; a turn in conflict is left out and named in its receipt."""
        return await self.memory.remember_many(wishes)

    async def recall(self, ask: Ask, *, limit: int) -> list[Recalled]:
        """Find the `limit` turns that say most on the question, best first."""
        found = await self._recollect(ask)
        best: dict[int, Recalled] = {}
        for evidence in found.evidence:
            best.setdefault(evidence.turn.pk, Recalled(turn=evidence.turn, best=evidence))
            if len(best) == limit:
                break
        return list(best.values())

    async def context(self, ask: Ask) -> Distilled:
        """Recall, then distil to the budget.

        Raises:
            TooLarge: the question is above its limit.
            BudgetTooSmall: no line fits the budget.
        """
        found = await self._recollect(ask)
        context = distill(found.evidence, budget=ask.budget or self.settings.budget, broad=found.compares)
        return Distilled(context=context, answerable=found.answerable)

    async def contexts(self, ask: Ask, budgets: Sequence[int]) -> list[Context]:
        """Recall once and distil the same evidence to each of `budgets`. Raises as `context` does."""
        found = await self._recollect(ask)
        return [distill(found.evidence, budget=budget, broad=found.compares) for budget in budgets]

    async def ask(self, ask: Ask) -> Decision:
        """Answer from the context, or abstain; the decision is in the ledger before it is returned."""
        started_s = perf_counter()
        distilled = await self.context(ask)
        brief = _brief(ask, distilled)
        decision = await self._cascade.answer(brief, started_s=started_s)
        scope = ask.scope
        await self._ledger.record(decision, tenant=scope.tenant, user_id=scope.user_id, agent_id=scope.agent_id)
        return decision

    async def decision(self, decision_id: str, *, tenant: str) -> Decision:
        """Read a decision back. Raises UnknownDecision."""
        return await self._ledger.read(decision_id, tenant=tenant)

    async def sessions(self, scope: Scope, *, limit: int, after: str | None = None) -> list[SessionSummary]:
        """List the scope's sessions, oldest first, from after the session `after`."""
        return await self.memory.sessions(scope, limit=limit, after=after)

    async def raw_tokens(self, scope: Scope) -> int:
        """Count the tokens that stuffing the scope's whole history into a prompt would take."""
        return raw_tokens(await self.memory.history(scope))

    async def ready(self) -> tuple[int, int]:
        """Make sure that turns can be written and found; gives the turns held and those waiting. Raises StoreUnavailable."""
        await self.memory.store.ping()
        await self.memory.index.count()
        return await self.memory.store.count(), await self.memory.store.count(indexed=False)

    def check_turn(self, turn: NewTurn, at: str) -> None:
        """Raise TooLarge if a turn's text is above its limit; `at` says where it stands in the request."""
        if len(turn.text) > self.settings.max_turn_chars:
            size, limit = len(turn.text), self.settings.max_turn_chars
            raise TooLarge(at=at, what="the turn's text", size=size, limit=limit, unit="characters")

    def _check_size(self, turns: Sequence[NewTurn]) -> None:
        if len(turns) > self.settings.max_turns:
            size, limit = len(turns), self.settings.max_turns
            raise TooLarge(at="turns", what="the request", size=size, limit=limit, unit="turns")
        for index, turn in enumerate(turns):
            self.check_turn(turn, f"turns[{index}].text")

    async def _recollect(self, ask: Ask) -> Recollection:
        self._check_question(ask.question)
        return await self.memory.recall(ask.scope, ask.question, ask.asked_at or datetime.now(UTC))

    def _check_question(self, question: str) -> None:
        if len(question) > self.settings.max_question_chars:
            size, limit = len(question), self.settings.max_question_chars
            raise TooLarge(at="question", what="the question", size=size, limit=limit, unit="characters")


@asynccontextmanager
async def open_service(settings: Settings, *, encoder: Encoder | None = None) -> AsyncIterator[Service]:
    """Open memory in the configured folder and set the cascade over it; everything is closed at the end.

    An `encoder` that is loaded already may be shared between services.

    Raises the errors of `memory.open_memory`.
    """
    async with open_memory(memory_settings(settings), encoder=encoder) as memory:
        for load in (
            token_table,
            term_vectors,
            shipped_rescorer,
        ):  # now, so that the first question does not wait for it
            await anyio.to_thread.run_sync(load)
        guards = (CitationGuard(), AnswerabilityGuard(threshold=settings.abstain_below))
        cascade = Cascade(tier=ExtractiveTier(), guards=guards)
        yield Service(memory=memory, cascade=cascade, ledger=_ledger(memory.store.engine), settings=settings)


def _ledger(engine: Engine) -> Ledger:
    return Ledger(writing=partial(writing, engine), reading=partial(reading, engine))


def memory_settings(settings: Settings) -> MemorySettings:
    """Give memory its slice of the settings."""
    url = settings.database_url
    return MemorySettings(
        home=settings.folder,
        database_url=url.get_secret_value() if url else None,
        embedding_model=settings.embedding_model or BUNDLED_MODEL,
        max_tail_turns=settings.max_tail_turns,
        index_timeout_s=settings.index_timeout_s,
        hot_vectors_mb=settings.hot_vectors_mb,
    )


def _brief(ask: Ask, distilled: Distilled) -> Brief:
    context = distilled.context
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
        question=ask.question,
        asked_at=ask.asked_at or datetime.now(UTC),
        text=context.text,
        tokens=context.tokens,
        budget=context.budget,
        quotes=quotes,
        answerable=distilled.answerable,
    )
