"""The guards that ask a model: do two differently asked drafts agree, and does the evidence entail the answer?

Two different prompts that agree show more than two samples of one (arXiv 2310.03094); a vote on entailment is noisy, so it is taken
k times (AutoMix, arXiv 2310.12963). There only if configured: each costs calls of the cheap tier.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from cascade.call_trace import Trace
from cascade.claims import numbers, overlap
from cascade.decision import Status, Verdict
from cascade.errors import TierDown
from cascade.guards.guard import Case, Cost
from cascade.model import Brief, ChatRequest, Completion, Draft
from cascade.ports import Embed
from cascade.prompts import vote_messages
from cascade.reading import YesOrNo, read_verdict

__all__ = ["AgreementGuard", "EntailmentGuard", "Voter"]

_VOTE_TEMPERATURE = 0.7


class Voter(Protocol):
    """The tier that is asked; `tiers.model.ModelTier` is one. A guard needs no client of models to be imported."""

    @property
    def model(self) -> str:
        """Its model's name."""

    @property
    def max_tokens(self) -> int:
        """The most tokens of one reply."""

    async def draft(self, brief: Brief, trace: Trace, *, purpose: str, variant: str) -> Draft:
        """Answer the brief's question, asked in the words of `variant`. Raises TierDown or TooLong."""

    async def ask(self, request: ChatRequest, trace: Trace, *, purpose: str) -> Completion:
        """Answer a request. Raises TierDown or TooLong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementGuard:
    """Passes if the cheap tier, asked in other words, gives an answer that agrees: by words or by meaning at least `threshold`."""

    name: ClassVar[str] = "agreement"
    cost: ClassVar[Cost] = "llm"
    tier: Voter
    threshold: float = 0.6
    embed: Embed | None = None

    @property
    def version(self) -> str:
        """Say the version, the model and the threshold."""
        return f"2 model={self.tier.model} threshold={self.threshold} vectors={self.embed is not None}"

    async def check(self, case: Case) -> Verdict:
        """Draft once more, and compare."""
        other = await self.tier.draft(case.brief, case.trace, purpose="second opinion", variant="second_opinion")
        if not other.parsed:
            return Verdict(guard=self.name, status="unsure", score=0.0, reason="a second opinion cannot be read")
        if other.abstains or case.draft.abstains:
            score = float(other.abstains == case.draft.abstains)
        else:
            score = overlap(case.draft.answer, other.answer)
            if score < self.threshold and self.embed is not None:
                one, two = await self.embed([case.draft.answer, other.answer])
                score = max(score, float(one @ two)) if numbers(case.draft.answer) == numbers(other.answer) else score
        passes = score >= self.threshold
        reason = "a second opinion agrees" if passes else f"a second opinion says: {other.answer[:200] or 'nothing'}"
        return Verdict(guard=self.name, status="pass" if passes else "fail", score=score, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntailmentGuard:
    """Passes if at least `needed` of `votes` votes of the cheap tier say that the evidence entails the answer.

    A vote that says neither yes nor no, or nothing, counts as neither: it is missing to a pass.
    """

    name: ClassVar[str] = "entailment"
    cost: ClassVar[Cost] = "llm"
    tier: Voter
    votes: int = 3
    needed: int = 2

    @property
    def version(self) -> str:
        """Say the version, the model and the count."""
        return f"2 model={self.tier.model} needed={self.needed} of {self.votes}"

    async def check(self, case: Case) -> Verdict:
        """Vote until it is decided."""
        votes: list[YesOrNo | None] = []
        while len(votes) < self.votes:
            votes.append(await self._vote(case, sample=len(votes)))
            yes = votes.count("yes")
            if yes >= self.needed or len(votes) - yes > self.votes - self.needed:
                break
        yes, unread = votes.count("yes"), votes.count(None)
        status: Status = "pass" if yes >= self.needed else "fail" if "no" in votes else "unsure"
        reason = f"{yes} of {len(votes)} votes say that the lines entail the answer; {self.needed} are asked for"
        reason += f"; {unread} said neither yes nor no" if unread else ""
        return Verdict(guard=self.name, status=status, score=yes / len(votes), reason=reason)

    async def _vote(self, case: Case, *, sample: int) -> YesOrNo | None:
        messages = vote_messages(case.brief, case.draft.answer)
        request = ChatRequest(
            messages=messages, max_tokens=self.tier.max_tokens, temperature=_VOTE_TEMPERATURE, sample=sample
        )
        try:
            return read_verdict((await self.tier.ask(request, case.trace, purpose="vote")).text)
        except TierDown as fault:
            if not fault.silent:
                raise
            return None
