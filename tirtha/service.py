"""The service: the one place where memory, compaction and the cascade are joined.

Every surface (HTTP, command line, benchmarks) is a thin shell over these methods. One method is one request's way through
the house, readable from top to bottom.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal
from uuid import uuid4

import anyio

from cascade import Cascade, CodeTask, Decision, Ledger, MaxTier
from cascade.cache import AnswerCache, SingleFlight
from cascade.errors import Misconfigured
from cascade.ledger import Owner, Stats
from cascade.shadowing import Shadowing
from compaction import Context, distill, raw_tokens
from compaction.tokens import token_table
from memory import Evidence, Memory, MemorySettings, NewTurn, Receipt, Recollection, Remember, Scope, Turn, open_memory
from memory.database import reading, writing
from memory.encoder import BUNDLED_MODEL, Encoder
from memory.related_terms import term_vectors
from memory.rescorer import shipped_rescorer
from memory.turns import SessionSummary
from tirtha.asking import Answered, Asking, owner_of
from tirtha.cascading import Vectors, make_cascade, make_code_cascade
from tirtha.errors import TooLarge
from tirtha.requests import Ask
from tirtha.settings import Settings
from tirtha.tiers import Tiers, open_tiers

__all__ = ["Distilled", "Forgot", "Recalled", "Service", "Wait", "memory_settings", "open_service"]

Wait = Literal["durable", "indexed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Distilled:
    """A context and the probability that it holds the answer."""

    context: Context
    answerable: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """A turn that recall found, by its best passage, and what that was judged by."""

    turn: Turn
    best: Evidence
    signals: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgot:
    """How much was forgotten: turns, sessions that are empty now, and decisions that rested on them; the epoch after it."""

    turns: int
    sessions: int
    decisions: int
    epoch: int


class Service:
    """The open service. Get one from `open_service`."""

    def __init__(self, *, memory: Memory, asking: Asking, settings: Settings) -> None:
        self.memory = memory
        self.settings = settings
        self._asking = asking

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
        best: dict[int, Evidence] = {}
        for evidence in found.evidence:
            best.setdefault(evidence.turn.pk, evidence)
            if len(best) == limit:
                break
        return [Recalled(turn=one.turn, best=one, signals=found.signals_of(one)) for one in best.values()]

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

    async def ask(self, ask: Ask, *, use_cache: bool = True) -> Answered:
        """Answer from the context, or abstain; the decision is in the ledger before it is returned.

        Raises:
            TooLarge: the question is above its limit.
            BudgetTooSmall: no line fits the budget.
            TooLong: no model's window holds the request.
            TierDown: a tier is down, and no other may answer.
        """
        self._check_question(ask.question)
        return await self._asking.ask(ask, budget=ask.budget or self.settings.budget, use_cache=use_cache)

    async def write_code(self, task: CodeTask, owner: Owner, *, max_tier: MaxTier, use_cache: bool = True) -> Answered:
        """Write a program that passes the task's tests, or say that none does. Raises as `ask` does, and SandboxUnavailable."""
        self._check_question(task.question)
        return await self._asking.write_code(task, owner, max_tier=max_tier, use_cache=use_cache)

    async def stats(self, *, tenant: str) -> Stats:
        """Add up the tenant's decisions."""
        return await self._asking.ledger.stats(tenant=tenant)

    async def forget(self, scope: Scope, *, session_id: str | None = None, turn_id: str | None = None) -> Forgot:
        """Forget a turn of a session, a session, or everything of `scope`, with every copy in answers and decision records."""
        forgotten = await self.memory.forget(scope, session_id=session_id, turn_id=turn_id)
        owner, ledger = owner_of(scope), self._asking.ledger
        # By name and not by what was found: an earlier try may have got as far as the turns themselves.
        if session_id is None:
            emptied = await ledger.forget(owner, None)
        elif turn_id is None:
            emptied = await ledger.forget_session(owner, session_id)
        else:
            emptied = await ledger.forget(owner, [(session_id, turn_id)])
        return Forgot(
            turns=len(forgotten.turns) if forgotten else 0,
            sessions=len(forgotten.sessions) if forgotten else 0,
            decisions=emptied,
            epoch=forgotten.epoch if forgotten else 0,
        )

    async def forget_user(self, tenant: str, user_id: str) -> Forgot:
        """Forget everything of a user, whichever agent it was told to."""
        agents = await self.memory.store.agents(tenant, user_id)
        each = [await self.forget(Scope(tenant=tenant, user_id=user_id, agent_id=agent)) for agent in agents]
        return Forgot(
            turns=sum(one.turns for one in each),
            sessions=sum(one.sessions for one in each),
            decisions=sum(one.decisions for one in each),
            epoch=max((one.epoch for one in each), default=0),
        )

    async def decision(self, decision_id: str, *, tenant: str) -> Decision:
        """Read a decision back. Raises UnknownDecision."""
        return await self._asking.ledger.read(decision_id, tenant=tenant)

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
async def open_service(
    settings: Settings, *, encoder: Encoder | None = None, change: Callable[[Cascade], Cascade] | None = None
) -> AsyncIterator[Service]:
    """Open memory in the configured folder and set the cascade over it; everything is closed at the end.

    An `encoder` that is loaded already may be shared between services. `change` makes another cascade of the configured one, for
    measurements of what its parts are worth.

    Raises the errors of `memory.open_memory`.
    """
    async with open_tiers(settings) as tiers, open_memory(memory_settings(settings), encoder=encoder) as memory:
        for load in (
            token_table,
            term_vectors,
            shipped_rescorer,
        ):  # now, so that the first question does not wait for it
            await anyio.to_thread.run_sync(load)
        made = make_cascade(settings, tiers, Vectors(memory.encoder))
        asking = _asking(settings, tiers, memory, change(made) if change else made)
        try:
            yield Service(memory=memory, asking=asking, settings=settings)
        finally:
            await asking.close()


def _asking(settings: Settings, tiers: Tiers, memory: Memory, cascade: Cascade) -> Asking:
    transactions = {"writing": partial(writing, memory.store.engine), "reading": partial(reading, memory.store.engine)}
    ttl, max_bytes = timedelta(seconds=settings.cache_ttl_s), settings.cache_mb * 2**20
    share = settings.shadow_share
    if share and tiers.frontier is None:
        raise Misconfigured(setting="TIRTHA_SHADOW_SHARE", why="needs the frontier tier: set TIRTHA_FRONTIER_URL")
    return Asking(
        memory=memory,
        cascade=cascade,
        code=make_code_cascade(settings, tiers),
        ledger=Ledger(**transactions),
        cache=AnswerCache(**transactions, ttl=ttl, max_bytes=max_bytes) if ttl and max_bytes else None,
        shadowing=Shadowing(tier=tiers.frontier, share=share) if tiers.frontier and share else None,
        flights=SingleFlight(),
        background=set(),
    )


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
