"""Shadow sampling: a share of the accepted cheap answers is also asked of the frontier tier, so that the live risk is known.

Nothing that the caller gets depends on it. Which decisions are chosen follows from their ids, evenly and without a state.
"""

from dataclasses import dataclass
from time import perf_counter

from cascade.call_trace import Trace
from cascade.claims import overlap
from cascade.decision import CHEAP_PATHS, Decision
from cascade.storage.ledger import Shadow
from cascade.tiers.model import ModelTier

__all__ = ["Shadowing"]

_BUCKETS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadowing:
    """Asks `tier` again for a `share` (0 to 1) of the answers that a cheaper one gave; they agree from `threshold` of words on."""

    tier: ModelTier
    share: float
    threshold: float = 0.6
    deadline_s: float = 120.0

    def chooses(self, decision: Decision) -> bool:
        """Whether this decision is one of the share."""
        cheap = decision.verified and decision.path in CHEAP_PATHS and decision.brief.quotes
        return bool(cheap) and int(decision.id[:8], 16) % _BUCKETS < self.share * _BUCKETS

    async def ask(self, decision: Decision) -> Shadow:
        """Ask the tier the same question from the same context. Raises TierDown or TooLong."""
        trace = Trace(started_s=perf_counter(), deadline_s=self.deadline_s)
        draft = await self.tier.draft(decision.brief, trace, purpose="shadow")
        shared = 0.0 if draft.abstains else overlap(decision.answer, draft.answer)
        return Shadow(
            decision_id=decision.id,
            agrees=shared >= self.threshold,
            overlap=shared,
            answer=draft.answer,
            cost_nanousd=sum(call.cost_nanousd for call in trace.calls),
        )
