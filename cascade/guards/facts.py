"""The guard over hard facts: every number, date, name and quoted word of an answer occurs in the lines it cites.

Dates are compared as dates, relative ones resolved: "7 May" is supported by "yesterday" in a turn of 8 May, and a coarser date by a
finer one. A number may also be what the lines imply: the time between two of their dates, a sum, a difference, the count of lines.
Negations and paraphrases are beyond it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import ClassVar

from cascade.claims import names, numbers, terms
from cascade.decision import Verdict
from cascade.guards.guard import Case, Cost
from cascade.model import Brief, Quote
from language import DateSaid, analyse
from language.dates import blank_dates

__all__ = ["FactsGuard"]

_QUOTED = re.compile(r"[\"“]([^\"“”]{2,})[\"”]")
_COUNTING = re.compile(r"\bhow\s+(?:many|much|long|old|often)\b|\bnumber of\b", re.IGNORECASE)
# A question that offers its answers, or asks for a date, does not support any of them.
_CHOOSING = re.compile(r"\b(?:or|when|which|what\s+(?:date|day|month|year|time))\b", re.IGNORECASE)
_TIME_UNIT = re.compile(r"\b(?:day|week|month|year)s?\b", re.IGNORECASE)
_WORDS = re.compile(r"[^\W_]+")
_LONG_EVIDENCE = 12  # differences of more dates or numbers than this would support any number


@dataclass(frozen=True, slots=True, kw_only=True)
class FactsGuard:
    """Passes if the cited lines, or the question, hold every hard fact of the answer. `score` is the share they hold."""

    name: ClassVar[str] = "facts"
    version: ClassVar[str] = "3"
    cost: ClassVar[Cost] = "cpu"

    async def check(self, case: Case) -> Verdict:
        """Judge the hard facts of the draft."""
        answer = "" if case.draft.abstains else case.draft.answer
        cited = set(case.draft.citations)
        held = _Held.of(answer, case.brief, [quote for quote in case.brief.quotes if quote.n in cited])
        claims = [
            *((f"the date {_written(one)}", held.date(one)) for one in analyse(answer).dates),
            *((f"the number {one}", held.number(one)) for one in _counted(blank_dates(answer))),
            *((f"the name {one!r}", held.name(one)) for one in names(answer)),
            *((f"the words {one!r}", held.words(one)) for one in _QUOTED.findall(answer)),
        ]
        missing = [claim for claim, supported in claims if not supported]
        score = 1 - len(missing) / len(claims) if claims else 1.0
        reason = f"not in the cited lines: {', '.join(missing)}" if missing else "the cited lines hold every hard fact"
        return Verdict(guard=self.name, status="fail" if missing else "pass", score=score, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """What the cited lines and the question hold."""

    text: str
    terms: frozenset[str]
    dates: tuple[DateSaid, ...]
    numbers: frozenset[Decimal]
    implied: frozenset[Decimal]

    @classmethod
    def of(cls, answer: str, brief: Brief, quotes: list[Quote]) -> "_Held":
        lines = [text for quote in quotes for text in (quote.text, quote.speaker, *(t.meaning for t in quote.times))]
        asked = "" if _CHOOSING.search(brief.question) else brief.question
        text = " ".join([*lines, asked])
        held_dates = [one for quote in quotes for one in _dates_of(quote)]
        plain = frozenset(numbers(blank_dates(text)))
        return cls(
            text=_plain(text),
            terms=terms(text) | frozenset(_WORDS.findall(text.lower())),
            dates=(*held_dates, *analyse(asked).dates),
            numbers=plain,
            implied=frozenset(_implied(answer, brief, quotes, held_dates, plain)),
        )

    def date(self, said: DateSaid) -> bool:
        return any(said.covers(one) for one in self.dates)

    def number(self, value: Decimal) -> bool:
        return value in self.numbers or value in self.implied

    def name(self, name: str) -> bool:
        parts = _WORDS.findall(name.lower())
        return all(part in self.terms or terms(part) <= self.terms for part in parts)

    def words(self, quoted: str) -> bool:
        return _plain(quoted) in self.text


def _dates_of(quote: Quote) -> list[DateSaid]:
    """Return the dates that a line speaks of; a line without any is taken to speak of the day it was said."""
    dates = [one for time in quote.times for one in analyse(time.meaning).dates]
    explicit = list(analyse(quote.text).dates)
    dates += explicit + [DateSaid(year, one.month, one.day) for one in explicit for year in _years(one, quote)]
    return dates or [DateSaid(quote.said_at.year, quote.said_at.month, quote.said_at.day)]


def _years(said: DateSaid, quote: Quote) -> tuple[int, ...]:
    """Return the years a date without one may be in: the message's, or also the one before if it would lie after the message."""
    if said.year is not None:
        return ()
    sent = quote.said_at
    ahead = (said.month or 0, said.day or 0) > (sent.month, sent.day if said.day else 0) and said.month != sent.month
    return (sent.year, sent.year - 1) if ahead else (sent.year,)


def _counted(text: str) -> list[Decimal]:
    """Return the numbers that an answer claims; "one" is a pronoun more often than not, but for the first word."""
    claims_one = "1" in text or re.match(r"\W*one\b", text, re.IGNORECASE)
    return [value for value in numbers(text) if value != 1 or claims_one]


def _implied(
    answer: str, brief: Brief, quotes: list[Quote], dates: Iterable[DateSaid], plain: frozenset[Decimal]
) -> set[Decimal]:
    """Return the numbers that follow from the lines, where the question asks for one: of an answer in units of time, the times
    between their dates; of another, the count of the lines, the sum of their numbers and the differences."""
    if not _COUNTING.search(brief.question):
        return set()
    found: set[Decimal] = set()
    days = sorted({day for day in map(_day, [*dates, *analyse(brief.question).dates]) if day} | {brief.asked_at.date()})
    if _TIME_UNIT.search(answer):
        for first, last in combinations(days, 2) if len(days) <= _LONG_EVIDENCE else ():
            found |= _between(first, last)
        return found
    if len(quotes) > 1:
        found.add(Decimal(len(quotes)))
    if 1 < len(plain) <= _LONG_EVIDENCE:
        found |= {abs(one - other) for one, other in combinations(plain, 2)} | {sum(plain, Decimal(0))}
    return found


def _between(first: date, last: date) -> set[Decimal]:
    """Return the time between two days in days, weeks, months and years, rounded down and to the nearest."""
    days = (last - first).days
    months = (last.year - first.year) * 12 + last.month - first.month - (last.day < first.day)
    rounded = {days, days // 7, round(days / 7), months, round(days / 30.44), months // 12, round(days / 365.25)}
    return {Decimal(value) for value in rounded}


def _day(said: DateSaid) -> date | None:
    if said.year is None:
        return None
    try:
        return date(said.year, said.month or 1, said.day or 1)
    except ValueError:
        return None


def _written(said: DateSaid) -> str:
    return "-".join(f"{part:02d}" if part is not None else "??" for part in (said.year, said.month, said.day))


def _plain(text: str) -> str:
    return " ".join(_WORDS.findall(text.lower()))
