"""What the table of a language holds. Knows no language."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Unit", "Vocabulary"]

Unit = Literal["day", "weekend", "week", "month", "year"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """How one language tells relative times, and what makes such a time doubtful.

    Phrases are patterns of lower-cased text, with straight apostrophes. A space stands for any white space. `{count}` stands for
    a number with its unit, `{number}` for a number, `{day}` for a weekday, `{season}` for a season, `{today}` for a word for today,
    `{date}`, `{month}`, `{month_name}` and `{year}` for the parts of a date.
    """

    spaced: bool = True  # words end where letters end; not so in Chinese, Japanese and Korean
    near_days: Mapping[str, int]  # phrase -> days from today
    today: str
    spans: Mapping[str, tuple[Unit, int]]  # phrase -> its unit, and how many of them from this one
    weekdays: tuple[str, ...]  # Monday to Sunday
    week_days: Mapping[str, int] = field(default_factory=dict)  # a weekday of last (-1), this or next week
    last_weekday: str = ""  # to some the latest, to others that of last week: taken where they are the same day
    numbers: Mapping[str, int]
    units: Mapping[str, Unit]
    gap: str = " "  # between a number and its unit
    counts: Mapping[str, tuple[int, Unit]] = field(default_factory=dict)  # words that are a number with its unit
    ago: str
    ago_or_for: str = ""  # "two years ago" or, with a verb that lasts, "for two years"
    ahead: str = ""
    today_ago: str = ""  # the day itself, "a year ago today"
    today_then: Mapping[str, tuple[Unit, int]] = field(default_factory=dict)  # "this day last year"
    months: str = ""  # a month, by its number `{month}`, after a year
    month_days: str = ""  # a day, by its number `{date}`, after a month
    seasons: tuple[str, ...] = ()  # spring to winter; none where half the speakers live south of the equator
    last_season: str = ""  # with `{season}`
    year_seasons: str = ""  # a season, after a year
    month_names: tuple[str, ...] = ()  # January to December
    calendar: str = ""  # a day of a month, with or without a `{year}`
    # Doubts
    never: str = ""  # idioms and compounds: no time that overlaps one
    before_near_day: str = ""  # what makes doubtful right before, and right after
    after_near_day: str = ""
    before_span: str = ""
    after_span: str = ""
    before_distance: str = ""
    after_distance: str = ""
    before_date: str = ""
    after_date: str = ""
    yearly: str = ""  # birthdays and feasts, whose day comes every year
    habit: str = ""  # words that make every time of their sentence doubtful
    saying: str = ""  # proverbs and comparisons ("as if it were yesterday"), whose days are of no calendar
    past: str = ""  # sentences told in the past, where "in two days" means two days later
    told: str = ""  # surer signs of the past than `past`: a day without a year is read only beside one
    future: str = ""  # where given, "in two days" is taken only beside one of these
    lasting: str = ""  # verbs that last: "for two years", unless the sentence is told in the past
    sunday_begins: bool = False  # to some, the week begins on Sunday
    capitalised: str = ""  # in the text as it was written: a noun, not a time
    hints: str  # every phrase holds one of these words; in a script without spaces, one of these characters
