"""How likely it is that the evidence holds the answer, from recall's own signals.

A logistic model of two figures; no language model. Fitted on LoCoMo's development conversations: questions with their evidence
there, against adversarial ones, ones whose evidence was taken away, and ones about other people's lives (docs/lab.md).
"""

from collections.abc import Sequence
from math import exp

from memory.turns import Evidence

__all__ = ["answerable"]

_SUPPORT = 2.73
_ELSEWHERE = -2.25
_INTERCEPT = -2.66
_CONTENT = ("dense", "turn", "words", "turn_words", "coverage")


def answerable(evidence: Sequence[Evidence]) -> float:
    """Give the probability, 0 to 1, that `evidence` (best first) holds the answer; 0 for no evidence."""
    if not evidence:
        return 0.0
    support = evidence[0].score - evidence[0].signals["speaker"]
    return 1 / (1 + exp(-(_INTERCEPT + _SUPPORT * support + _ELSEWHERE * _elsewhere(evidence))))


def _elsewhere(evidence: Sequence[Evidence]) -> float:
    """By how much somebody else than the person asked about says more on it; 0 if the question is about nobody."""
    asked = [_content(one) for one in evidence if one.signals["speaker"] > 0]
    others = [_content(one) for one in evidence if one.signals["speaker"] <= 0]
    return max(others) - max(asked) if asked and others else 0.0


def _content(evidence: Evidence) -> float:
    return sum(evidence.signals[name] for name in _CONTENT)
