"""The guards that need no model: each judges a draft alone, and fails closed."""

from dataclasses import dataclass

from cascade.ports import Brief, Draft, Verdict

__all__ = ["AnswerabilityGuard", "CitationGuard"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerabilityGuard:
    """Passes if the evidence probably holds the answer: probability at least `threshold`."""

    threshold: float

    def check(self, brief: Brief, draft: Draft) -> Verdict:  # noqa: ARG002
        """Judge the evidence, whatever the draft made of it."""
        passes = brief.answerable >= self.threshold
        return Verdict(
            guard="answerability",
            status="pass" if passes else "fail",
            score=brief.answerable,
            reason=f"the memory holds the answer with probability {brief.answerable:.2f}; {self.threshold:.2f} is asked for",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CitationGuard:
    """Passes if the draft cites something, and only lines of the context."""

    def check(self, brief: Brief, draft: Draft) -> Verdict:
        """Judge the draft's citations."""
        marks = {quote.n for quote in brief.quotes}
        unknown = [n for n in draft.citations if n not in marks]
        share = 1 - len(unknown) / len(draft.citations) if draft.citations else 0.0
        passes = bool(draft.citations) and not unknown
        reason = "every citation is a line of the context" if passes else f"cites {unknown or 'nothing'} of the context"
        return Verdict(guard="citations", status="pass" if passes else "fail", score=share, reason=reason)
