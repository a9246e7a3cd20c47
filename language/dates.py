"""Calendar dates as they are said: "7 May 2023", "May 7", "2023-05-07", "May 2023", a mere year; what is left open stays open.

The one grammar of explicit dates: `language.times` reads the same patterns and fills in the year.
"""

import re
from dataclasses import dataclass

__all__ = [
    "DAY_MONTH",
    "ISO_DATE",
    "MONTHS",
    "MONTH_DAY",
    "MONTH_NAME",
    "WEEKDAYS",
    "YEAR",
    "DateSaid",
    "blank_dates",
    "find_dates",
    "month_number",
]

WEEKDAYS = tuple("monday tuesday wednesday thursday friday saturday sunday".split())
MONTHS = tuple("january february march april may june july august september october november december".split())
_SHORTENED = {month: rf"{month[:3]}(?:{month[3:]}|\b\.?)" for month in MONTHS} | {
    "may": "may",
    "september": r"sep(?:tember|t?\b\.?)",
}
MONTH_NAME = "|".join(_SHORTENED.values())
YEAR = r"(?:19|20|21)\d\d"
ISO_DATE = r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
DAY_MONTH = rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month>{MONTH_NAME})(?:,?\s+(?P<year>{YEAR}))?"
MONTH_DAY = rf"(?P<month>{MONTH_NAME})\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+(?P<year>{YEAR}))?"
_MONTH_YEAR = rf"(?P<month>{MONTH_NAME})(?:,|\s+of)?\s+(?P<year>{YEAR})"
# "March" and "May" are words of their own, unless "in" stands before them.
_NAMED = "|".join(month for month in MONTHS if month not in {"march", "may"})
_MONTH_ALONE = rf"(?P<month>(?:{_NAMED})|(?<=\bin )(?:march|may))"
_WEEKDAY = r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,?\s+(?:the\s+)?)?"
_FORMS = tuple(
    re.compile(rf"\b(?:{form})(?![{after}])", re.IGNORECASE | re.ASCII)
    for form, after in (
        (ISO_DATE, r"\d"),  # a time may follow: 2023-05-08T13:56
        (_WEEKDAY + DAY_MONTH, r"\w"),
        (_WEEKDAY + MONTH_DAY, r"\w"),
        (_MONTH_YEAR, r"\w"),
        (r"(?P<year>(?:19|20)\d\d)", r"\w"),  # further ahead a bare number is hardly a year
        (_MONTH_ALONE, r"\w"),
    )
)
_MONTHS_IN_A_YEAR, _DAYS_IN_A_MONTH = 12, 31
_YEARS = range(1900, 2200)


@dataclass(frozen=True, slots=True)
class DateSaid:
    """A date as exact as it was said; what was left open is None."""

    year: int | None
    month: int | None
    day: int | None

    def covers(self, other: "DateSaid") -> bool:
        """Return whether this date says nothing that `other` does not say too."""
        pairs = ((self.year, other.year), (self.month, other.month), (self.day, other.day))
        return all(mine is None or mine == theirs for mine, theirs in pairs)


def find_dates(text: str) -> tuple[DateSaid, ...]:
    """Return the dates of `text`, in order; of forms that overlap the more exact one."""
    return tuple(_read(match) for match in _matches(text))


def blank_dates(text: str) -> str:
    """Return `text` with its dates replaced by white space."""
    for match in reversed(_matches(text)):
        text = f"{text[: match.start()]} {text[match.end() :]}"
    return text


def month_number(name: str) -> int:
    """Return the number, 1 to 12, of a month's name or its first letters."""
    return next(number for number, month in enumerate(MONTHS, 1) if month.startswith(name.lower()[:3]))


def _matches(text: str) -> list[re.Match[str]]:
    found: list[re.Match[str]] = []
    for form in _FORMS:
        for match in form.finditer(text):
            overlaps = any(match.start() < other.end() and other.start() < match.end() for other in found)
            if not overlaps and _is_possible(_read(match)):
                found.append(match)
    return sorted(found, key=re.Match.start)


def _is_possible(said: DateSaid) -> bool:
    """Return whether there is such a month, day and year: "45 May" is none, nor is 1234-56-78."""
    month, day = said.month or 1, said.day or 1
    return 1 <= month <= _MONTHS_IN_A_YEAR and 1 <= day <= _DAYS_IN_A_MONTH and (said.year or _YEARS[0]) in _YEARS


def _read(match: re.Match[str]) -> DateSaid:
    said = match.groupdict()
    year, month, day = (said.get(part) for part in ("year", "month", "day"))
    return DateSaid(
        year=int(year) if year else None,
        month=(int(month) if month.isdigit() else month_number(month)) if month else None,
        day=int(day) if day else None,
    )
