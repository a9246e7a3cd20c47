"""Time expressions in English text, as intervals of days: "yesterday", "last March", "two weeks ago", "7 May 2023".

Relative ones are resolved against the day they were said, in the speaker's own calendar. Only expressions with one
sensible reading are taken (`language.doubts`): "on Friday", "recently" or "next Friday", said on a Wednesday, are left
alone. Calendar arithmetic is dateutil's; the grammar is ours because no library gives the expression's span together with its
grain (a day, a week, a month, a season, a year).
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import lru_cache

from dateutil.relativedelta import MO, SU, relativedelta, weekday

from language.dates import DAY_MONTH, ISO_DATE, MONTH_DAY, MONTH_NAME, MONTHS, WEEKDAYS, YEAR, month_number
from language.doubts import has_one_reading, year_of
from language.intervals import (
    SEASON_STARTS,
    Meaning,
    TimeExpression,
    day_meaning,
    day_text,
    month_meaning,
    season_meaning,
    week_beside,
    week_meaning,
    year_meaning,
)
from language.numbers import NUMBER_WORDS
from language.other_times import find_other_times, hints_other_time, is_in_other_language

__all__ = ["find_times", "hints_time", "may_hold_time"]

_MOST_COUNTED = 12  # beyond it people write digits
_NUMBERS = {
    word: n for word, n in NUMBER_WORDS.items() if n <= _MOST_COUNTED and word not in {"once", "twice", "dozen"}
}
_NUMBERS |= {"a": 1, "an": 1, "a couple of": 2}
_NEAR_DAYS = (("the day before", -2), ("the day after", 2), ("yesterday", -1), ("last night", -1), ("tomorrow", 1))
_SATURDAY = 5

_DAY = (
    "|".join(f"{day[:3]}(?:{day[3:]})?" for day in WEEKDAYS)
    .replace("tue(?:sday)?", "tue(?:s(?:day)?)?")
    .replace("thu(?:rsday)?", "thu(?:rs(?:day)?)?")
)
_MONTH = "|".join(MONTHS)
_NUMBER = r"\d{1,3}|" + "|".join(sorted(_NUMBERS, key=len, reverse=True))
_SEASON = "|".join(SEASON_STARTS)

_Reader = Callable[[re.Match[str], date], Meaning | None]


def may_hold_time(said: Iterable[str]) -> bool:
    """Return whether one of these lower-cased words is one that expressions of time have; cheap, and true of more than times."""
    return any(map(hints_time, said))


@lru_cache(maxsize=100_000)
def hints_time(word: str) -> bool:
    """Return whether expressions of time have this lower-cased word."""
    return bool(_HINT.search(word)) or hints_other_time(word)


def find_times(text: str, said_on: date) -> tuple[TimeExpression, ...]:
    """Return the times that `text`, said on `said_on`, holds in English or in another language, in order, without overlap.

    Of two readings the longest wins.
    """
    found = find_other_times(text, said_on)
    taken = [(time.start, time.end) for time in found]
    for kind, pattern, read in _GRAMMAR:
        for match in pattern.finditer(text):
            start, end = match.span()
            if any(start < last and first < end for first, last in taken):
                continue
            taken.append((start, end))  # what is doubtful is not read in another way either
            meaning = _meaning(match, read, said_on) if has_one_reading(text, start, end, kind=kind) else None
            if meaning is not None:
                found.append(meaning.at(start, end))
    return tuple(sorted(found, key=lambda expression: expression.start))


def _meaning(match: re.Match[str], read: _Reader, said_on: date) -> Meaning | None:
    try:
        return read(match, said_on)
    except OverflowError:  # "yesterday", said on the first day there is
        return None


def _which(match: re.Match[str]) -> str:
    return " ".join(match["which"].lower().split())


def _number(text: str) -> int:
    return int(text) if text.isdigit() else _NUMBERS[text]


def _read_near_day(match: re.Match[str], said_on: date) -> Meaning:
    phrase = " ".join(match.group().lower().split())
    offset = next((offset for start, offset in _NEAR_DAYS if phrase.startswith(start)), 0)
    return day_meaning(said_on + timedelta(days=offset), implied=offset == 0)


def _read_weekday(match: re.Match[str], said_on: date) -> Meaning | None:
    number = next(i for i, day in enumerate(WEEKDAYS) if day.startswith(match["day"].lower()[:3]))
    which = _which(match)
    of_this_week = said_on + relativedelta(weekday=MO(-1)) + timedelta(days=number)
    coming = said_on + relativedelta(days=1, weekday=weekday(number)(1))
    if which == "this past":
        return day_meaning(said_on + relativedelta(days=-1, weekday=weekday(number)(-1)))
    if which == "last":  # the latest one, or the one of last week? Where they differ, it cannot be known
        return day_meaning(of_this_week - timedelta(weeks=1)) if of_this_week >= said_on else None
    if which == "this":  # over already: "this Monday", said on a Friday
        return day_meaning(of_this_week) if of_this_week >= said_on else None
    return day_meaning(coming) if coming == of_this_week + timedelta(weeks=1) else None


def _read_week(match: re.Match[str], said_on: date) -> Meaning:
    return week_beside(said_on, {"last": -1, "this": 0, "next": 1}[_which(match)])


def _read_weekend(match: re.Match[str], said_on: date) -> Meaning | None:
    sunday = said_on + relativedelta(weekday=SU)
    offset = {"last": -1, "this past": -1, "this": 0, "next": 1}[_which(match)]
    if _which(match) == "this past" and said_on.weekday() >= _SATURDAY:
        offset = 0
    if _which(match) == "next" and said_on.weekday() < _SATURDAY:
        return None  # the coming one, or the one after it
    last = sunday + timedelta(weeks=offset)
    first = last - timedelta(days=1)
    return Meaning(first, last, "weekend", f"the weekend of {day_text(first)}")


def _read_month_or_year(match: re.Match[str], said_on: date) -> Meaning:
    step = {"last": -1, "this": 0, "next": 1}[_which(match)]
    if match["unit"].lower() == "year":
        return year_meaning(said_on.year + step, implied=step == 0)
    return month_meaning(said_on + relativedelta(months=step), implied=step == 0)


def _read_named(match: re.Match[str], said_on: date) -> Meaning | None:
    """Resolve "last March" or "next summer": the latest that is over, next year's where this year's has begun, or this year's."""
    which, name = _which(match), match["name"].lower()

    def in_year(year: int) -> Meaning:
        return season_meaning(name, year) if name in SEASON_STARTS else month_meaning(date(year, month_number(name), 1))

    last, this, following = (in_year(said_on.year + step) for step in (-1, 0, 1))
    if which in {"last", "this past"}:
        return this if this.last < said_on else last
    if which == "next":  # what has not begun this year is "this summer" to some and "next summer" to others
        return following if this.first <= said_on else None
    return last if last.first <= said_on <= last.last else this  # in January, "this winter" began last year


def _read_distance(match: re.Match[str], said_on: date) -> Meaning | None:
    """Resolve "three weeks ago" or "in two months": as exact as its unit, no more, unless it says "today"."""
    number, unit = _number(" ".join(match["number"].lower().split())), match["unit"].lower()
    number = -number if "ago" in match.group().lower() else number
    exact = match.groupdict().get("exact")
    match unit:
        case "day":
            return day_meaning(said_on + timedelta(days=number))
        case "week" | "weekend":
            day = said_on + timedelta(weeks=number)
            return day_meaning(day) if exact else week_meaning(day)
        case "month":
            day = said_on + relativedelta(months=number)
            return day_meaning(day) if exact else month_meaning(day)
        case _:
            year = said_on.year + number
            if exact and year >= 1:
                return day_meaning(said_on + relativedelta(years=number))
            return year_meaning(year) if year >= 1 else None


def _read_full_date(match: re.Match[str], said_on: date) -> Meaning | None:
    month, day = month_number(match["month"]), int(match["day"])
    year = int(match["year"]) if match["year"] else None
    if year is None and not is_in_other_language(match.string):  # whose tenses are not known here
        year = year_of(match.string, *match.span(), month=month, day=day, said_on=said_on)
    try:
        return day_meaning(date(year, month, day), relative=not match["year"]) if year else None
    except ValueError:  # 31 April is no date, and so no time expression
        return None


def _read_iso_date(match: re.Match[str], said_on: date) -> Meaning | None:  # noqa: ARG001
    try:
        return day_meaning(date.fromisoformat(match.group()), relative=False)
    except ValueError:
        return None


def _read_month_of_year(match: re.Match[str], said_on: date) -> Meaning:  # noqa: ARG001
    name, year = match["name"].lower(), int(match["year"])
    if name in SEASON_STARTS:
        return season_meaning(name, year, relative=False)
    return month_meaning(date(year, month_number(name), 1), relative=False)


def _read_year(match: re.Match[str], said_on: date) -> Meaning:  # noqa: ARG001
    return year_meaning(int(match["year"]), relative=False)


def _rule(kind: str, pattern: str, read: _Reader) -> tuple[str, re.Pattern[str], _Reader]:
    return kind, re.compile(rf"\b(?:{pattern})(?!\w)", re.IGNORECASE | re.ASCII), read


_HINT = re.compile(rf"\d|day|night|morrow|week|month|year|\b(?:last|this|next)\b|{_MONTH}|{_SEASON}", re.ASCII)
_UNIT = "(?P<unit>day|week|month|year)s?"
_GRAMMAR: tuple[tuple[str, re.Pattern[str], _Reader], ...] = (
    _rule(
        "ago",
        rf"(?P<number>{_NUMBER})\s+(?P<unit>day|weekend|week|month|year)s?\s+ago(?P<exact>\s+today)?",
        _read_distance,
    ),
    _rule("explicit", ISO_DATE, _read_iso_date),
    _rule("calendar", DAY_MONTH, _read_full_date),
    _rule("calendar", MONTH_DAY, _read_full_date),
    _rule("explicit", rf"(?P<name>{MONTH_NAME}|{_SEASON})(?:,|\s+of)?\s+(?P<year>{YEAR})", _read_month_of_year),
    _rule(
        "day",
        r"the\s+day\s+(?:before\s+yesterday|after\s+tomorrow)|last\s+night|tonight"
        r"|(?:yesterday|tomorrow|this)\s+(?:morning|afternoon|evening|night)|today|yesterday|tomorrow",
        _read_near_day,
    ),
    _rule("named", rf"(?P<which>last|this\s+past|this|next)\s+(?P<day>{_DAY})", _read_weekday),
    _rule("named", r"(?P<which>last|this\s+past|this|next)\s+weekend", _read_weekend),
    _rule("named", r"(?P<which>last|this|next)\s+week", _read_week),
    _rule("named", r"(?P<which>last|this|next)\s+(?P<unit>month|year)", _read_month_or_year),
    _rule("named", rf"(?P<which>last|this\s+past|this|next)\s+(?P<name>{_MONTH}|{_SEASON})", _read_named),
    _rule("ago", rf"in\s+(?P<number>{_NUMBER})\s+{_UNIT}'\s+time", _read_distance),
    _rule("ahead", rf"in\s+(?P<number>{_NUMBER})\s+{_UNIT}", _read_distance),
    _rule("ago", rf"(?P<number>{_NUMBER})\s+{_UNIT}\s+from\s+now", _read_distance),
    _rule("year", rf"(?:in|since|of|during|until|by)\s+(?P<year>{YEAR})", _read_year),
)
