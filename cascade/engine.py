"""The engine: cheapest tier first, verified, repaired once, given a wider context, escalated; served only if every guard passes.

The order is the policy's. Fails closed: a guard's error, a tier that is down, a certificate that does not fit are never a pass.
Nothing here knows where contexts come from.
"""

from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from cascade.call_trace import Trace
from cascade.certificate import Certificate
from cascade.decision import Attempt, Hashes, MaxTier, Path, Verdict
from cascade.errors import CascadeFault, TierDown
from cascade.fixed_sentences import not_in_memory
from cascade.guards import Case, Guard, guards_hash, judge
from cascade.guards.gate import blames
from cascade.model import Brief, Draft
from cascade.policy import Policy
from cascade.ports import Contexts
from cascade.prompts import feedback, prompts_hash
from cascade.reading import CUT_OFF
from cascade.run import UNASKED, Ended, Run
from cascade.tiers.extractive import ExtractiveTier
from cascade.tiers.model import ModelTier

__all__ = ["Cascade"]

_TIERS: tuple[MaxTier, ...] = ("extractive", "local", "frontier")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cascade:
    """The tiers there are, the guards over them, and the policy. `guards` judge models' drafts, `quote_guards` mere quotes."""

    guards: Sequence[Guard]
    quote_guards: Sequence[Guard]
    answerable_from: float
    local: ModelTier | None = None
    frontier: ModelTier | None = None
    policy: Policy = field(default_factory=Policy)
    certificate: Certificate | None = None
    deadline_s: float = 60.0

    async def answer(
        self,
        contexts: Contexts,
        *,
        budget: int,
        started_s: float,
        max_tier: MaxTier = "frontier",
        paid: bool = True,
    ) -> Ended:
        """Answer from contexts of `budget` tokens and wider; `started_s` (of `time.perf_counter`) is when the request came in.

        Without `paid`, tiers that cost money are not asked.

        Raises what `contexts` raises; what goes wrong with tiers is a decision whose path is `error`.
        """
        trace = Trace(started_s=started_s, deadline_s=self.deadline_s)
        run = Run(trace=trace, max_tier=max_tier, contexts=[await contexts.at(budget)], hashes=self.hashes)
        local, frontier = self._allowed(max_tier, paid=paid)
        if run.brief.answerable < self.answerable_from or not run.brief.quotes:
            return self._unasked(run)
        if local is None and frontier is None:
            await self._quote(run)
        else:
            await self._models(run, contexts, local, frontier)
        return self._ended(run)

    def may_cost(self, max_tier: MaxTier) -> bool:
        """Return whether a tier that costs money may be asked, up to `max_tier`."""
        return any(tier and not tier.price.free for tier in self._allowed(max_tier, paid=True))

    @property
    def hashes(self) -> Hashes:
        """Return what a decision is made with."""
        models = [tier.described for tier in (self.local, self.frontier) if tier]
        certified = f" {self.certificate.hash}" if self.certificate else ""
        return Hashes(
            policy=f"{self.policy.hash}{certified}",
            prompts=prompts_hash(),
            guards=guards_hash([*self.guards, *self.quote_guards]),
            models="; ".join(models) or "extractive",
        )

    def _allowed(self, max_tier: MaxTier, *, paid: bool) -> tuple[ModelTier | None, ModelTier | None]:
        """Return the tiers that may draft; none, where nothing may be paid and a guard would ask a tier that is."""
        most = _TIERS.index(max_tier)
        local, frontier = (self.local if most >= 1 else None), (self.frontier if most >= 2 else None)
        if paid:
            return local, frontier
        judged_for_money = self.local and not self.local.price.free and any(one.cost == "llm" for one in self.guards)
        free = [tier if tier and tier.price.free and not judged_for_money else None for tier in (local, frontier)]
        return free[0], free[1]

    # the steps

    async def _models(self, run: Run, contexts: Contexts, local: ModelTier | None, frontier: ModelTier | None) -> None:
        wider = iter(budget for budget in self.policy.ladder if budget > run.brief.budget)
        if local and await self._cheaply(run, contexts, local, wider):
            return
        if frontier is None or (await self._attempt(run, frontier, "frontier")):
            return
        for _ in range(self.policy.widen_after):
            if not await self._widen(run, contexts, wider) or await self._attempt(run, frontier, "frontier"):
                return
        if self.policy.raw and _blamed(run) == "context":
            await self._from_raw(run, contexts, frontier)

    async def _cheaply(self, run: Run, contexts: Contexts, tier: ModelTier, wider: Iterator[int]) -> bool:
        """Try the cheap tier: draft, repair once, widen. True once a draft was accepted."""
        if await self._attempt(run, tier, "local"):
            return True
        rejected = run.last
        if self.policy.repair and rejected and blames(rejected.verdicts) == "draft":
            reasons = "; ".join(verdict.reason for verdict in rejected.verdicts if verdict.status != "pass")
            if await self._attempt(run, tier, "local_repaired", repair=feedback(rejected.draft.answer, reasons)):
                return True
        for _ in range(self.policy.widen_before):
            if not await self._widen(run, contexts, wider):
                return False
            if await self._attempt(run, tier, "widened"):
                return True
        return False

    async def _quote(self, run: Run) -> None:
        draft = await ExtractiveTier().draft(run.brief)
        if draft is not None:
            await self._judge(run, draft, path="extractive", tier="extractive", model="extractive")

    async def _attempt(self, run: Run, tier: ModelTier, path: Path, *, repair: str = "") -> bool:
        """Draft and judge; a tier that gives no draft leaves the next one to try."""
        purpose = "repair" if repair else "draft"
        draft = await run.drafted(tier.draft(run.brief, run.trace, feedback=repair, purpose=purpose))
        return draft is not None and await self._judge(run, draft, path=path, tier=tier.name, model=tier.model)

    async def _judge(self, run: Run, draft: Draft, *, path: Path, tier: str, model: str) -> bool:
        guards = self.quote_guards if tier == "extractive" else self.guards
        others = tuple(attempt.draft for attempt in run.attempts)
        case = Case(brief=run.brief, draft=draft, model=model, trace=run.trace, others=others)
        verdicts = await judge(guards, case) if self.policy.verify else (UNASKED,)
        if self.certificate and tier == "local":
            verdicts = (*verdicts, self.certificate.verdict(run.hashes, verdicts))
        context = len(run.contexts) - 1
        return run.add(Attempt(path=path, tier=tier, model=model, context=context, draft=draft, verdicts=verdicts))

    async def _widen(self, run: Run, contexts: Contexts, wider: Iterator[int]) -> bool:
        """Draw up the next wider context if a guard blames the present one, and if that brings anything new."""
        budget = next(wider, None) if _blamed(run) == "context" else None
        return budget is not None and await self._draw_up(run, contexts.at(budget))

    async def _from_raw(self, run: Run, contexts: Contexts, tier: ModelTier) -> None:
        room = tier.window_tokens - tier.max_tokens - _AROUND_CONTEXT - tier.count(run.brief.question)
        if room > run.brief.budget and await self._draw_up(run, contexts.raw(room)):
            await self._attempt(run, tier, "frontier")

    async def _draw_up(self, run: Run, drawn: Awaitable[Brief]) -> bool:
        brief = await drawn
        if {(q.session_id, q.turn_id, q.text) for q in brief.quotes} <= {
            (q.session_id, q.turn_id, q.text) for q in run.brief.quotes
        }:
            return False
        run.contexts.append(brief)
        return True

    # the end

    def _ended(self, run: Run) -> Ended:
        if run.accepted:
            return run.serve(run.accepted, "every guard passed it", verified=True)
        best = run.best
        if best and self.policy.unverified == "serve" and best.draft.answer and not best.draft.abstains:
            return run.serve(best, "no draft passed; this is the best of them", verified=False)
        fault = _unsettled(run)
        if fault:
            return run.fail(fault)
        reason = "no draft passed every guard" if run.attempts else "no line of the context is about it"
        return run.abstain(not_in_memory(run.brief.question), reason)

    def _unasked(self, run: Run) -> Ended:
        """Abstain before any tier was asked, and say why if the memory's own estimate is the reason."""
        probability, least = run.brief.answerable, self.answerable_from
        verdicts: tuple[Verdict, ...] = ()
        if probability < least:
            reason = f"the memory holds the answer with probability {probability:.2f}; {least:.2f} is asked for"
            verdicts = (
                Verdict(guard="answerability", status="fail", score=probability, reason=reason, blames="context"),
            )
        return run.abstain(not_in_memory(run.brief.question), "nothing on it is remembered", verdicts)


_CUT_OFF_WAIT_S = 60
_AROUND_CONTEXT = 400  # tokens of the prompt around a context, at most


def _blamed(run: Run) -> Literal["draft", "context", "nothing"]:
    return blames(run.last.verdicts) if run.last else "nothing"


def _unsettled(run: Run) -> CascadeFault | None:
    """Return the fault that kept the request from being settled: a tier that gave no answer before any more expensive one did.

    It was down, or said nothing, or its last draft was cut off. A request that was too long for some tier is settled by the tiers
    that it was not too long for.
    """
    down = [fault for fault in run.faults if isinstance(fault, TierDown)]
    whole = [attempt for attempt in run.attempts if attempt.draft.finish_reason not in CUT_OFF]
    last = run.last
    if last and last.draft.finish_reason in CUT_OFF:
        down.append(TierDown(tier=last.tier, reason="cut off", retry_after_s=_CUT_OFF_WAIT_S, silent=True))
    if whole and (not down or whole[-1].path == "frontier"):
        return None
    return down[-1] if down else run.faults[-1] if run.faults else None
