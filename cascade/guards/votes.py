"""The guards that ask a model: do two differently asked drafts agree, and does the evidence entail the answer?

Two different prompts that agree tell more than two samples of one (arXiv 2310.03094); a vote on entailment is noisy, so it is taken
k times (AutoMix, arXiv 2310.12963). There only if configured: each costs calls of the cheap tier.
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from cascade.claims import numbers, terms
from cascade.decision import Verdict
from cascade.guards.guard import Case, Cost
from cascade.ports import ChatRequest, Embed
from cascade.prompts import vote_messages
from cascade.tiers.model import ModelTier

__all__ = ["AgreementGuard", "EntailmentGuard", "overlap"]

_VOTE_TEMPERATURE = 0.7
_YES_OR_NO = re.compile(r"\b(yes|no)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementGuard:
    """Passes if the cheap tier, asked in other words, gives an answer that agrees: by words or by meaning at least `threshold`."""

    name: ClassVar[str] = "agreement"
    cost: ClassVar[Cost] = "llm"
    tier: ModelTier
    threshold: float = 0.6
    embed: Embed | None = None

    @property
    def version(self) -> str:
        """Say the version, the model and the threshold."""
        return f"1 model={self.tier.model} threshold={self.threshold} vectors={self.embed is not None}"

    async def check(self, case: Case) -> Verdict:
        """Draft once more, and compare."""
        other = await self.tier.draft(case.brief, case.trace, purpose="second opinion", variant="second_opinion")
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
    """Passes if at least `needed` of `votes` votes of the cheap tier say that the evidence entails the answer."""

    name: ClassVar[str] = "entailment"
    cost: ClassVar[Cost] = "llm"
    tier: ModelTier
    votes: int = 3
    needed: int = 2

    @property
    def version(self) -> str:
        """Say the version, the model and the count."""
        return f"1 model={self.tier.model} needed={self.needed} of {self.votes}"

    async def check(self, case: Case) -> Verdict:
        """Vote until it is decided."""
        yes = no = 0
        for sample in range(self.votes):
            messages = vote_messages(case.brief, case.draft.answer)
            request = ChatRequest(
                messages=messages, max_tokens=self.tier.max_tokens, temperature=_VOTE_TEMPERATURE, sample=sample
            )
            said = _YES_OR_NO.findall((await self.tier.ask(request, case.trace, purpose="vote")).text)
            yes += bool(said) and said[-1].lower() == "yes"
            no += not said or said[-1].lower() == "no"
            if yes >= self.needed or no > self.votes - self.needed:
                break
        passes = yes >= self.needed
        reason = f"{yes} of {yes + no} votes say that the lines entail the answer; {self.needed} are asked for"
        return Verdict(guard=self.name, status="pass" if passes else "fail", score=yes / (yes + no), reason=reason)


def overlap(one: str, other: str) -> float:
    """Give the F1 of two answers' words and numbers, 0 to 1; two answers of no words that carry meaning must be the same."""
    mine, theirs = (terms(text) | {str(n) for n in numbers(text)} for text in (one, other))
    if not mine or not theirs:
        return float(one.strip().lower() == other.strip().lower())
    return 2 * len(mine & theirs) / (len(mine) + len(theirs))
