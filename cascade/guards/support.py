"""The guard over support: every sentence of an answer shares its words, or its meaning, with the lines it cites.

Sentence level suffices and claims need not be split (MiniCheck, arXiv 2404.10774). Words first; vectors only where words do not do.
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from cascade.claims import numbers, terms, without_facts
from cascade.decision import Verdict
from cascade.guards.guard import Case, Cost
from cascade.model import Quote
from cascade.ports import Embed
from language import analyse, split_sentences

__all__ = ["SupportGuard"]

_YES_OR_NO = re.compile(r"\W*(?:yes|no|yeah|nope)\b", re.IGNORECASE)
_DENIES = re.compile(r"\b(?:not|never|nobody|nothing|none|no|without|cannot)\b|n['\u2019]t\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportGuard:
    """Passes if of every sentence at least `threshold` is supported: the share of its words, or its cosine with a cited line."""

    name: ClassVar[str] = "support"
    cost: ClassVar[Cost] = "cpu"
    threshold: float = 0.6
    embed: Embed | None = None

    @property
    def version(self) -> str:
        """Say the version, the threshold and whether vectors are used."""
        return f"4 threshold={self.threshold} vectors={self.embed is not None}"

    async def check(self, case: Case) -> Verdict:
        """Judge the draft sentence by sentence."""
        answer = "" if case.draft.abstains else case.draft.answer
        cited = [quote for quote in case.brief.quotes if quote.n in case.draft.citations]
        evidence = " ".join(_words(quote) for quote in cited)
        asked = "" if re.search(r"\bor\b", case.brief.question, re.IGNORECASE) else case.brief.question
        held = terms(f"{asked} {evidence}")
        doubt = _doubt(answer, evidence)
        if doubt:
            return Verdict(guard=self.name, status="unsure", score=0.5, reason=doubt)
        weakest, score = "", 1.0
        for sentence in split_sentences(answer):
            claimed = terms(without_facts(sentence))  # dates and numbers are for the guard over facts
            support = len(claimed & held) / len(claimed) if claimed else 1.0
            if support < self.threshold:
                support = max(support, await self._nearness(sentence, cited))
            if support < score:
                weakest, score = sentence, support
        passes = score >= self.threshold
        reason = "every sentence is supported by a cited line" if passes else f"hardly supported: {weakest[:200]!r}"
        return Verdict(guard=self.name, status="pass" if passes else "fail", score=score, reason=reason)

    async def _nearness(self, sentence: str, cited: list[Quote]) -> float:
        if self.embed is None or not cited:
            return 0.0
        vectors = await self.embed([sentence, *(quote.text for quote in cited)])
        return float((vectors[1:] @ vectors[0]).max())


def _doubt(answer: str, evidence: str) -> str:
    """Say why words cannot show whether an answer is supported: it has none that carry meaning, or denies what no line denied."""
    if _YES_OR_NO.match(answer) or not answer:
        return ""
    if not terms(answer) and not numbers(answer) and not analyse(answer).dates:
        return "the answer has no word that carries meaning"
    if _DENIES.search(answer) and not _DENIES.search(evidence):
        return "the answer denies something, and no cited line does"
    return ""


def _words(quote: Quote) -> str:
    return " ".join([quote.text, quote.speaker, *(time.meaning for time in quote.times)])
