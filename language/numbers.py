"""Numbers of a text, in digits of any script or in English words, with attached units and scales ("75kg", "1.5k", "2 million")."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

__all__ = ["NUMBER_WORDS", "Number", "blank_numbers", "find_numbers", "is_number_word", "number_words"]

_UNITS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000, "dozen": 12, "k": 1_000}
NUMBER_WORDS = {word: value for value, word in enumerate(_UNITS.split())}
NUMBER_WORDS |= {word: 10 * value for value, word in enumerate(_TENS.split(), 2)}
NUMBER_WORDS |= {"once": 1, "twice": 2, "hundred": 100, "thousand": 1_000, "million": 1_000_000, "dozen": 12}
_SMALL = frozenset(word for word, value in NUMBER_WORDS.items() if 1 <= value <= 10)

_WORD = re.compile("[^\\W_]+(?:['\u2019][^\\W_]+)*")
# A unit may be attached: 75kg, 3pm, 1980s.
_DIGITS = re.compile(r"(?<![\w.,-])(-?)(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?([^\W\d_]*)")
_COMPOUND = re.compile(
    rf"\b({_TENS.replace(' ', '|')})[- ](one|two|three|four|five|six|seven|eight|nine)\b", re.IGNORECASE
)
_SCALE_AFTER = re.compile(r"[\s-]*(hundred|thousand|million|billion|dozen)\b", re.IGNORECASE)
_BEFORE = re.compile(r"([\w.,]+)[\s-]*$")


@dataclass(frozen=True, slots=True)
class Number:
    """The span `[start, end)` of a text and the value that it means there; a scale after it is applied."""

    start: int
    end: int
    value: Decimal


@lru_cache(maxsize=100_000)
def is_number_word(word: str) -> bool:
    """Return whether a lower-cased word holds a digit or is a number from one to ten, "once" or "twice"."""
    return any(map(str.isdecimal, word)) or not _SMALL.isdisjoint(word.split("'"))


def number_words(said: Iterable[str]) -> frozenset[str]:
    """Return those of these lower-cased words that are numbers, or begin as one."""
    return frozenset(word for word in said if word[0].isdigit() or word in NUMBER_WORDS)


def find_numbers(text: str) -> tuple[Number, ...]:
    """Return the numbers of `text`, in order; the digits of dates too, unless they are blanked first."""
    found = [(m.start(), m.end(), _in_digits(m)) for m in _DIGITS.finditer(text)]
    found += [
        (m.start(), m.end(), Decimal(NUMBER_WORDS[m[1].lower()] + NUMBER_WORDS[m[2].lower()]))
        for m in _COMPOUND.finditer(text)
    ]
    rest = _COMPOUND.sub(lambda m: " " * len(m[0]), text)
    found += [
        (m.start(), m.end(), Decimal(NUMBER_WORDS[m[0].lower()]))
        for m in _WORD.finditer(rest)
        if m[0].lower() in NUMBER_WORDS and not _is_scale(text, m)
    ]
    return tuple(Number(start, end, _scaled(value, text, end)) for start, end, value in sorted(found))


def blank_numbers(text: str) -> str:
    """Return `text` with its numbers, in digits or in words, replaced by white space."""
    rest = _COMPOUND.sub(" ", _DIGITS.sub(" ", text))
    return _WORD.sub(lambda match: " " if match[0].lower() in NUMBER_WORDS else match[0], rest)


def _in_digits(match: re.Match[str]) -> Decimal:
    value = Decimal(f"{match[1]}{match[2].replace(',', '')}{match[3] or ''}")
    return value * 1_000 if match[4].lower() == "k" else value


def _is_scale(text: str, word: re.Match[str]) -> bool:
    """Return whether a word such as "million" belongs to the number before it."""
    if word[0].lower() not in _SCALES:
        return False
    before = _BEFORE.search(text[: word.start()])
    number = before[1].lower() if before else ""
    return number[-1:].isdigit() or number in NUMBER_WORDS


def _scaled(value: Decimal, text: str, end: int) -> Decimal:
    scale = _SCALE_AFTER.match(text, end)
    return value * _SCALES[scale[1].lower()] if scale else value
