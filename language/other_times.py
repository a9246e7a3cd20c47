"""Relative times in ten languages beside English: one grammar over a table of phrases each (`language.vocabularies`).

"昨天", "vor zwei Tagen", "le mois dernier", resolved against the day they were said. A phrase is read only in a sentence of its
own language ("hier" is no yesterday in German), and only where it has one sensible reading: of durations, habits, approximations,
quoted speech and titles nothing is made.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache

from dateutil.relativedelta import MO, relativedelta, weekday

from language.identification import Language, language_of, shows_language
from language.intervals import (
    Meaning,
    TimeExpression,
    day_meaning,
    month_meaning,
    season_meaning,
    week_beside,
    week_meaning,
    weekend_meaning,
    year_meaning,
)
from language.vocabularies import NEVER, VOCABULARIES, Compiled, Unit, Vocabulary
from language.words import words

__all__ = ["find_other_times", "hints_other_time", "is_in_other_language"]

_SENTENCE = re.compile(r"(?:[^.!?;\n。！？；…]|(?<=\d)\.(?=\s?\w))+")  # "3. Mai" is one
_QUOTATION = re.compile(
    r"\"[^\"]*\"|“[^”]*”|„[^“”]*[“”]|«[^»]*»|»[^«]*«|「[^」]*」|『[^』]*』|《[^》]*》|〈[^〉]*〉|‹[^›]*›|^\s*(?:>|—|–).*$"
    # In single quotes: an apostrophe within a word, and one behind an s, is none.
    r"|(?<!\w)['\u2018\u201a](?=\w)(?:[^'\u2018\u2019\n]|(?<=\w)['\u2019](?=\w)|(?<=s)['\u2019](?=\s))*['\u2018\u2019](?!\w)",
    re.MULTILINE,
)
_NAMES = re.compile(r"(?<=[\w,;] )[A-ZÀ-ÞА-ЯЁ]\w*")
_INSIDE = re.compile(r"[\w,] $")  # what stands before a word inside a sentence
_CONTEXT = 40
_NEAR = timedelta(days=45)
_SEASONS = ("spring", "summer", "autumn", "winter")
_SUNDAY = 6

_Step = tuple[Unit, int]


def find_other_times(text: str, said_on: date) -> list[TimeExpression]:
    """Return the relative times of `text` in languages other than English, said on `said_on`, without overlap."""
    if not any(map(hints_other_time, words(text))):
        return []
    lowered = text.lower().replace("\u2019", "'")
    if len(lowered) != len(text):  # a letter that becomes two has no place in these languages
        return []
    found = [
        time
        for first, last, language in _sentences(text)
        for time in _grammar(language).read(_Sentence(text, lowered, first, last), said_on)
    ]
    quoted = [match.span() for match in _QUOTATION.finditer(text)] if found else []
    return [time for time in found if not any(first < time.start and time.end <= last for first, last in quoted)]


def is_in_other_language(text: str) -> bool:
    """Return whether a text is in one of these languages, and not in English."""
    return language_of(text) in VOCABULARIES


@lru_cache(maxsize=100_000)
def hints_other_time(word: str) -> bool:
    """Return whether expressions of time have this lower-cased word in a language other than English."""
    return bool(_hints().search(word))


@cache
def _hints() -> re.Pattern[str]:
    spaced = "|".join("|".join((one.hints, *one.month_names)) for one in VOCABULARIES.values() if one.spaced)
    spaceless = "|".join(one.hints for one in VOCABULARIES.values() if not one.spaced)
    return re.compile(rf"\b(?:{spaced})\b|{spaceless}")


def _sentences(text: str) -> Iterator[tuple[int, int, Language]]:
    """Yield the sentences that are in one of the other languages; one without a sign of its own is in that of the text."""
    whole = language_of(text)
    for sentence in _SENTENCE.finditer(text):
        language = language_of(sentence.group())
        if language == "zh" and whole == "ja":  # no kana in this one
            language = whole
        if language is None and not shows_language(sentence.group()):
            language = whole
        if language is not None and language in VOCABULARIES:
            yield *sentence.span(), language


@dataclass(frozen=True, slots=True)
class _Sentence:
    """The span `[first, last)` of a text, as it was written and in lower case."""

    text: str
    lowered: str
    first: int
    last: int

    def before(self, start: int) -> str:
        return self.lowered[max(self.first, start - _CONTEXT) : start]

    def after(self, end: int) -> str:
        return self.lowered[end : min(self.last, end + _CONTEXT)]

    def without(self, start: int, end: int) -> str:
        """Return the rest of the sentence, without the names, which are no verbs."""
        return " ".join(
            _NAMES.sub(" ", self.text[first:last]).lower() for first, last in ((self.first, start), (end, self.last))
        )


@dataclass(frozen=True, slots=True)
class _Found:
    """A phrase that was found, as its reader sees it."""

    words: Compiled
    match: re.Match[str]
    said_on: date
    unit: Unit
    step: int  # how many of the unit from the day of speaking

    @property
    def monday(self) -> date:
        """The Monday of the week of speaking."""
        return self.said_on + relativedelta(weekday=MO(-1))


_Reader = Callable[[_Found], Meaning | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """Phrases, how they are read, and which doubts of the vocabulary are theirs."""

    pattern: re.Pattern[str]
    read: _Reader
    steps: tuple[_Step, ...] = (("day", 0),)  # of its phrases, where each is a group of the pattern
    beside: str = ""  # the words beside a "near_day", a "span", a "distance" or a "date" that make it doubtful
    when: Callable[["_Grammar", re.Match[str], str], bool] = lambda grammar, match, rest: True  # noqa: ARG005

    def step(self, match: re.Match[str]) -> _Step:
        groups = match.groupdict()
        return next((step for i, step in enumerate(self.steps) if groups.get(f"p{i}") is not None), self.steps[0])


class _Grammar:
    """The rules of one language."""

    def __init__(self, of: Vocabulary) -> None:
        self._words = Compiled(of)
        phrase = self._words.phrase
        self.past, self.told = phrase(of.past), phrase(of.told or of.past)
        self.future = phrase(of.future) if of.future else re.compile("")
        self.lasting, self.yearly = phrase(of.lasting), phrase(of.yearly)
        self._habit, self._saying, self._never = phrase(of.habit), phrase(of.saying), phrase(of.never)
        self._noun = re.compile(of.capitalised or NEVER)
        doubts = {
            "": ("", ""),
            "near_day": (of.before_near_day, of.after_near_day),
            "span": (of.before_span, of.after_span),
            "distance": (of.before_distance, of.after_distance),
            "date": (of.before_date, of.after_date),
        }
        self._before = {beside: self._words.right_before(before) for beside, (before, _) in doubts.items()}
        self._after = {beside: self._words.right_after(after) for beside, (_, after) in doubts.items()}
        self._rules = tuple(self._all_rules(of))

    def _all_rules(self, of: Vocabulary) -> Iterator[_Rule]:
        """Yield the rules; where two fit, the one that comes first is taken."""
        phrase = self._words.phrase
        week_day = _read_week_day_but_on_sunday if of.sunday_begins else _read_week_day
        years, months = ({said: one for said, one in of.spans.items() if one[0] == unit} for unit in ("year", "month"))
        yield _Rule(pattern=phrase(of.today_ago), read=_read_today_ago)
        yield self._phrases(of.today_then, _read_today_then)
        yield self._phrases({said: ("week", n) for said, n in of.week_days.items()}, week_day, beside="span")
        yield _Rule(pattern=phrase(of.ago), read=_read_ago, beside="distance")
        yield _Rule(pattern=phrase(of.ago_or_for), read=_read_ago, beside="distance", when=_does_not_last)
        yield _Rule(pattern=phrase(of.ahead), read=_read_ahead, beside="distance", when=_is_to_come)
        yield _Rule(pattern=phrase(of.last_weekday), read=_read_last_weekday, beside="span")
        if of.months:
            yield self._phrases(years, _read_date_in, tail=f"{of.months}(?:{of.month_days})?")
            yield self._phrases(months, _read_date_in, tail=of.month_days)
        if of.year_seasons:
            yield self._phrases(years, _read_season_in, tail=of.year_seasons)
        yield _Rule(pattern=phrase(of.calendar), read=_read_calendar, beside="date", when=_year_is_clear)
        yield _Rule(pattern=phrase(of.last_season), read=_read_last_season, beside="span")
        yield self._phrases(of.spans, _read_span, beside="span")
        yield self._phrases({said: ("day", n) for said, n in of.near_days.items()}, _read_near_day, beside="near_day")

    def _phrases(self, steps: Mapping[str, _Step], read: _Reader, *, beside: str = "", tail: str = "") -> _Rule:
        groups = "|".join(f"(?P<p{i}>{said})" for i, said in enumerate(steps))
        pattern = self._words.phrase(f"(?:{groups}){tail}" if steps else "")
        return _Rule(pattern=pattern, read=read, steps=tuple(steps.values()) or (("day", 0),), beside=beside)

    def read(self, sentence: _Sentence, said_on: date) -> Iterator[TimeExpression]:
        """Yield the times of a sentence."""
        if any(one.search(sentence.lowered, sentence.first, sentence.last) for one in (self._habit, self._saying)):
            return
        never = [match.span() for match in self._never.finditer(sentence.lowered, sentence.first, sentence.last)]
        taken: list[tuple[int, int]] = []
        for rule in self._rules:
            for match in rule.pattern.finditer(sentence.lowered, sentence.first, sentence.last):
                start, end = match.span()
                if any(start < last and first < end for first, last in taken):
                    continue
                if any(start < last and first < end and not _within(first, last, start, end) for first, last in never):
                    continue
                taken.append((start, end))  # what is doubtful is not read in another way either
                meaning = None if self._is_doubtful(rule, sentence, match) else self._meaning(rule, match, said_on)
                if meaning is not None:
                    yield meaning.at(start, end)

    def _meaning(self, rule: _Rule, match: re.Match[str], said_on: date) -> Meaning | None:
        try:
            return rule.read(_Found(self._words, match, said_on, *rule.step(match)))
        except (OverflowError, ValueError):  # yesterday of the first day there is, the 31st of April
            return None

    def _is_doubtful(self, rule: _Rule, sentence: _Sentence, match: re.Match[str]) -> bool:
        start, end = match.span()
        before, word = sentence.before(start), sentence.text[start:end].split()[0]
        # A capital inside a sentence: the song "Yesterday".
        titled = rule.beside in {"near_day", "distance"} and word[0].isupper() and not word.isupper()
        return (
            (titled and bool(_INSIDE.search(before)))
            or bool(self._noun.match(sentence.text, start, sentence.last))
            or bool(self._before[rule.beside].search(before))
            or bool(self._after[rule.beside].match(sentence.after(end)))
            or not rule.when(self, match, sentence.without(start, end))
        )


@cache
def _grammar(language: Language) -> _Grammar:
    return _Grammar(VOCABULARIES[language])


def _within(first: int, last: int, start: int, end: int) -> bool:
    """Return whether an idiom is but a part of a longer phrase: "la mañana" of "mañana por la mañana"."""
    return start <= first and last <= end and last - first < end - start


def _does_not_last(grammar: _Grammar, match: re.Match[str], rest: str) -> bool:  # noqa: ARG001
    """Return whether the rest of a sentence holds no verb that makes "two years ago" say how long."""
    return not grammar.lasting.search(rest) or bool(grammar.past.search(rest))


def _is_to_come(grammar: _Grammar, match: re.Match[str], rest: str) -> bool:  # noqa: ARG001
    """Return whether the rest of a sentence is not in a past tense, where "in two days" is two days later."""
    return bool(grammar.future.search(rest)) and not grammar.past.search(rest)


def _year_is_clear(grammar: _Grammar, match: re.Match[str], rest: str) -> bool:
    """Return whether a day was said with its year, or in a sentence about the past that names no birthday or feast."""
    return bool(match["year"] or (grammar.told.search(rest) and not grammar.yearly.search(rest)))


def _read_near_day(found: _Found) -> Meaning:
    return day_meaning(found.said_on + timedelta(days=found.step), implied=found.step == 0)


def _read_span(found: _Found) -> Meaning:
    if found.unit == "week" and -1 <= found.step <= 1:
        return week_beside(found.said_on, found.step)
    if found.unit == "weekend":
        return weekend_meaning(found.said_on, found.step)
    return _distance(found.unit, found.step, found.said_on)


def _distance(unit: Unit, step: int, said_on: date) -> Meaning:
    """Return the day, week, month or year that many of them from `said_on`."""
    match unit:
        case "day":
            return day_meaning(said_on + timedelta(days=step))
        case "week" | "weekend":
            return week_meaning(said_on + timedelta(weeks=step))
        case "month":
            return month_meaning(said_on + relativedelta(months=step), implied=step == 0)
        case "year":
            return year_meaning((said_on + relativedelta(years=step)).year, implied=step == 0)


def _read_ago(found: _Found) -> Meaning:
    number, unit = found.words.count(found.match.group())
    return _distance(unit, -number, found.said_on)


def _read_ahead(found: _Found) -> Meaning:
    number, unit = found.words.count(found.match.group())
    return _distance(unit, number, found.said_on)


def _read_today_then(found: _Found) -> Meaning:
    """Resolve "this day last year"."""
    return _same_day(found.unit, found.step, found.said_on)


def _read_today_ago(found: _Found) -> Meaning:
    """Resolve "a year ago today"."""
    number, unit = found.words.count(found.match.group())
    return _same_day(unit, -number, found.said_on)


def _same_day(unit: Unit, step: int, said_on: date) -> Meaning:
    steps = {"day": relativedelta(days=step), "week": relativedelta(weeks=step), "month": relativedelta(months=step)}
    return day_meaning(said_on + steps.get(unit, relativedelta(years=step)))


def _read_date_in(found: _Found) -> Meaning:
    """Resolve "March of last year", "the 5th of last month"."""
    first, said = _distance(found.unit, found.step, found.said_on).first, found.match.groupdict()
    if said.get("month"):
        first = first.replace(month=found.words.month(found.match))
    return day_meaning(first.replace(day=found.words.number(said["date"]))) if said["date"] else month_meaning(first)


def _read_season_in(found: _Found) -> Meaning:
    return season_meaning(_SEASONS[found.words.season(found.match)], found.said_on.year + found.step)


def _read_last_season(found: _Found) -> Meaning | None:
    """Resolve "last summer"; while the summer of this year is still called "this summer", it may be either."""
    name = _SEASONS[found.words.season(found.match)]
    seasons = [season_meaning(name, found.said_on.year - back) for back in range(3)]
    latest = next(season for season in seasons if season.last < found.said_on)
    later = relativedelta(months=3) if name == "winter" else relativedelta(years=1, month=1, day=1)
    return latest if found.said_on >= latest.last + later else None


def _read_calendar(found: _Found) -> Meaning | None:
    """Resolve "3 May 2022"; and "3 May", if its sentence is about the past and the latest such day is near."""
    month, day = found.words.month(found.match), found.words.number(found.match["date"])
    if found.match["year"]:
        return day_meaning(date(int(found.match["year"]), month, day), relative=False)
    latest = date(found.said_on.year, month, day)
    latest = latest if latest <= found.said_on else latest.replace(year=latest.year - 1)
    return day_meaning(latest) if found.said_on - latest <= _NEAR else None


def _read_week_day(found: _Found) -> Meaning:
    """Resolve "Friday of last week"."""
    return day_meaning(found.monday + timedelta(weeks=found.step, days=found.words.weekday(found.match)))


def _read_week_day_but_on_sunday(found: _Found) -> Meaning | None:
    return None if found.said_on.weekday() == _SUNDAY else _read_week_day(found)


def _read_last_weekday(found: _Found) -> Meaning | None:
    """Resolve "last Friday": the latest, or that of last week? Where they differ, it cannot be known."""
    latest = found.said_on + relativedelta(days=-1, weekday=weekday(found.words.weekday(found.match))(-1))
    return day_meaning(latest) if latest < found.monday else None
