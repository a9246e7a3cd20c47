"""The tier without a model: it answers with the best-supported evidence, word for word, or with the date that evidence tells.

Free, instant and incapable of inventing anything; it cannot combine or infer either. The embedded default.
"""

import re

from cascade.ports import Brief, Draft, Quote, TimeSaid

__all__ = ["ExtractiveTier"]

_WHEN = re.compile(
    r"\s*(?:when\b|(?:(?:on|in|since|by|until)\s+)?(?:what|which)\s+(?:exact\s+)?(?:date|day|week|month|year|season)\b)",
    re.IGNORECASE,
)
_AS_RELEVANT = 0.6  # a dated quote of this share of the best one's score is preferred for a "when" question
_PREPOSITION = {"day": "On ", "weekend": "On ", "week": "In ", "month": "In ", "season": "In ", "year": "In "}


class ExtractiveTier:
    """Answers by quoting."""

    name = "extractive"
    model = "extractive"

    async def draft(self, brief: Brief) -> Draft | None:
        """Quote the most relevant line that tells something, or give its resolved date for a "when" question; None for no lines."""
        if not brief.quotes:
            return None
        ranked = sorted(brief.quotes, key=lambda quote: (_asks(quote), -quote.score))
        if _WHEN.match(brief.question):
            return _dated(ranked)
        best = ranked[0]
        return Draft(answer=f'{best.speaker} said on {_day(best)}: "{best.text}"', citations=(best.n,))


def _dated(ranked: list[Quote]) -> Draft:
    enough = ranked[0].score * _AS_RELEVANT
    for quote in ranked:
        if quote.times and quote.score >= enough:
            return Draft(answer=_sentence(quote.times[0]), citations=(quote.n,))
    best = ranked[0]
    return Draft(answer=f"It was told on {_day(best)}.", citations=(best.n,))


def _asks(quote: Quote) -> bool:
    return quote.text.rstrip().endswith("?")


def _sentence(time: TimeSaid) -> str:
    return f"{_PREPOSITION[time.grain]}{time.meaning}."


def _day(quote: Quote) -> str:
    return f"{quote.said_at.day} {quote.said_at:%B %Y}"
