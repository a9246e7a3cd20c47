"""The guard against instructions in evidence: an answer must not rest on a line that tries to steer a model.

Patterns find plain attempts only; what really protects is that evidence is fenced as data, never enters a system message, and
that every other guard judges the answer. Source of the threat: MINJA (arXiv 2503.03704), spotlighting (arXiv 2403.14720).
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from cascade.decision import Verdict
from cascade.guards.guard import Case, Cost

__all__ = ["InjectionGuard", "steers"]

_STEERING = re.compile(
    r"\b(?:ignore|disregard|forget|override)\s+(?:all\s+|any\s+|the\s+|your\s+|these\s+|every\s*)*(?:previous|prior|above|earlier|other|system|"
    r"original)?\s*(?:instructions?|prompts?|rules|guidelines|context)\b"
    r"|\b(?:system|developer)\s+(?:prompt|message)\b|\bnew\s+instructions?\s*:"
    r"|\byou\s+are\s+now\s+(?:a|an|in|the)\b|\bfrom\s+now\s+on,?\s+(?:you|always|answer|respond)"
    r"|\b(?:always|only)\s+(?:answer|respond|reply)\s+(?:with|that|by)\b"
    r"|\b(?:when|if)\s+(?:you\s+are\s+|anyone\s+|someone\s+|the\s+user\s+)?asks?(?:ed)?\b[^.]{0,60}\b(?:answer|respond|reply|say)\b"
    r"|<\|[a-z_]+\|>|</?(?:system|assistant|user|memory-[0-9a-f]+)>|\[/?INST\]|^\s*#{2,}\s*(?:system|instruction)",
    re.IGNORECASE | re.MULTILINE,
)
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\U000e0000-\U000e007f]")


def steers(text: str) -> bool:
    """Whether a text looks as if it were meant to instruct a model; invisible characters do not hide it."""
    return bool(_STEERING.search(_INVISIBLE.sub("", text)))


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectionGuard:
    """Passes if no cited line tries to steer a model; unsure otherwise, since people also talk about such things."""

    name: ClassVar[str] = "injection"
    version: ClassVar[str] = "1"
    cost: ClassVar[Cost] = "free"

    async def check(self, case: Case) -> Verdict:
        """Judge the lines that the draft cites."""
        cited = set(case.draft.citations)
        suspects = [quote.n for quote in case.brief.quotes if quote.n in cited and steers(quote.text)]
        reason = "no cited line tries to instruct the model"
        if suspects:
            reason = f"line {', '.join(map(str, suspects))} reads like an instruction to the model"
        return Verdict(
            guard=self.name, status="unsure" if suspects else "pass", score=float(not suspects), reason=reason
        )
