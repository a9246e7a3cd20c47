"""Relative times as they are said, with the date that a third party gives for them later."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Literal

from eval.training.dialogues.tables import relative_times

__all__ = ["When", "when_said"]

_MONTHS = "January February March April May June July August September October November December".split()
_WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """A time as it is said ("last Friday"), and as it is answered ("the Friday before 8 May 2023")."""

    phrase: str
    answer: str


def when_said(random: Random, said: date, tense: Literal["past", "future"]) -> When:
    """Return a relative time that fits the day on which it is said."""
    while True:
        time = random.choice(relative_times(tense))
        day = said + timedelta(days=random.randint(*time.days))
        if not time.same_month or day.month == said.month:
            break
    slots = {
        "day": _date_text(day),
        "said": _date_text(said),
        "weekday": _WEEKDAYS[day.weekday()],
        "nth": _ordinal(day.day),
        "month_day": f"{_MONTHS[day.month - 1]} {day.day}",
    }
    return When(phrase=time.phrase.format(**slots), answer=time.answer.format(**slots))


def _date_text(day: date) -> str:
    """Return a date as answers write it: "8 May 2023"."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _ordinal(number: int) -> str:
    ending = "th" if number in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
