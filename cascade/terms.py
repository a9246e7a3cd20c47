"""Words, numbers and dates of a text, as the guards compare them. English word lists; digits of any script."""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache

import snowballstemmer

__all__ = [
    "DateSaid",
    "content_terms",
    "dates",
    "names",
    "numbers",
    "sentences",
    "sound",
    "without_dates",
    "without_numbers",
]

_WORD = re.compile("[^\\W_]+(?:['\u2019][^\\W_]+)*")
_STOP = frozenset(
    """a about after all also am an and any are as at be because been before being between both but by can could did do does doing
    during each either else for from get go got had has have having he her here hers him his how i if in into is it its just
    like may me might mine more most much my no nor not now of off on once one only or other our ours out over own per she should
    since so some such than that the their theirs them then there these they this those through to too under until up us very was we
    were what when where which while who whom whose why will with would yes yet you your yours said told says asked
    answer likely unlikely probably maybe perhaps approximately around early mid late""".split()
)
_UNITS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_NUMBER_WORDS = {word: value for value, word in enumerate(_UNITS.split())}
_NUMBER_WORDS |= {word: 10 * value for value, word in enumerate(_TENS.split(), 2)}
_NUMBER_WORDS |= {"once": 1, "twice": 2, "hundred": 100, "thousand": 1_000, "million": 1_000_000, "dozen": 12}
_CURRENCIES = {"$": " dollars ", "\u20ac": " euros ", "\u00a3": " pounds ", "\u00a5": " yen "}
_DIGITS = re.compile(
    r"(?<![\w.,-])(-?)(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?([^\W\d_]*)"
)  # a unit may be attached: 75kg, 3pm, 1980s
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000, "dozen": 12, "k": 1_000}
_SCALE_AFTER = re.compile(r"[\s-]*(hundred|thousand|million|billion|dozen)\b", re.IGNORECASE)
_COMPOUND = re.compile(
    rf"\b({_TENS.replace(' ', '|')})[- ](one|two|three|four|five|six|seven|eight|nine)\b", re.IGNORECASE
)
_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = "(?P<{}>" + "|".join(f"{name[:3]}(?:{name[3:]})?" for name in _MONTHS) + r"|sept)\.?"
_WEEKDAY = r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,?\s+(?:the\s+)?)?"
_DAY = r"(?P<{}>[0-3]?\d)(?:st|nd|rd|th)?"
_YEAR = r"(?P<{}>(?:19|20)\d\d)"
_DATE = re.compile(
    "|".join(
        (
            r"(?P<y0>(?:19|20)\d\d)-(?P<m0>[01]\d)-(?P<d0>[0-3]\d)",
            rf"\b{_WEEKDAY}{_DAY.format('d1')}\s+(?:of\s+)?{_MONTH.format('m1')}(?:,?\s+{_YEAR.format('y1')})?\b",
            rf"\b{_WEEKDAY}{_MONTH.format('m2')}\s+{_DAY.format('d2')}\b(?:,?\s+{_YEAR.format('y2')}\b)?",
            rf"\b{_MONTH.format('m3')},?\s+{_YEAR.format('y3')}\b",
            rf"\b{_YEAR.format('y4')}\b",
            r"\b(?P<m5>January|February|April|June|July|August|September|October|November|December|(?<=\bin )(?:March|May))\b",
        )
    ),
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_NAME = re.compile(r"\b[A-Z][\w'\u2019-]+")
_NO_NAMES = (
    _STOP
    | frozenset(_MONTHS)
    | frozenset(_NUMBER_WORDS)
    | frozenset(
        """monday tuesday wednesday thursday friday saturday sunday mr mrs ms dr today yesterday tomorrow early mid late last next
        several later another first second beginning currently originally according based""".split()
    )
)


@dataclass(frozen=True, slots=True)
class DateSaid:
    """A date as exact as it was said; what was left open is None."""

    year: int | None
    month: int | None
    day: int | None

    def covers(self, other: "DateSaid") -> bool:
        """Whether this date says nothing that `other` does not say too."""
        pairs = ((self.year, other.year), (self.month, other.month), (self.day, other.day))
        return all(mine is None or mine == theirs for mine, theirs in pairs)


def sentences(text: str) -> list[str]:
    """Split an answer where a sentence ends."""
    return _SENTENCE_END.split(text)


def sound(text: str) -> str:
    """Replace halves of surrogate pairs, which JSON may spell and nothing can store."""
    return text.encode("utf-8", "replace").decode("utf-8")


def content_terms(text: str) -> set[str]:
    """Give the stems of the words that carry meaning, signs of currencies as words."""
    for sign, word in _CURRENCIES.items():
        text = text.replace(sign, word)
    return {_stem(word) for word in _words(text) if word not in _STOP}


def numbers(text: str) -> list[Decimal]:
    """Give the numbers of a text, in digits or in words, in order; digits of dates too, unless they are taken out first.

    A unit may be attached, and a scale ("2 million", "1.5k") is applied.
    """
    found = [
        (
            m.start(),
            m.end(),
            Decimal(f"{m[1]}{m[2].replace(',', '')}{m[3] or ''}") * (1_000 if m[4].lower() == "k" else 1),
        )
        for m in _DIGITS.finditer(text)
    ]
    compounds = list(_COMPOUND.finditer(text))
    found += [
        (m.start(), m.end(), Decimal(_NUMBER_WORDS[m[1].lower()] + _NUMBER_WORDS[m[2].lower()])) for m in compounds
    ]
    rest = _COMPOUND.sub(lambda m: " " * len(m[0]), text)
    found += [
        (m.start(), m.end(), Decimal(_NUMBER_WORDS[m[0].lower()]))
        for m in _WORD.finditer(rest)
        if m[0].lower() in _NUMBER_WORDS and not _scales(text, m)
    ]
    return [_scaled(value, text, end) for _, end, value in sorted(found)]


def _scales(text: str, word: re.Match[str]) -> bool:
    """Whether a word such as "million" belongs to the number before it."""
    before = re.search(r"([\w.,]+)[\s-]*$", text[: word.start()])
    told = before[1].lower() if before else ""
    return word[0].lower() in _SCALES and (told[-1:].isdigit() or told in _NUMBER_WORDS)


def _scaled(value: Decimal, text: str, end: int) -> Decimal:
    scale = _SCALE_AFTER.match(text, end)
    return value * _SCALES[scale[1].lower()] if scale else value


def dates(text: str) -> list[DateSaid]:
    """Give the dates of a text, in order."""
    return [_date(match) for match in _DATE.finditer(text)]


def without_dates(text: str) -> str:
    """Blank the dates out."""
    return _DATE.sub(" ", text)


def without_numbers(text: str) -> str:
    """Blank dates and numbers out, in digits or in words."""
    rest = _COMPOUND.sub(" ", _DIGITS.sub(" ", without_dates(text)))
    return _WORD.sub(lambda match: " " if match[0].lower() in _NUMBER_WORDS else match[0], rest)


def names(text: str) -> list[str]:
    """Give the capitalised words that are no common words, months or weekdays, without a possessive ending."""
    found = [re.sub(r"['\u2019]s?$", "", match[0]) for match in _NAME.finditer(text)]
    return [name for name in found if re.split("['\u2019]", name.lower())[0] not in _NO_NAMES]


def _date(match: re.Match[str]) -> DateSaid:
    said = {key[0]: value for key, value in match.groupdict().items() if value}
    month = said.get("m")
    return DateSaid(
        year=int(said["y"]) if "y" in said else None,
        month=_month(month) if month else None,
        day=int(said["d"]) if "d" in said else None,
    )


def _month(said: str) -> int:
    if said.isdigit():
        return int(said)
    return next(number for number, name in enumerate(_MONTHS, 1) if name.startswith(said.lower().rstrip(".")[:3]))


def _words(text: str) -> list[str]:
    return [re.sub(r"['\u2019]s?$", "", word).lower() for word in _WORD.findall(text)]


@cache
def _stemmer() -> snowballstemmer.stemmer:
    return snowballstemmer.stemmer("english")


@lru_cache(maxsize=32_768)
def _stem(word: str) -> str:
    return str(_stemmer().stemWord(word))
