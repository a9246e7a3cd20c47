"""The tier without a model: it answers with what was said, word for word, or with the date that a line names.

Free, instant and incapable of inventing anything; it cannot combine or infer either. It says nothing where no
line speaks of what is asked about. The embedded default.
"""

import re
from collections.abc import Sequence

from cascade.claims import terms
from cascade.ports import Brief, Draft, Quote, TimeSaid
from language import analyse

__all__ = ["ExtractiveTier"]

_WHEN = re.compile(
    r"\s*(?:when\b|(?:(?:on|in|since|by|until)\s+)?(?:what|which)\s+(?:exact\s+)?(?:date|day|week|month|year|season)\b)",
    re.IGNORECASE,
)
_PART_END = re.compile(
    r"[;:]\s|,?\s(?:and|but|so|while)\s+(?=(?:i|we|my|our|the|he|she|it|they|that|this)\b)|\s[-\u2013\u2014]\s",
    re.IGNORECASE,
)
_ORDINAL = re.compile(r"\b(?:first|second|third|fourth|fifth|last|latest|newest|most recent|final)\b", re.IGNORECASE)
_MOST_QUOTES = 3
_AS_RELEVANT = 0.2  # a line of less than this share of the best one's score is not quoted beside it
_AS_RELEVANT_DATED = 0.6  # a date is given only from a line of this share of it,
_SHARED = 1 / 3  # which holds this share of the words asked about
_PREPOSITION = {"day": "On ", "weekend": "On ", "week": "In ", "month": "In ", "season": "In ", "year": "In "}
# Words of questions that say nothing of what they are about.
_GENERIC = terms(
    """name call like have take make get go want think feel kind type sort favorite favourite time times many much long often first
    last new recently currently ever use plan say tell mention describe give come happen thing things stuff start enjoy love need
    know see look find work live year month week day date season hour minute age place person people someone something anything"""
)


class ExtractiveTier:
    """Answers by quoting."""

    name = "extractive"
    model = "extractive"

    async def draft(self, brief: Brief) -> Draft | None:
        """Quote the most relevant lines, or give the one date that they name for a "when" question.

        None where there is no line, or none holds a word of what is asked about.
        """
        ranked = sorted(brief.quotes, key=lambda quote: (analyse(quote.text).asks, -quote.score))[:_MOST_QUOTES]
        asked = _asked_about(brief)
        if not ranked or (asked and all(asked.isdisjoint(terms(quote.text)) for quote in ranked)):
            return None
        asks_when = bool(_WHEN.match(brief.question))
        dated = _dated(ranked, asked, _ORDINAL.search(brief.question)) if asks_when else None
        if dated is not None:
            return dated
        quoted = [quote for quote in ranked if quote.score >= ranked[0].score * _AS_RELEVANT]
        headers = {(quote.turn_id, quote.header) for quote in quoted}  # which stand above their rows already
        quoted = [quote for quote in quoted if (quote.turn_id, quote.text) not in headers]
        lines = "\n".join(_quoted(quote, dated=asks_when) for quote in quoted)
        return Draft(answer=lines, citations=tuple(quote.n for quote in quoted))


def _asked_about(brief: Brief) -> frozenset[str]:
    """Return the words that say what a question is about: without the names of those who speak, who are not its subject."""
    speakers = terms(" ".join(quote.speaker for quote in brief.quotes))
    return terms(brief.question) - speakers - _GENERIC


def _dated(ranked: Sequence[Quote], asked: frozenset[str], ordinal: re.Match[str] | None) -> Draft | None:
    """Return the date that a line names, if it names one only, and is about what is asked.

    A question for the first, the second or the last time is about that one: a line that does not count its own may tell of another.
    """
    for quote in ranked:
        if ordinal and not re.search(rf"\b{ordinal[0]}\b", quote.text, re.IGNORECASE):
            continue
        shared = len(asked & terms(quote.text)) / len(asked) if asked else 1.0
        fits = len(quote.times) == 1 and shared >= _SHARED and _is_of_it(quote, asked)
        if fits and quote.score >= ranked[0].score * _AS_RELEVANT_DATED:
            return Draft(answer=_sentence(quote.times[0]), citations=(quote.n,))
    return None


def _is_of_it(quote: Quote, asked: frozenset[str]) -> bool:
    """Whether the part of the line that speaks of what is asked tells the time, and not another part: "in 2019, and the"."""
    parts = [part for part in _PART_END.split(quote.text) if part]
    part = max(parts, key=lambda one: len(asked & terms(one)), default="")
    return len(parts) == 1 or bool(analyse(part, quote.said_at.date()).times)


def _sentence(time: TimeSaid) -> str:
    return f"{_PREPOSITION[time.grain]}{time.meaning}."


def _quoted(quote: Quote, *, dated: bool) -> str:
    """Return a line as an answer, a table's row under its header; `dated`, relative times have their day behind them."""
    said_at = quote.said_at
    text = analyse(quote.text, said_at.date()).dated_text if dated else quote.text
    if quote.header:
        text = f"{quote.header}\n{text}"
    return f'{quote.speaker} said on {said_at.day} {said_at:%B %Y}: "{text}"'
