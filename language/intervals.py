"""What a time expression means: days, a grain, and its words in English; shared by the grammars of all languages."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from dateutil.relativedelta import MO, SU, relativedelta

from language.dates import MONTHS

__all__ = [
    "SEASON_STARTS",
    "Grain",
    "Meaning",
    "TimeExpression",
    "day_meaning",
    "day_text",
    "month_meaning",
    "season_meaning",
    "week_beside",
    "week_meaning",
    "weekend_meaning",
    "year_meaning",
]

Grain = Literal["day", "weekend", "week", "month", "season", "year"]

SEASON_STARTS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_BESIDE = {-1: "the week before", 0: "the week of", 1: "the week after"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeExpression:
    """The span `[start, end)` of a text and the days `first` to `last` (inclusive) that it means.

    `meaning` is the resolved date in words; `relative` says that it needed the moment of speaking, `implied` that this moment's
    own date already says it ("today").
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
class Meaning:
    """What a time expression means, wherever it stands."""

    first: date
    last: date
    grain: Grain
    text: str
    relative: bool = True
    implied: bool = False

    def at(self, start: int, end: int) -> TimeExpression:
        """Return the expression with this meaning that stands at the span `[start, end)` of its text."""
        return TimeExpression(
            start=start,
            end=end,
            first=self.first,
            last=self.last,
            grain=self.grain,
            meaning=self.text,
            relative=self.relative,
            implied=self.implied,
        )


def day_text(day: date) -> str:
    """Return a day the way every date here is written: 7 May 2023."""
    return f"{day.day} {_month_text(day)}"


def day_meaning(day: date, *, relative: bool = True, implied: bool = False) -> Meaning:
    """Return one day as a meaning."""
    return Meaning(day, day, "day", day_text(day), relative, implied)


def week_meaning(day: date) -> Meaning:
    """Return the week, Monday to Sunday, that `day` is in."""
    monday = day + relativedelta(weekday=MO(-1))
    return Meaning(monday, monday + timedelta(days=6), "week", f"the week of {day_text(day)}")


def week_beside(day: date, step: int) -> Meaning:
    """Return the week before (-1), of (0) or after (1) the one that `day` is in."""
    first = day + relativedelta(weekday=MO(-1)) + timedelta(weeks=step)
    return Meaning(first, first + timedelta(days=6), "week", f"{_BESIDE[step]} {day_text(day)}", implied=step == 0)


def weekend_meaning(day: date, step: int) -> Meaning:
    """Return the weekend of the week before (-1), of (0) or after (1) the one that `day` is in."""
    sunday = day + relativedelta(weekday=SU) + timedelta(weeks=step)
    saturday = sunday - timedelta(days=1)
    return Meaning(saturday, sunday, "weekend", f"the weekend of {day_text(saturday)}")


def month_meaning(day: date, *, relative: bool = True, implied: bool = False) -> Meaning:
    """Return the month that `day` is in."""
    first = day.replace(day=1)
    return Meaning(first, first + relativedelta(day=31), "month", _month_text(first), relative, implied)


def season_meaning(name: str, year: int, *, relative: bool = True) -> Meaning:
    """Return a season, north of the equator, that begins in `year`."""
    first = date(year, SEASON_STARTS[name], 1)
    return Meaning(first, first + relativedelta(months=2, day=31), "season", f"{name} {year}", relative)


def year_meaning(year: int, *, relative: bool = True, implied: bool = False) -> Meaning:
    """Return a year as a meaning."""
    return Meaning(date(year, 1, 1), date(year, 12, 31), "year", str(year), relative, implied)


def _month_text(day: date) -> str:
    return f"{MONTHS[day.month - 1].capitalize()} {day.year}"
