"""Code: write a program that passes the given tests."""

from dataclasses import dataclass
from time import perf_counter

from cascade import CodeCascade, CodeTask, Ended, MaxTier
from tirtha.caller import Caller
from tirtha.operations.answering import Answered, Answering, Asked, key_of, owner_of
from tirtha.operations.limits import Limits
from tirtha.operations.tenancy.terms import cheaper, money_words, reasoned, under
from tirtha.tenants.admission import Admission

__all__ = ["CodeRequest", "WriteCode"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRequest:
    """A code task; `user_id` and `agent_id` only say whose decision it is. `max_tier` is the most expensive tier allowed."""

    task: CodeTask
    user_id: str | None = None
    agent_id: str | None = None
    max_tier: MaxTier = "frontier"
    use_cache: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteCode:
    """Write a program. Raises TooLarge, TooLong, TierDown, RateLimited, SandboxUnavailable and LedgerUnavailable."""

    cascade: CodeCascade
    answering: Answering
    limits: Limits
    admission: Admission

    async def __call__(self, caller: Caller, request: CodeRequest) -> Answered:
        """Return the decision: a program that passes the tests, or that none does."""
        caller.require("read")
        task = request.task
        self.limits.check_question(task.question)
        user_id = request.user_id or caller.user_id or ""
        terms = await self.admission.asking(caller.tenant, user_id)
        max_tier, cascade = cheaper(request.max_tier, terms.max_tier), under(self.cascade, terms, self.admission)
        await self.admission.asking_models(caller.tenant, user_id)
        started_s = perf_counter()
        owner = owner_of(caller.scope(user_id, request.agent_id))
        whole = {
            "task": "code",
            "question": task.question,
            "entry_point": task.entry_point,
            "tests": task.tests,
            "max_tier": max_tier,
        }
        key = key_of(whole, owner=owner, epoch=0, hashes=cascade.hashes)

        async def decide() -> Ended:
            capped = await money_words(cascade, max_tier, self.admission, caller.tenant)
            ended = await cascade.answer(task, started_s=started_s, max_tier=max_tier, paid=not capped)
            return reasoned(ended, capped)

        return await self.answering.answer(
            Asked(key=key if request.use_cache else None, request=whole, owner=owner, started_s=started_s), decide
        )
