"""The engine: draft by the cheapest tier, judge by every guard, serve or abstain.

Guards fail closed: a draft is served only if each one says `pass`. Nothing here knows where the context came from.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from time import perf_counter
from uuid import uuid4

from cascade.decision import Call, Decision, Path
from cascade.ports import Brief, Draft, Guard, Tier, Verdict

__all__ = ["ABSTENTION", "Cascade"]

ABSTENTION = "That is not in memory."


class Cascade:
    """A tier and the guards over it."""

    def __init__(self, *, tier: Tier, guards: Sequence[Guard]) -> None:
        self._tier = tier
        self._guards = tuple(guards)

    async def answer(self, brief: Brief, *, started_s: float) -> Decision:
        """Answer the brief's question; `started_s` (of `time.perf_counter`) is when the request came in."""
        drafted_s = perf_counter()
        draft = await self._tier.draft(brief)
        if draft is None:
            return self._decide(brief, None, (), (), started_s)
        call = Call(
            tier=self._tier.name,
            model=self._tier.model,
            usage=draft.usage,
            cost_nanousd=draft.cost_nanousd,
            latency_ms=_since(drafted_s),
        )
        verdicts = tuple(guard.check(brief, draft) for guard in self._guards)
        served = draft if all(verdict.status == "pass" for verdict in verdicts) else None
        return self._decide(brief, served, verdicts, (call,), started_s)

    def _decide(
        self,
        brief: Brief,
        served: Draft | None,
        verdicts: tuple[Verdict, ...],
        calls: tuple[Call, ...],
        started_s: float,
    ) -> Decision:
        path: Path = "extractive" if served else "abstain"
        cited = dict.fromkeys(served.citations) if served else {}
        quotes = {quote.n: quote for quote in brief.quotes}
        return Decision(
            id=uuid4().hex,
            decided_at=datetime.now(UTC),
            path=path,
            tier=self._tier.model if served else None,
            answer=served.answer if served else ABSTENTION,
            citations=tuple(quotes[n] for n in cited),
            brief=brief,
            verdicts=verdicts,
            calls=calls,
            latency_ms=_since(started_s),
        )


def _since(start_s: float) -> int:
    return round((perf_counter() - start_s) * 1_000)
