"""One analysis of a text: its words, terms, numbers, names, dates and times, each found once and only if it is asked for.

The passages that one question finds are often those that the next one finds, so what was read of short texts is kept for the
next time. `forget_texts` empties what is kept; code that forgets a text calls it.
"""

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Any, Generic, TypeVar

from language import words as _words
from language.courtesies import is_courtesy
from language.dates import DateSaid, find_dates
from language.intervals import TimeExpression
from language.names import Name, find_names
from language.numbers import Number, find_numbers, is_number_word
from language.other_times import hints_other_time
from language.requests.instructions import address_of, subject_terms
from language.segmentation.blocks import kept_structure
from language.statements import Statement, read_statements
from language.times import find_times, hints_time, may_hold_time

__all__ = ["Analysed", "analyse", "forget_texts"]

_KEPT_CHARS = 2_000  # longer texts are read anew each time: no pasted book is held in memory
_KEPT_TEXTS = 16_384
_NO_DAY = date(2000, 1, 1)


T = TypeVar("T")


class _once(Generic[T]):  # noqa: N801 - reads as a decorator
    """A property that is computed once an object, as by `functools.cached_property`, but without that one's lock.

    Up to Python 3.11 the lock is one for all objects, so that a question would wait for another one's long text.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __get__(self, owner: object, kind: type | None = None) -> T:
        value = owner.__dict__[self._compute.__name__] = self._compute(owner)
        return value  # found in the object itself from now on


class Analysed:
    """What `text`, said on the day `said_on` of the speaker's calendar, says.

    Without a day only times are found that need none ("7 May 2023", but not "yesterday").
    """

    def __init__(self, text: str, said_on: date | None = None) -> None:
        self.text = text
        self.said_on = said_on

    @_once
    def words(self) -> tuple[str, ...]:
        """The words, lower-cased, in order."""
        return tuple(_words.words(self.text))

    @_once
    def vocabulary(self) -> frozenset[str]:
        """The words, each once."""
        return frozenset(self.words)

    @_once
    def terms(self) -> tuple[str, ...]:
        """The terms to search by, in order, repetitions kept, as `language.words.content_terms` makes them."""
        return _words.content_terms(self.text)

    @_once
    def names(self) -> tuple[Name, ...]:
        """The capitalised words, in order."""
        return find_names(self.text)

    @_once
    def numbers(self) -> tuple[Number, ...]:
        """The numbers, in digits or words, in order; the digits of dates too."""
        return find_numbers(self.text)

    @_once
    def has_number(self) -> bool:
        """Whether a word holds a digit or is a small number."""
        return any(map(is_number_word, self.vocabulary))

    @_once
    def dates(self) -> tuple[DateSaid, ...]:
        """The calendar dates, as exact as they were said: also a mere year or month."""
        return find_dates(self.text)

    @_once
    def may_hold_time(self) -> bool:
        """Whether a word is one that expressions of time have: cheap, and true of more than times."""
        return may_hold_time(self.vocabulary)

    @_once
    def times(self) -> tuple[TimeExpression, ...]:
        """The times, as intervals of days, in order and without overlap."""
        if not self.may_hold_time:
            return ()
        found = find_times(self.text, self.said_on or _NO_DAY)
        return found if self.said_on else tuple(time for time in found if not time.relative)

    @property
    def dated_text(self) -> str:
        """The text with the day or interval of each relative time behind it: "I moved in yesterday (7 May 2023)."."""
        text = self.text
        for time in reversed([time for time in self.times if time.relative and not time.implied]):
            words = text[time.start : time.end]
            resolved = time.meaning.removeprefix(words).strip() if time.meaning != words else time.meaning
            text = f"{text[: time.end]} ({resolved}){text[time.end :]}"
        return text

    @_once
    def is_courtesy(self) -> bool:
        """Whether it is said for company alone: greetings, thanks, laughter."""
        return is_courtesy(self.text, self.words, self.names)

    @_once
    def statements(self) -> tuple[Statement, ...]:
        """What the clauses of a sentence state; none for a question."""
        return () if self.asks else read_statements(self.text)

    @_once
    def asks(self) -> bool:
        """Whether the text ends as a question does."""
        return self.text.rstrip().endswith(("?", "\uff1f"))


def analyse(text: str, said_on: date | None = None) -> Analysed:
    """Return the analysis of `text`, said on the day `said_on`; the same object for the same short text."""
    return _kept(text, said_on) if len(text) <= _KEPT_CHARS else Analysed(text, said_on)


@lru_cache(maxsize=_KEPT_TEXTS)
def _kept(text: str, said_on: date | None) -> Analysed:
    return Analysed(text, said_on)


def forget_texts() -> None:
    """Drop every text and word that is kept for the next time."""
    for kept in (
        _kept,
        subject_terms,
        address_of,
        kept_structure,
        _words.stem,
        _words.folded_stem,
        is_number_word,
        hints_time,
        hints_other_time,
    ):
        kept.cache_clear()
    _words.stem("word")  # the stemmer itself holds the last word that it was given
    re.purge()  # patterns that were made of names
