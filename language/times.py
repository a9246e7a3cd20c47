"""Time expressions in English text, as intervals of days: "yesterday", "last March", "two weeks ago", "7 May 2023".

Relative ones are resolved against the day they were said, in the speaker's own calendar. Only expressions with one
sensible reading are taken: "on Friday" or "recently" are left alone. Calendar arithmetic is dateutil's; the grammar is ours
because no library gives the expression's span together with its grain (a day, a week, a month, a season, a year).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

from dateutil.relativedelta import MO, SU, relativedelta, weekday

from language.dates import DAY_MONTH, ISO_DATE, MONTH_DAY, MONTH_NAME, MONTHS, YEAR, month_number
from language.numbers import NUMBER_WORDS

__all__ = ["Grain", "TimeExpression", "day_text", "find_times", "hints_time", "may_tell_time"]

Grain = Literal["day", "weekend", "week", "month", "season", "year"]

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SEASON_STARTS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_MOST_COUNTED = 12  # beyond it people write digits
_NUMBERS = {
    word: n for word, n in NUMBER_WORDS.items() if n <= _MOST_COUNTED and word not in {"once", "twice", "dozen"}
}
_NUMBERS |= {"a": 1, "an": 1, "a couple of": 2}
_NEAR_DAYS = (("the day before", -2), ("the day after", 2), ("yesterday", -1), ("last night", -1), ("tomorrow", 1))
_WEEKS = {"last": (-1, "the week before"), "this": (0, "the week of"), "next": (1, "the week after")}
_SATURDAY = 5

_DAY = (
    "|".join(f"{day[:3]}(?:{day[3:]})?" for day in _DAYS)
    .replace("tue(?:sday)?", "tue(?:s(?:day)?)?")
    .replace("thu(?:rsday)?", "thu(?:rs(?:day)?)?")
)
_MONTH = "|".join(MONTHS)
_NUMBER = r"\d{1,3}|" + "|".join(sorted(_NUMBERS, key=len, reverse=True))
_SEASON = "|".join(_SEASON_STARTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeExpression:
    """The span `[start, end)` of a text and the days `first` to `last` (inclusive) that it means.

    `meaning` is the resolved date in words; `relative` says that it needed the moment of speaking, `implied` that this moment's
    own date already tells it ("today").
    """

    start: int
    end: int
    first: date
    last: date
    grain: Grain
    meaning: str
    relative: bool
    implied: bool = False


@dataclass(frozen=True, slots=True)
class _Meaning:
    first: date
    last: date
    grain: Grain
    text: str
    relative: bool = True
    implied: bool = False


_Reader = Callable[[re.Match[str], date], _Meaning | None]


def may_tell_time(said: Iterable[str]) -> bool:
    """Return whether one of these lower-cased words is one that times are told with; cheap, and true of more than times."""
    return any(map(hints_time, said))


@lru_cache(maxsize=100_000)
def hints_time(word: str) -> bool:
    """Return whether times are told with this lower-cased word."""
    return bool(_HINT.search(word))


def find_times(text: str, said_on: date) -> tuple[TimeExpression, ...]:
    """Return the time expressions of `text`, said on `said_on`, in order and without overlap; the longest reading wins."""
    found: list[TimeExpression] = []
    for pattern, read in _GRAMMAR:
        for match in pattern.finditer(text):
            if any(match.start() < other.end and other.start < match.end() for other in found):
                continue
            try:
                meaning = read(match, said_on)
            except OverflowError:  # "yesterday", said on the first day there is
                continue
            if meaning is not None:
                found.append(_expression(match, meaning))
    return tuple(sorted(found, key=lambda expression: expression.start))


def day_text(day: date) -> str:
    """Return a day the way every date here is written: 7 May 2023."""
    return f"{day.day} {_month_text(day)}"


def _expression(match: re.Match[str], meaning: _Meaning) -> TimeExpression:
    return TimeExpression(
        start=match.start(),
        end=match.end(),
        first=meaning.first,
        last=meaning.last,
        grain=meaning.grain,
        meaning=meaning.text,
        relative=meaning.relative,
        implied=meaning.implied,
    )


def _month_text(day: date) -> str:
    return f"{MONTHS[day.month - 1].capitalize()} {day.year}"


def _day(day: date, *, relative: bool = True, implied: bool = False) -> _Meaning:
    return _Meaning(day, day, "day", day_text(day), relative, implied)


def _month(day: date, *, relative: bool = True, implied: bool = False) -> _Meaning:
    first = day.replace(day=1)
    return _Meaning(first, first + relativedelta(day=31), "month", _month_text(first), relative, implied)


def _year(year: int, *, relative: bool = True, implied: bool = False) -> _Meaning:
    return _Meaning(date(year, 1, 1), date(year, 12, 31), "year", str(year), relative, implied)


def _season(name: str, year: int, *, relative: bool = True) -> _Meaning:
    first = date(year, _SEASON_STARTS[name], 1)
    return _Meaning(first, first + relativedelta(months=2, day=31), "season", f"{name} {year}", relative)


def _which(match: re.Match[str]) -> str:
    return " ".join(match["which"].lower().split())


def _week_of(day: date) -> _Meaning:
    monday = day + relativedelta(weekday=MO(-1))
    return _Meaning(monday, monday + timedelta(days=6), "week", f"the week of {day_text(day)}")


def _number(text: str) -> int:
    return int(text) if text.isdigit() else _NUMBERS[text]


def _read_near_day(match: re.Match[str], said_on: date) -> _Meaning:
    phrase = " ".join(match.group().lower().split())
    offset = next((offset for start, offset in _NEAR_DAYS if phrase.startswith(start)), 0)
    return _day(said_on + timedelta(days=offset), implied=offset == 0)


def _read_weekday(match: re.Match[str], said_on: date) -> _Meaning:
    number = next(i for i, day in enumerate(_DAYS) if day.startswith(match["day"].lower()[:3]))
    which = _which(match)
    if which in {"last", "this past"}:
        return _day(said_on + relativedelta(days=-1, weekday=weekday(number)(-1)))
    step = 1 if which == "next" else 0
    return _day(said_on + relativedelta(days=step, weekday=weekday(number)(1)))


def _read_week(match: re.Match[str], said_on: date) -> _Meaning:
    offset, words = _WEEKS[_which(match)]
    first = said_on + relativedelta(weekday=MO(-1)) + timedelta(weeks=offset)
    text = f"{words} {day_text(said_on)}"
    return _Meaning(first, first + timedelta(days=6), "week", text, implied=offset == 0)


def _read_weekend(match: re.Match[str], said_on: date) -> _Meaning:
    sunday = said_on + relativedelta(weekday=SU)
    offset = {"last": -1, "this past": -1, "this": 0, "next": 1}[_which(match)]
    if _which(match) == "this past" and said_on.weekday() >= _SATURDAY:
        offset = 0
    last = sunday + timedelta(weeks=offset)
    first = last - timedelta(days=1)
    return _Meaning(first, last, "weekend", f"the weekend of {day_text(first)}")


def _read_month_or_year(match: re.Match[str], said_on: date) -> _Meaning:
    step = {"last": -1, "this": 0, "next": 1}[_which(match)]
    if match["unit"].lower() == "year":
        return _year(said_on.year + step, implied=step == 0)
    return _month(said_on + relativedelta(months=step), implied=step == 0)


def _read_named(match: re.Match[str], said_on: date) -> _Meaning:
    """Resolve "last March" or "next summer": the latest that is over, the first that has not begun, or this year's."""
    which, name = _which(match), match["name"].lower()

    def in_year(year: int) -> _Meaning:
        return _season(name, year) if name in _SEASON_STARTS else _month(date(year, month_number(name), 1))

    candidates = [in_year(said_on.year + step) for step in (-1, 0, 1)]
    if which in {"last", "this past"}:
        return [meaning for meaning in candidates if meaning.last < said_on][-1]
    if which == "next":
        return next(meaning for meaning in candidates if meaning.first > said_on)
    return candidates[1]


def _read_distance(match: re.Match[str], said_on: date) -> _Meaning | None:
    """Resolve "three weeks ago" or "in two months": as exact as its unit, no more, unless it says "today"."""
    number, unit = _number(" ".join(match["number"].lower().split())), match["unit"].lower()
    number = -number if "ago" in match.group().lower() else number
    exact = match.groupdict().get("exact")
    match unit:
        case "day":
            return _day(said_on + timedelta(days=number))
        case "week" | "weekend":
            day = said_on + timedelta(weeks=number)
            return _day(day) if exact else _week_of(day)
        case "month":
            day = said_on + relativedelta(months=number)
            return _day(day) if exact else _month(day)
        case _:
            year = said_on.year + number
            return _year(year) if year >= 1 else None


def _read_full_date(match: re.Match[str], said_on: date) -> _Meaning | None:
    month = month_number(match["month"])
    year = int(match["year"]) if match["year"] else said_on.year
    try:
        return _day(date(year, month, int(match["day"])), relative=not match["year"])
    except ValueError:  # 31 April is no date, and so no time expression
        return None


def _read_iso_date(match: re.Match[str], said_on: date) -> _Meaning | None:  # noqa: ARG001
    try:
        return _day(date.fromisoformat(match.group()), relative=False)
    except ValueError:
        return None


def _read_month_of_year(match: re.Match[str], said_on: date) -> _Meaning:  # noqa: ARG001
    name, year = match["name"].lower(), int(match["year"])
    if name in _SEASON_STARTS:
        return _season(name, year, relative=False)
    return _month(date(year, month_number(name), 1), relative=False)


def _read_year(match: re.Match[str], said_on: date) -> _Meaning:  # noqa: ARG001
    return _year(int(match["year"]), relative=False)


def _rule(pattern: str, read: _Reader) -> tuple[re.Pattern[str], _Reader]:
    return re.compile(rf"\b(?:{pattern})(?!\w)", re.IGNORECASE | re.ASCII), read


_HINT = re.compile(rf"\d|day|night|morrow|week|month|year|\b(?:last|this|next)\b|{_MONTH}|{_SEASON}", re.ASCII)
_GRAMMAR: tuple[tuple[re.Pattern[str], _Reader], ...] = (
    _rule(
        rf"(?P<number>{_NUMBER})\s+(?P<unit>day|weekend|week|month|year)s?\s+ago(?P<exact>\s+today)?", _read_distance
    ),
    _rule(ISO_DATE, _read_iso_date),
    _rule(DAY_MONTH, _read_full_date),
    _rule(MONTH_DAY, _read_full_date),
    _rule(rf"(?P<name>{MONTH_NAME}|{_SEASON})(?:,|\s+of)?\s+(?P<year>{YEAR})", _read_month_of_year),
    _rule(
        r"the\s+day\s+(?:before\s+yesterday|after\s+tomorrow)|last\s+night|tonight"
        r"|(?:yesterday|tomorrow|this)\s+(?:morning|afternoon|evening|night)|today|yesterday|tomorrow",
        _read_near_day,
    ),
    _rule(rf"(?P<which>last|this\s+past|this|next)\s+(?P<day>{_DAY})", _read_weekday),
    _rule(r"(?P<which>last|this\s+past|this|next)\s+weekend", _read_weekend),
    _rule(r"(?P<which>last|this|next)\s+week", _read_week),
    _rule(r"(?P<which>last|this|next)\s+(?P<unit>month|year)", _read_month_or_year),
    _rule(rf"(?P<which>last|this\s+past|this|next)\s+(?P<name>{_MONTH}|{_SEASON})", _read_named),
    _rule(rf"in\s+(?P<number>{_NUMBER})\s+(?P<unit>day|week|month|year)s?(?:'\s+time)?", _read_distance),
    _rule(rf"(?P<number>{_NUMBER})\s+(?P<unit>day|week|month|year)s?\s+from\s+now", _read_distance),
    _rule(rf"(?:in|since|of|during|until|by)\s+(?P<year>{YEAR})", _read_year),
)
