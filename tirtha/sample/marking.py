"""Is an answer to one of the sample's questions right? By a rule, without a judge; and does a context hold the expected answer?

It reads words, not meanings. An answer in other words than the expected one ("180 quid" for "180 pounds") counts as wrong; one that
holds all of the expected words and denies them counts as right.
"""

import re
from dataclasses import replace
from typing import Literal

from cascade import Brief, Decision
from cascade.claims import numbers, terms, without_facts
from language.dates import DateSaid, blank_dates, find_dates
from tirtha.sample import SampleQuestion

__all__ = ["Mark", "in_words_of", "mark"]

Mark = Literal["right", "wrong", "abstained"]
_ATTRIBUTION = re.compile(r'^[^\n":]{1,60} said on \d{1,2} \w+ \d{4}: (?=")', re.MULTILINE)
_OTHER_WORDING = re.compile(r"(?P<one>.*?)\s*\((?P<other>[^)]*)\)\s*")
_HEADING = re.compile(r"^\d{1,2} \w+(?: \d{4})?$", re.MULTILINE)  # the day on which the lines below it were said


def mark(question: SampleQuestion, decision: Decision) -> Mark:
    """Return whether a decision answers its question rightly.

    Right is an answer that holds the whole of the expected one: each content word, number and date of it, but for words that the
    question itself has. "4:20 (four hours twenty minutes)" is given by either wording, a date also without its year. Partly right
    is wrong. So is an answer that holds another date beside the expected one. The date on which a quoted line was said is no part
    of the answer. Where the answer was never said, abstaining is right and every answer is wrong.
    """
    if not question.answer:
        return "right" if decision.abstained else "wrong"
    if decision.abstained:
        return "abstained"
    answer = _ATTRIBUTION.sub("", decision.answer)
    expected = find_dates(question.answer)
    another = any(not said.covers(date) and not date.covers(said) for said in find_dates(answer) for date in expected)
    return "right" if _holds(answer, question) and not another else "wrong"


def in_words_of(brief: Brief, question: SampleQuestion) -> bool:
    """Return whether the lines of a context hold the whole expected answer, by the rule of `mark`; its headings do not count."""
    return bool(question.answer) and _holds(_HEADING.sub("", brief.text), question)


def _holds(text: str, question: SampleQuestion) -> bool:
    return any(_has(text, wording, question.question) for wording in _wordings(question.answer))


def _has(text: str, expected: str, asked: str) -> bool:
    said = find_dates(text)
    return (
        all(any(_is_given_by(date, other) for other in said) for date in find_dates(expected))
        and set(numbers(blank_dates(expected))) <= set(numbers(blank_dates(text)))
        and terms(without_facts(expected)) - terms(asked) <= terms(without_facts(text))
    )


def _is_given_by(expected: DateSaid, said: DateSaid) -> bool:
    return expected.covers(said) or (
        said.year is None and replace(expected, year=None).covers(said) and bool(expected.month)
    )


def _wordings(expected: str) -> tuple[str, ...]:
    match = _OTHER_WORDING.fullmatch(expected)
    return (match["one"], match["other"]) if match else (expected,)
