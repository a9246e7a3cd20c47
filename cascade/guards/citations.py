"""The guard over citations: something of the context is cited, and nothing else is."""

from dataclasses import dataclass
from typing import ClassVar

from cascade.decision import Verdict
from cascade.guards.guard import Case, Cost

__all__ = ["CitationGuard"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CitationGuard:
    """Passes if the draft cites something, and only lines of the context, all of which are the scope's own."""

    name: ClassVar[str] = "citations"
    version: ClassVar[str] = "2"
    cost: ClassVar[Cost] = "free"

    async def check(self, case: Case) -> Verdict:
        """Judge the draft's citations."""
        draft = case.draft
        marks = {quote.n for quote in case.brief.quotes}
        unknown = [n for n in draft.citations if n not in marks]
        share = 1 - len(unknown) / len(draft.citations) if draft.citations else 0.0
        passes = (bool(draft.citations) and not unknown) or draft.abstains
        if unknown:
            reason = f"cites {', '.join(map(str, unknown))}, and no line of the context has that number"
        elif not draft.citations:
            reason = "there is nothing to cite" if draft.abstains else "cites no line of the context"
        else:
            reason = "every citation is a line of the context"
            reason += "; they were found by their words" if draft.attributed else ""
        return Verdict(guard=self.name, status="pass" if passes else "fail", score=share, reason=reason)
