"""Doubts: does a time expression have one sensible reading where it stands? If not, it is left as it was said.

Rules over the words around an expression, each for one kind of doubt: durations ("finished it in two days"), habits and yearly
dates ("every 5 June", "born on 3 May"), ranges, approximations, compounds ("two days before yesterday"), quoted speech, titles,
street names and other labels. Knows English only. A date without a year gets one only where its clause shows which.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from language.dates import MONTH_NAME

__all__ = ["has_one_reading", "year_of"]

_NEAR = timedelta(days=45)  # a day so near, said without a tense, is of the year in which it is this near
_FAR = timedelta(
    days=300
)  # what is further ahead is said with its year: "are due April 15", said in May, is of every year
_AROUND = 40  # characters before and after an expression that are looked at

_TIME_WORDS = r"(?:day|night|morning|week|weekend|month|year|time)s?"
_WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_SMALL = "one|two|three|four|five|six|seven|eight|nine|ten"
_DASH = "-\u2013\u2014"
_TO = r"(?:to|till|until|through|and|or)"

_QUOTATION = re.compile(
    r'"[^"]*"|' + "\u201c[^\u201d]*\u201d|\u201e[^\u201c\u201d]*[\u201c\u201d]|\u00ab[^\u00bb]*\u00bb" + r"|^>.*$"
    # In single quotes: an apostrophe within a word, and one behind an s, is none.
    r"|(?<!\w)['\u2018\u201a](?=\w)(?:[^'\u2018\u2019\n]|(?<=\w)['\u2019](?=\w)|(?<=s)['\u2019](?=\s))*['\u2018\u2019](?!\w)",
    re.MULTILINE,
)
_IDIOM = re.compile(
    r"\bborn\s+yesterday\b|\bno\s+tomorrow\b|\btomorrow\s+is\s+another\s+day\b|\byesterday['\u2019]s\s+(?:news|man|men)\b"
    r"|\b(?:kids|people|children|society|the\s+world|teenagers|youth|everyone|women|men)\s+(?:of\s+)?today\b"
    r"|\btoday['\u2019]s\s+(?:world|society|youth|kids|standards)\b|\bhere\s+today\b",
    re.IGNORECASE,
)
_TO_COME = r"(?:tomorrow|yesterday|today|next\s+(?:week|month|year))"
# Days of no calendar: of a proverb ("tomorrow is a new day"), a comparison ("as if it were yesterday"), a story ("in the book, she
# leaves tomorrow").
_OF_NO_CALENDAR = re.compile(
    rf"\b{_TO_COME}(?:['\u2019]s|\s+(?:is|was|will\s+be|brings?))\s+(?:\w+\s+)?(?:an?\s+)?(?:\w+\s+)?"
    r"(?:another|new|different|other)\s+day\b"
    rf"|\b{_TO_COME},?\s+(?:what\s+(?:you|one|we|can)|never\s+(?:comes?|dies?|knows?))\b"
    rf"|\b(?:like|as\s+(?:if|though)|than|feels?|felt|seems?|seemed|thought|believed|wish(?:ed)?)\s+(?:(?:that\s+)?(?:it|today|this)\s+"
    rf"(?:was|were|is|happened)\s+)?(?:only\s+|just\s+)?{_TO_COME}\b"
    r"|\bin\s+(?:the|this|that|a)\s+(?:\w+\s+)?(?:story|novel|book|film|movie|game|play|song|tale|joke|riddle|myth)(?:,|\s+(?:the|a|he|she|it|they)\b)"
    r"|\bin\s+(?:my|his|her|a|the)\s+(?:\w+\s+)?(?:dreams?|nightmare)\b|\bas\s+the\s+(?:song|saying|proverb|poem)\s+(?:goes|says)\b"
    rf"|^\W*{_TO_COME}(?:\s+by\s+(?:the\s+)?(?-i:[A-Z])|,?\s+(?:is|was)\s+(?:a|an|the|my|our|his|her)\b.*\b(?:song|film|movie|novel|poem|book|album|hit|series)\b)",
    re.IGNORECASE,
)
# Somebody's saying, named behind it.
_SAYING = re.compile(
    r",\s+as\s+[^,]{1,40}\s(?:says?|said|goes|puts?\s+it)\s*$"
    r"|,\s+(?:\w+\s+){1,4}(?:(?:always|often)\s+(?:says?|said)|used\s+to\s+say)\s*$",
    re.IGNORECASE,
)
_TITLED = re.compile(r"(?:Yesterday|Tomorrow|Today|Tonight)\b")
_CLAUSE_END = re.compile(r"[.!?;\n]")
_PART_END = re.compile(r"[.!?;,:()\n]")
_APPROXIMATE = re.compile(
    r"\b(?:about|around|approximately|roughly|almost|nearly|maybe|perhaps|probably|some|like|circa|ca\.?|over|under|within"
    r"|(?:more|less|fewer)\s+than|at\s+(?:least|most)|up\s+to|(?:just|well)\s+(?:over|under)|every|each|another"
    r"|the\s+(?:past|last|next|first)|half|(?:think|guess|believe|suppose|say)\s+(?:that\s+)?it\s+was)\s+$"
    rf"|\b(?:\d+|{_SMALL}|couple|few)\s*(?:\bor\b|\bto\b|[{_DASH}/])\s*$",
    re.IGNORECASE,
)
_COMPOUND_BEFORE = re.compile(rf"\b{_TIME_WORDS}\s+(?:before|after|from|since|of)\s+(?:the\s+)?$", re.IGNORECASE)
_COMPOUND_AFTER = re.compile(
    r"\s+(?:(?:before|after)\s+(?:last|next|that)\b|(?:or|and)\s+(?:so|two|three|a\s+half|something)\b|but\s+one\b"
    r"|(?:from|since)\s+(?!now|then|today)\w+day\b|or\s+(?:\d+|one|two|three|four|five|six)\b)"
    r"|[\s,;.\u2013\u2014-]+(?:or\s+(?:maybe|perhaps|was\s+it|possibly|thereabouts)|no,?\s+wait|wait,?\s+no|i\s+(?:think|guess|believe|mean|suppose)"
    r"|give\s+or\s+take|if\s+i\s+(?:remember|recall)|not\s+sure|ish)\b|ish\b",
    re.IGNORECASE,
)
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|dozen|point"
_NUMBER_BEFORE = re.compile(rf"(?:\d\s*[.,/]|[{_DASH}\u2212]|\b(?:{_TENS})(?:\s+and)?[\s-]+)$", re.IGNORECASE)
_OF = re.compile(r"\s+of\b", re.IGNORECASE)
_OWNED = re.compile(r"(?:\b(?:the|a|an|my|your|his|her|its|our|their|whose)|['\u2019]s)\s+$", re.IGNORECASE)
_AGO_BEFORE = re.compile(r"\bago,?\s+$", re.IGNORECASE)
_AGO_AFTER = re.compile(rf",?\s+(?:tomorrow|yesterday|last|next|this|come|{_WEEKDAY})\b", re.IGNORECASE)
_WEEK_AFTER_WEEK = re.compile(r"\s+(?:after|by)\s+(?:day|week|month|year)\b", re.IGNORECASE)
_YEARS_AFTER = re.compile(rf"\s*[{_DASH}/]\s*\d|\s+(?:or|and|to)\s+(?:so\b|\d)|\s*,\s*\d{{4}}\b", re.IGNORECASE)
_DAYS_AFTER = re.compile(r"\s*,\s*\d{1,2}(?:st|nd|rd|th)?\s*(?:,|and\b|or\b|&)", re.IGNORECASE)
_RANGE_BEFORE = re.compile(
    rf"(?:\d(?:st|nd|rd|th)?|{_WEEKDAY}|\b(?:{MONTH_NAME}))\s*(?:[{_DASH}/&,]|{_TO})\s*(?:the\s+)?$", re.IGNORECASE
)
_RANGE_AFTER = re.compile(
    rf"\s*(?:[{_DASH}/&]\s*\d|{_TO}\s+(?:the\s+)?(?:\d{{1,2}}(?:st|nd|rd|th)?|(?:{MONTH_NAME})\s+\d{{1,2}})\b)",
    re.IGNORECASE,
)
_REPEATED = re.compile(
    r"\b(?:every|each|usually|always|often|normally|typically|generally|whenever|annual(?:ly)?|yearly|any\s+given)\b",
    re.IGNORECASE,
)
_AIM = re.compile(r"\b(?:to|for|until|till|by)\s+(?:the\s+)?$", re.IGNORECASE)
_YEARLY = re.compile(
    r"\b(?:born|birth\s?days?|b-?days?|anniversar(?:y|ies)|name\s?day|(?:every|each)\s+year|year\s+after\s+year|holidays?"
    r"|celebrated?\s+on|falls?\s+on)\b",
    re.IGNORECASE,
)
_ARRANGED = re.compile(  # said of the past, and when it is to be
    r"\b(?:sign(?:ed|ing)\s+up|regist(?:er|r)\w*|book(?:ed|ing)|reserv(?:ed|ation)|enrol\w*|schedul\w*|invit\w*|appl(?:ied|ying)"
    r"|tickets?|appointments?|agreed|arranged|planned|promised|cancell?ed|postponed|rescheduled|moved|pushed|announced|entered)\b",
    re.IGNORECASE,
)
_LABEL_BEFORE = re.compile(
    r"(?:\b(?:version|ver|v|release|chapter|section|page|rooms?|flat|apartment|apt|suite|unit|level|floor|bus|tram|route|line"
    r"|gate|platform|article|episode|season|hall|lot|no|number|nr|building|house|verse|psalm|grade|class|team|group)\.?\s*#?"
    r"|#)\s*$",
    re.IGNORECASE,
)
_LABEL_AFTER = re.compile(
    r"\s+(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Court|Ct|Square|Sq|Place|Pl|Way|Close|Terrace|Crescent|Boulevard"
    r"|Blvd|Madness|Hare)\b"
)
# "in 1950 souls": what is counted is many. A verb there ("in 2019 it was") is none of these.
_MANY = re.compile(
    r"\s+(?!(?:was|is|has|does|this|its|his|as|us|yes|always|plus|versus|perhaps|besides|thus|across|towards)\b)[a-z]{3,}(?<!s)s\b"
)
_UNITS = re.compile(
    r"\s+(?:steps?|words?|people|persons?|met(?:er|re)s?|miles?|km|kilomet(?:er|re)s?|dollars?|euros?|pounds?|bucks?|pieces?"
    r"|calories|kcal|units?|square|feet|foot|rpm|mg|ml|grams?|kg|points?|votes?|pages?|lines?|users?|times|copies|players?"
    r"|items?|rows?|songs?|photos?|books?|of\s+(?:us|you|them|my|our|the))\b",
    re.IGNORECASE,
)
_ALWAYS_CAPITAL = rf"(?:{_WEEKDAY}|{MONTH_NAME})$"
_SO_MUCH = re.compile(
    rf"(?:\b(?:\d+|{_SMALL}|twenty|hundreds?|all|whole|entire|every|half)\b|%)[^,.;!?]*$", re.IGNORECASE
)
_NO_VERBS = "married|need|indeed|feed|seed|speed|weed|hundred|breed|bleed|exceed|proceed|succeed|naked"
_PAST = re.compile(
    r"\b(?:was|were|had|did|went|got|came|saw|met|bought|made|took|left|began|ran|gave|told|said|found|felt|thought|knew|lost"
    r"|won|broke|drove|flew|ate|drank|wrote|read|sang|spoke|swam|slept|spent|sent|built|caught|taught|brought|sold|held|kept"
    r"|paid|led|heard|fell|grew|hit|quit|put|set|chose|wore|forgot|became|rode|threw|stood|understood|woke|hung|shot|cut|hurt"
    rf"|(?!(?:{_NO_VERBS})\b)\w{{2,}}ed)\b",
    re.IGNORECASE,
)
_ING = r"(?:\w+\s+)?\w+ing\b"
_FUTURE = re.compile(
    r"\b(?:will|wo|shall|going\s+to|gonna|about\s+to|plan(?:s|ning)?\s+(?:to|on)|upcoming|hop(?:e|ing)\s+to|wants?\s+to|due"
    r"|see\s+(?:you|ya)|looking\s+forward|can't\s+wait|scheduled|booked\s+for|needs?\s+to|ha(?:ve|s)\s+to|must|should|let's"
    r"|deadline|expires?|starts?|begins?|leaves?|departs?|arrives?|opens?|closes?|ends?|returns?|back|remind\s+me|ready|runs?\s+out|takes?\s+place|happens?|comes?)\b"
    rf"|['\u2019]ll\b|\b(?:am|is|are)\s+{_ING}|['\u2019](?:m|s|re)\s+{_ING}|\b(?:is|are)\s+(?:on|in)\s|['\u2019](?:s|re)\s+(?:on|in)\s",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Place:
    """An expression and what stands around it: a few words `before` and `after`, the `clause`, its `part` between commas."""

    before: str
    words: str
    after: str
    clause: str
    part: str


def has_one_reading(text: str, start: int, end: int, *, kind: str) -> bool:
    """Return whether the expression `[start, end)` of `text` has one sensible reading where it stands.

    Args:
        text: the whole text; what is around the expression is what makes it doubtful.
        start: where the expression begins.
        end: where it ends.
        kind: that of the rule which found it: "day" (yesterday), "named" (last March, next Friday), "ago", "ahead" (in two days),
            "calendar" (3 May), "explicit" (7 May 2023) or "year" (in 2019).
    """
    place = _Place(
        before=text[max(start - _AROUND, 0) : start],
        words=text[start:end],
        after=text[end : end + _AROUND],
        clause=_clause(text, start, end, _CLAUSE_END),
        part=_clause(text, start, end, _PART_END),
    )
    return not any(doubts(place) for doubts in _DOUBTS[kind]) and not _quoted(text, start, end)


def year_of(text: str, start: int, end: int, *, month: int, day: int, said_on: date) -> int | None:
    """Return the year of a calendar day that was said without one; None where two are sensible, or where it is yearly.

    Args:
        text: the whole text, whose tenses decide.
        start: where the day's expression begins.
        end: where it ends.
        month: the month that was said, 1 to 12.
        day: the day of the month.
        said_on: when the text was said.
    """
    clause = _clause(text, start, end, _CLAUSE_END)
    if _YEARLY.search(clause) or _REPEATED.search(clause):
        return None
    days = [found for year in (said_on.year - 1, said_on.year, said_on.year + 1) if (found := _day(year, month, day))]
    past, future = bool(_PAST.search(clause)), bool(_FUTURE.search(clause))
    if past and not future and (_AIM.search(text, 0, start) or _ARRANGED.search(clause)):
        return None  # "they put it off to 20 September": said of the past, and it lies ahead
    if past and not future:
        days = [found for found in days if found <= said_on][-1:]
    elif future and not past:
        days = [found for found in days if timedelta() <= found - said_on <= _FAR][:1]
    else:
        days = [found for found in days if abs(found - said_on) <= _NEAR]
    return days[0].year if len(days) == 1 else None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:  # 31 April, or 29 February of another year
        return None


def _clause(text: str, start: int, end: int, limit: re.Pattern[str]) -> str:
    """Return what stands around an expression, up to the nearest `limit` on both sides."""
    first = max((match.end() for match in limit.finditer(text, 0, start)), default=0)
    last = limit.search(text, end)
    return text[first : last.start() if last else len(text)]


def _quoted(text: str, start: int, end: int) -> bool:
    """Return whether it stands in quotation marks, or in a quoted line: said by somebody else, at another time."""
    return any(match.start() < start and end <= match.end() for match in _QUOTATION.finditer(text))


def _is_title(place: _Place) -> bool:
    """Return whether capitals make it a title: the song "Yesterday", the film "The Day After Tomorrow"."""
    if _TITLED.match(place.words) and re.search(r"[\w,] $", place.before):
        return True
    words = [
        word for word in re.findall(r"[A-Za-z]+", place.words) if not re.match(_ALWAYS_CAPITAL, word, re.IGNORECASE)
    ]
    return len(words) > 1 and all(word[0].isupper() and not word.isupper() for word in words)


def _is_of_no_calendar(place: _Place) -> bool:
    """Return whether it is a day of a proverb, a comparison, a story or a title, not of the speaker's calendar."""
    return bool(_OF_NO_CALENDAR.search(place.clause.strip()) or _SAYING.search(place.clause.strip()))


def _is_idiom(place: _Place) -> bool:
    return any(place.words.lower() in match.group().lower() for match in _IDIOM.finditer(place.clause))


def _is_duration(place: _Place) -> bool:
    """Return whether "in two days" says how long it took: no sign of the future, or so much of it ("lose 5 kilos in 2 months")."""
    return not _FUTURE.search(place.part) or bool(_PAST.search(place.part) or _SO_MUCH.search(place.before))


def _is_verb(place: _Place) -> bool:
    """Return whether a lower-case "march" or "may" has neither an ordinal, nor a year, nor "on" before it, as a month has."""
    if not re.search(r"\b(?:mar|march|may)\b", place.words):
        return False
    if re.search(r"\b(?:i|you|he|she|it|we|they|who|that|there)\s+$", place.before, re.IGNORECASE):
        return True
    if re.search(r"\d(?:st|nd|rd|th)|\d{4}", place.words):
        return False
    return not re.search(r"\b(?:on|by|since|until|till|from|before|after)\s+(?:the\s+)?$", place.before, re.IGNORECASE)


def _counts_something(place: _Place) -> bool:
    """Return whether the number counts what follows: "In March 10 people came"."""
    return bool(re.search(r"\bin\s+$", place.before, re.IGNORECASE)) and place.words[:1].isalpha()


def _approximate(place: _Place) -> bool:
    return bool(_APPROXIMATE.search(place.before))


def _compound(place: _Place) -> bool:
    return bool(
        _COMPOUND_BEFORE.search(place.before)
        or _COMPOUND_AFTER.match(place.after)
        or _WEEK_AFTER_WEEK.match(place.after)
        or _AGO_BEFORE.search(place.before)
    )


def _cut_in_half(place: _Place) -> bool:
    """Return whether the number begins before the expression: "1.5 years ago", "thirty-two days ago"."""
    return bool(_NUMBER_BEFORE.search(place.before))


def _counted_from_elsewhere(place: _Place) -> bool:
    """Return whether it is not counted from today: "a week ago yesterday"."""
    return bool(_AGO_AFTER.match(place.after))


def _of_something(place: _Place) -> bool:
    """Return whether it is part of something: "last night of the tour", "two days of work"."""
    return bool(_OF.match(place.after))


def _of_a_story(place: _Place) -> bool:
    """Return whether it counts within what is described: "the next week we left", "her last year at school"."""
    return bool(_OWNED.search(place.before)) and not place.words.lower().startswith("this")


def _is_last_of_something(place: _Place) -> bool:
    """Return whether "last night" is the last of several: "our last night in Rome"."""
    return place.words.lower().startswith("last") and (_of_something(place) or _of_a_story(place))


def _among_years(place: _Place) -> bool:
    return bool(_YEARS_AFTER.match(place.after))


def _among_days(place: _Place) -> bool:
    return bool(_DAYS_AFTER.match(place.after))


def _in_a_range(place: _Place) -> bool:
    return bool(_RANGE_BEFORE.search(place.before) or _RANGE_AFTER.match(place.after))


def _repeated(place: _Place) -> bool:
    return bool(_REPEATED.search(place.before[-_AROUND // 2 :]))


def _labelled(place: _Place) -> bool:
    return bool(_LABEL_BEFORE.search(place.before) or _LABEL_AFTER.match(place.after))


def _counted(place: _Place) -> bool:
    return bool(_UNITS.match(place.after))


def _counted_or_many(place: _Place) -> bool:
    return _counted(place) or bool(_MANY.match(place.after))


_DOUBTS: Mapping[str, tuple[Callable[[_Place], bool], ...]] = {
    "day": (_is_title, _is_idiom, _is_of_no_calendar, _compound, _repeated, _is_last_of_something),
    "named": (_is_title, _is_of_no_calendar, _compound, _repeated, _of_something, _of_a_story),
    "ago": (_is_title, _is_of_no_calendar, _approximate, _compound, _repeated, _cut_in_half, _counted_from_elsewhere),
    "ahead": (_is_duration, _is_of_no_calendar, _approximate, _compound, _repeated, _cut_in_half, _of_something),
    "calendar": (_is_verb, _counts_something, _approximate, _in_a_range, _repeated, _labelled, _counted, _among_days),
    "explicit": (_among_years,),
    "year": (_counted_or_many, _among_years),
}
