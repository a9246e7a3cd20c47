"""Names of a text: its capitalised words, and what their capital says.

A capital inside a sentence means something; the first word of a sentence has one anyway. Months, weekdays, titles and function
words are `common`: capitalised, and hardly ever a name. Latin script only.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from language.dates import MONTHS, WEEKDAYS
from language.numbers import NUMBER_WORDS
from language.words import STOP_WORDS

__all__ = ["Name", "find_names", "inside_names"]

_CAPITALISED = re.compile(r"\b[A-Z][\w'\u2019-]+")
_POSSESSIVE = re.compile(r"['\u2019]s?$")
_BEFORE_INSIDE = re.compile(r"[a-z,;:] $")
# Words that open a sentence, or an answer, and name no one.
_OPENERS = """according another approximately around based beginning between currently during early either else first get go got
    last late later like likely may maybe mid might mine mr mrs ms dr much next no not one originally per perhaps probably said says
    second several since today tomorrow told unlikely us whose yesterday yet answer asked"""
_COMMON = STOP_WORDS | frozenset(MONTHS) | frozenset(NUMBER_WORDS) | frozenset(WEEKDAYS) | frozenset(_OPENERS.split())


@dataclass(frozen=True, slots=True)
class Name:
    """A capitalised word, without a possessive ending, and where it starts; `inside`: not the first of its sentence."""

    text: str
    start: int
    inside: bool
    common: bool


def inside_names(names: Iterable[Name]) -> frozenset[str]:
    """Return, lower-cased, those names that are not the first word of their sentence: of these the capital is sure."""
    return frozenset(name.text.lower() for name in names if name.inside)


def find_names(text: str) -> tuple[Name, ...]:
    """Return the capitalised words of `text`, of two letters or more, in order."""
    found: list[Name] = []
    for match in _CAPITALISED.finditer(text):
        word = _POSSESSIVE.sub("", match[0])
        inside = bool(_BEFORE_INSIDE.search(text, max(match.start() - 2, 0), match.start()))
        common = re.split("['\u2019]", word.lower())[0] in _COMMON
        found.append(Name(word, match.start(), inside, common))
    return tuple(found)
