"""The engine: cheapest tier first, verified, mended once, given a wider context, escalated; served only if every guard passes.

The order is the policy's. Fails closed: a guard's error, a tier that is down, a certificate that does not fit are never a pass.
Nothing here knows where contexts come from.
"""

import logging
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from uuid import uuid4

from cascade.call_trace import Trace
from cascade.certificate import Certificate
from cascade.decision import Attempt, Decision, Hashes, MaxTier, Path, Verdict
from cascade.errors import CascadeFault, TierDown, TooLong
from cascade.fixed_sentences import not_in_memory
from cascade.gate import better, blames
from cascade.guards import Case, Guard, guards_hash, judge
from cascade.policy import Policy
from cascade.ports import Brief, Contexts, Draft
from cascade.prompts import feedback, prompts_hash
from cascade.reading import CUT_OFF
from cascade.tiers.extractive import ExtractiveTier
from cascade.tiers.model import ModelTier

__all__ = ["Cascade", "Ended"]

log = logging.getLogger(__name__)

_TIERS: tuple[MaxTier, ...] = ("extractive", "local", "frontier")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A decision, and the fault to tell the caller if its path is `error`.

    `lasting`: whether it may be served again. Not so if a tier was left out that is asked again later.
    """

    decision: Decision
    fault: CascadeFault | None = None
    lasting: bool = True


@dataclass(slots=True, kw_only=True)
class _Run:
    """One request on its way: what was drawn up, tried and spent so far."""

    trace: Trace
    max_tier: MaxTier
    contexts: list[Brief] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    best: Attempt | None = None
    faults: list[CascadeFault] = field(default_factory=list)

    @property
    def brief(self) -> Brief:
        return self.contexts[-1]

    @property
    def blamed(self) -> Literal["draft", "context", "nothing"]:
        return blames(self.attempts[-1].verdicts) if self.attempts else "nothing"

    @property
    def last(self) -> Attempt:
        return self.attempts[-1]


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
        run = _Run(trace=Trace(started_s=started_s, deadline_s=self.deadline_s), max_tier=max_tier)
        run.contexts.append(await contexts.at(budget))
        local, frontier = self._allowed(max_tier, paid=paid)
        if run.brief.answerable < self.answerable_from or not run.brief.quotes:
            return self._abstained(run, "nothing on it is remembered")
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
        """Give what a decision is made with."""
        models = [tier.described for tier in (self.local, self.frontier) if tier]
        certified = f" {self.certificate.hash}" if self.certificate else ""
        return Hashes(
            policy=f"{self.policy.hash}{certified}",
            prompts=prompts_hash(),
            guards=guards_hash([*self.guards, *self.quote_guards]),
            models="; ".join(models) or "extractive",
        )

    def _allowed(self, max_tier: MaxTier, *, paid: bool) -> tuple[ModelTier | None, ModelTier | None]:
        """Give the tiers that may draft; none, where nothing may be paid and a guard would ask a tier that is."""
        most = _TIERS.index(max_tier)
        local, frontier = (self.local if most >= 1 else None), (self.frontier if most >= 2 else None)
        if paid:
            return local, frontier
        judged_for_money = self.local and not self.local.price.free and any(one.cost == "llm" for one in self.guards)
        free = [tier if tier and tier.price.free and not judged_for_money else None for tier in (local, frontier)]
        return free[0], free[1]

    # the steps

    async def _models(self, run: _Run, contexts: Contexts, local: ModelTier | None, frontier: ModelTier | None) -> None:
        wider = iter(budget for budget in self.policy.ladder if budget > run.brief.budget)
        if local and await self._cheaply(run, contexts, local, wider):
            return
        if frontier is None or (await self._attempt(run, frontier, "frontier")):
            return
        for _ in range(self.policy.widen_after):
            if not await self._widen(run, contexts, wider) or await self._attempt(run, frontier, "frontier"):
                return
        if self.policy.raw and run.blamed == "context":
            await self._from_raw(run, contexts, frontier)

    async def _cheaply(self, run: _Run, contexts: Contexts, tier: ModelTier, wider: Iterator[int]) -> bool:
        """Try the cheap tier: draft, mend once, widen. True once a draft was accepted."""
        if await self._attempt(run, tier, "local"):
            return True
        if self.policy.repair and run.attempts and run.blamed == "draft":
            reasons = "; ".join(verdict.reason for verdict in run.last.verdicts if verdict.status != "pass")
            if await self._attempt(run, tier, "local_repaired", mend=feedback(run.last.draft.answer, reasons)):
                return True
        for _ in range(self.policy.widen_before):
            if not await self._widen(run, contexts, wider):
                return False
            if await self._attempt(run, tier, "widened"):
                return True
        return False

    async def _quote(self, run: _Run) -> None:
        draft = await ExtractiveTier().draft(run.brief)
        if draft is not None:
            await self._judge(run, draft, path="extractive", tier="extractive", model="extractive")

    async def _attempt(self, run: _Run, tier: ModelTier, path: Path, *, mend: str = "") -> bool:
        """Draft and judge; a tier that is down, says nothing, or is too narrow, is noted and leaves the next one to try."""
        try:
            draft = await tier.draft(run.brief, run.trace, feedback=mend, purpose="repair" if mend else "draft")
        except (TierDown, TooLong) as fault:
            log.warning("%s", fault)
            run.faults.append(fault)
            return False
        return await self._judge(run, draft, path=path, tier=tier.name, model=tier.model)

    async def _judge(self, run: _Run, draft: Draft, *, path: Path, tier: str, model: str) -> bool:
        guards = self.quote_guards if tier == "extractive" else self.guards
        case = Case(brief=run.brief, draft=draft, model=model, trace=run.trace)
        verdicts = await judge(guards, case) if self.policy.verify else (_UNASKED,)
        if self.certificate and tier == "local":
            verdicts = (*verdicts, self.certificate.verdict(self.hashes, verdicts))
        context = len(run.contexts) - 1
        attempt = Attempt(path=path, tier=tier, model=model, context=context, draft=draft, verdicts=verdicts)
        run.attempts.append(attempt)
        run.best = better(run.best, attempt)
        return attempt.accepted

    async def _widen(self, run: _Run, contexts: Contexts, wider: Iterator[int]) -> bool:
        """Draw up the next wider context if a guard blames the present one, and if that brings anything new."""
        budget = next(wider, None) if run.blamed == "context" else None
        return budget is not None and await self._draw_up(run, contexts.at(budget))

    async def _from_raw(self, run: _Run, contexts: Contexts, tier: ModelTier) -> None:
        room = tier.window_tokens - tier.max_tokens - _AROUND_CONTEXT - tier.count(run.brief.question)
        if room > run.brief.budget and await self._draw_up(run, contexts.raw(room)):
            await self._attempt(run, tier, "frontier")

    async def _draw_up(self, run: _Run, drawn: Awaitable[Brief]) -> bool:
        brief = await drawn
        if {(q.session_id, q.turn_id, q.text) for q in brief.quotes} <= {
            (q.session_id, q.turn_id, q.text) for q in run.brief.quotes
        }:
            return False
        run.contexts.append(brief)
        return True

    # the end

    def _ended(self, run: _Run) -> Ended:
        if run.attempts and run.last.accepted:
            return Ended(decision=self._decision(run, run.last.path, served=run.last, reason="every guard passed it"))
        best = run.best
        if best and self.policy.unverified == "serve" and best.draft.answer and not best.draft.abstains:
            reason = "no draft passed; this is the best of them"
            return Ended(decision=self._decision(run, best.path, served=best, reason=reason))
        fault = _unsettled(run)
        if fault:
            return Ended(decision=self._decision(run, "error", served=None, reason=str(fault)), fault=fault)
        return self._abstained(run, "no draft passed every guard")

    def _abstained(self, run: _Run, reason: str) -> Ended:
        return Ended(decision=self._decision(run, "abstain", served=None, reason=reason))

    def _decision(self, run: _Run, path: Path, *, served: Attempt | None, reason: str) -> Decision:
        brief = run.contexts[served.context] if served else run.brief
        quotes = {quote.n: quote for quote in brief.quotes}
        cited = served.draft.citations if served else ()
        return Decision(
            id=uuid4().hex,
            decided_at=datetime.now(UTC),
            path=path,
            tier=served.tier if served else None,
            model=served.model if served else None,
            answer=served.draft.answer if served else "" if path == "error" else not_in_memory(brief.question),
            verified=bool(served and served.accepted),
            reason=reason,
            citations=tuple(quotes[n] for n in cited if n in quotes),
            brief=brief,
            contexts=tuple(run.contexts),
            attempts=tuple(run.attempts),
            verdicts=(served or run.last).verdicts if run.attempts else self._unanswerable(run),
            calls=tuple(run.trace.calls),
            hashes=self.hashes,
            max_tier=run.max_tier,
            latency_ms=run.trace.latency_ms(),
        )

    def _unanswerable(self, run: _Run) -> tuple[Verdict, ...]:
        """Say why no tier was asked."""
        probability = run.brief.answerable
        if run.faults or probability >= self.answerable_from:
            return ()
        reason = (
            f"the memory holds the answer with probability {probability:.2f}; {self.answerable_from:.2f} is asked for"
        )
        return (Verdict(guard="answerability", status="fail", score=probability, reason=reason, blames="context"),)


_CUT_OFF_WAIT_S = 60
_AROUND_CONTEXT = 400  # tokens of the prompt around a context, at most
_UNASKED = Verdict(guard="none", status="pass", score=1.0, reason="verification is switched off", hard=False)


def _unsettled(run: _Run) -> CascadeFault | None:
    """Give the fault that kept the request from being settled: a tier that gave no answer before any dearer one did.

    It was down, or said nothing, or its last draft was cut off. A request that was too long for some tier is settled by the tiers
    that it was not too long for.
    """
    down = [fault for fault in run.faults if isinstance(fault, TierDown)]
    whole = [attempt for attempt in run.attempts if attempt.draft.finish_reason not in CUT_OFF]
    if run.attempts and run.last.draft.finish_reason in CUT_OFF:
        down.append(TierDown(tier=run.last.tier, reason="cut off", retry_after_s=_CUT_OFF_WAIT_S, silent=True))
    if whole and (not down or whole[-1].path == "frontier"):
        return None
    return down[-1] if down else run.faults[-1] if run.faults else None
