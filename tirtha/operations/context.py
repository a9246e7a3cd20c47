"""Context: what the memory holds on a question, distilled into a token budget, for a model of the caller's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import anyio.to_thread

from compaction import Context, distill, raw_tokens
from memory import Recollection
from memory.api import Memory
from tirtha.caller import Caller
from tirtha.observation.observer import Observer
from tirtha.operations.answering import owner_of
from tirtha.operations.as_of import AsOf, until
from tirtha.operations.limits import Limits
from tirtha.operations.under_way import UnderWay
from tirtha.tenants.admission import Admission

__all__ = ["ContextRequest", "DistilledContext", "MakeContext", "distilled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextRequest:
    """A question over a user's memory; `budget` (tokens) defaults to the settings', `asked_at` to now.

    `session_id` is the only session that is asked about, `exclude_session_id` one that the caller's prompt holds already.
    """

    user_id: str
    agent_id: str | None = None
    question: str
    budget: int | None = None
    asked_at: datetime | None = None
    as_of: AsOf = None
    session_id: str | None = None
    exclude_session_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DistilledContext:
    """A context and the probability that it holds the answer."""

    context: Context
    answerable: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeContext:
    """Recall, then distil.

    Raises TooLarge, RateLimited, TooManyQuestions, StoreUnavailable, and BudgetTooSmall if no line fits the budget.
    """

    memory: Memory
    limits: Limits
    budget: int
    under_way: UnderWay
    admission: Admission
    observer: Observer

    async def __call__(self, caller: Caller, request: ContextRequest) -> DistilledContext:
        """Return the context of a question."""
        with self.under_way.reading(owner_of(caller.scope(request.user_id, request.agent_id))):
            found = await self._recollect(caller, request)
            with self.observer.stage("distil"):
                context = distilled(found, request.budget or self.budget)
        return DistilledContext(context=context, answerable=found.answerable)

    async def ladder(self, caller: Caller, request: ContextRequest, budgets: Sequence[int]) -> list[DistilledContext]:
        """Recall once and distil the same evidence to each of `budgets`."""
        with self.under_way.reading(owner_of(caller.scope(request.user_id, request.agent_id))):
            found = await self._recollect(caller, request)
            return [
                DistilledContext(context=distilled(found, budget), answerable=found.answerable) for budget in budgets
            ]

    async def raw_tokens(self, caller: Caller, user_id: str, agent_id: str | None = None) -> int:
        """Count the tokens that stuffing the user's whole history into a prompt would take."""
        caller.require("read")
        history = await self.memory.history(caller.scope(user_id, agent_id))
        return await anyio.to_thread.run_sync(raw_tokens, history)

    async def _recollect(self, caller: Caller, request: ContextRequest) -> Recollection:
        caller.require("read")
        self.limits.check_question(request.question)
        await self.admission.asking(caller.tenant, request.user_id)
        scope = caller.scope(request.user_id, request.agent_id)
        asked_at = request.asked_at or datetime.now(UTC)
        last = until(request.as_of, asked_at)
        with self.observer.stage("recall"):
            if request.session_id is not None:
                return await self.memory.recall_session(
                    scope, request.session_id, request.question, asked_at, until=last
                )
            return await self.memory.recall(
                scope, request.question, asked_at, until=last, exclude_session_id=request.exclude_session_id
            )


def distilled(found: Recollection, budget: int) -> Context:
    """Distil what was recalled to `budget` tokens. Raises BudgetTooSmall."""
    return distill(found.evidence, budget=budget, breadth=found.breadth, standing=found.standing)
