"""A run: one request on its way through a cascade, what was drawn up, tried and spent for it, and the decision it ends in.

Each cascade brings its own steps. What a step has found is noted here, and here a decision is made of it, whichever way it ends.
Knows no tier, and of the guards only the gate.
"""

import logging
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeVar
from uuid import uuid4

from cascade.call_trace import Trace
from cascade.decision import Attempt, Decision, Hashes, MaxTier, Path, Verdict
from cascade.errors import CascadeFault, TierDown, TooLong
from cascade.guards.gate import better
from cascade.model import Brief

__all__ = ["UNASKED", "Ended", "Run"]

log = logging.getLogger(__name__)

_Answer = TypeVar("_Answer")

UNASKED: Final = Verdict(guard="none", status="pass", score=1.0, reason="verification is switched off", hard=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A decision, and the fault to report to the caller if its path is `error`.

    `lasting`: whether it may be served again. Not so if a tier was left out that is asked again later.
    """

    decision: Decision
    fault: CascadeFault | None = None
    lasting: bool = True


@dataclass(slots=True, kw_only=True)
class Run:
    """One request under way. `contexts` are all that were drawn up for it, and the last one is answered from.

    `best` is the attempt that the gate prefers so far, accepted or not. `faults` are those of tiers that gave no draft.
    """

    trace: Trace
    max_tier: MaxTier
    contexts: list[Brief]
    hashes: Hashes = field(default_factory=Hashes)
    id: str = field(default_factory=lambda: uuid4().hex)
    attempts: list[Attempt] = field(default_factory=list)
    best: Attempt | None = None
    faults: list[CascadeFault] = field(default_factory=list)

    @property
    def brief(self) -> Brief:
        """The context that is answered from now."""
        return self.contexts[-1]

    @property
    def last(self) -> Attempt | None:
        """The newest attempt."""
        return self.attempts[-1] if self.attempts else None

    @property
    def accepted(self) -> Attempt | None:
        """The attempt that every guard passed: the best where there are several, else the newest.

        The best need not be accepted where another is: the gate keeps an attempt with a guard that the other was not judged by.
        """
        candidates = (self.best, *reversed(self.attempts))
        return next((one for one in candidates if one and one.accepted), None)

    async def drafted(self, answer: Awaitable[_Answer]) -> _Answer | None:
        """Await a tier's answer. A tier that is down, says nothing, or is too narrow, is noted and gives None."""
        try:
            return await answer
        except (TierDown, TooLong) as fault:
            log.warning("%s", fault)
            self.faults.append(fault)
            return None

    def add(self, attempt: Attempt) -> bool:
        """Note an attempt; return whether it was accepted."""
        self.attempts.append(attempt)
        self.best = better(self.best, attempt)
        return attempt.accepted

    # the end

    def serve(self, attempt: Attempt, reason: str, *, verified: bool) -> Ended:
        """End with an attempt's answer."""
        return Ended(
            decision=self.decision(
                attempt.path, answer=attempt.draft.answer, reason=reason, served=attempt, verified=verified
            )
        )

    def abstain(self, answer: str, reason: str, verdicts: tuple[Verdict, ...] = ()) -> Ended:
        """End with `answer`, which says that there is none. `verdicts` say why no tier was asked, if none was."""
        return Ended(decision=self.decision("abstain", answer=answer, reason=reason, verdicts=verdicts))

    def fail(self, fault: CascadeFault) -> Ended:
        """End with a fault."""
        return Ended(decision=self.decision("error", reason=str(fault)), fault=fault)

    def decision(
        self,
        path: Path,
        *,
        reason: str,
        answer: str = "",
        served: Attempt | None = None,
        verified: bool = False,
        verdicts: tuple[Verdict, ...] = (),
    ) -> Decision:
        """Make the record of how the run ended.

        Args:
            path: Where it ended.
            reason: Why it ended so.
            answer: What is said to the user.
            served: The attempt that the answer is of, which also gives its tier, its citations and its verdicts.
            verified: Whether the answer may be shown as verified.
            verdicts: What is shown where there was no attempt.
        """
        shown = served or self.last
        brief = self.contexts[served.context] if served else self.brief
        quotes = {quote.n: quote for quote in brief.quotes}
        return Decision(
            id=self.id,
            decided_at=datetime.now(UTC),
            path=path,
            tier=served.tier if served else None,
            model=served.model if served else None,
            answer=answer,
            verified=verified,
            reason=reason,
            citations=tuple(quotes[n] for n in served.draft.citations if n in quotes) if served else (),
            brief=brief,
            contexts=tuple(self.contexts),
            attempts=tuple(self.attempts),
            verdicts=shown.verdicts if shown else verdicts,
            calls=tuple(self.trace.calls),
            hashes=self.hashes,
            max_tier=self.max_tier,
            latency_ms=self.trace.latency_ms(),
        )
