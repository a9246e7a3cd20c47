"""What an answer or a line claims, as guards compare it: the terms, numbers and names of the one analysis of a text."""

from collections.abc import Sequence
from decimal import Decimal

from cascade.model import Brief, Quote
from language import analyse
from language.dates import blank_dates
from language.numbers import blank_numbers
from language.words import stems, words

__all__ = ["about_what_is_asked", "names", "numbers", "overlap", "terms", "terms_and_numbers", "without_facts"]

# Words that an answer may add without claiming anything.
_CLAIM_NOTHING = frozenset(
    """answer approximately around asked between during early either else get go got late like likely may maybe mid
    might mine much no not one per perhaps probably said says since told unlikely us whose yet""".split()
)
_CURRENCIES = {"$": " dollars ", "\u20ac": " euros ", "\u00a3": " pounds ", "\u00a5": " yen "}


def terms(text: str) -> frozenset[str]:
    """Return the stems of the words that claim something; signs of currencies count as words."""
    for sign, word in _CURRENCIES.items():
        text = text.replace(sign, word)
    return frozenset(stems(word for word in analyse(text).words if word not in _CLAIM_NOTHING))


def numbers(text: str) -> list[Decimal]:
    """Return the numbers of `text`, in order; digits of dates too, unless they are taken out first."""
    return [number.value for number in analyse(text).numbers]


def about_what_is_asked(brief: Brief) -> list[Quote]:
    """Return the lines but for those that tell of another one: of "gym 3" where "gym 0" is asked for."""
    others = _of_other_numbers(brief.question, [f"{quote.header} {quote.text}" for quote in brief.quotes])
    return [quote for quote, other in zip(brief.quotes, others, strict=True) if not other]


def _of_other_numbers(question: str, lines: Sequence[str]) -> list[bool]:
    """Return of each line whether it is about another one: "gym 3" where "gym 0" is asked for, and a line speaks of that.

    It has numbers, and none of those that name what is asked for, though one of the lines has them all. A number names a thing
    behind its noun: "my 3 cats" and "in 2023" name none.
    """
    asked = frozenset(
        number.value
        for number in analyse(question).numbers
        if stems(words(question[: number.start])[-1:]) and not stems(words(question[number.end :])[:1])
    )
    given = [frozenset(numbers(line)) for line in lines]
    if not any(asked and asked <= one for one in given):
        return [False] * len(given)
    return [bool(one) and asked.isdisjoint(one) for one in given]


def terms_and_numbers(*texts: str) -> frozenset[str]:
    """Return the terms of several texts together, and their numbers, as texts."""
    whole = " ".join(texts)
    return terms(whole) | {str(n) for n in numbers(whole)}


def names(text: str) -> list[str]:
    """Return the capitalised words of `text` that may be somebody's or something's name."""
    return [name.text for name in analyse(text).names if not name.common]


def without_facts(text: str) -> str:
    """Return `text` with its dates and numbers, in digits or in words, blanked out."""
    return blank_numbers(blank_dates(text))


def overlap(one: str, other: str) -> float:
    """Return the F1 of two answers' words and numbers, 0 to 1; two answers of no words that carry meaning must be the same."""
    mine, theirs = (terms(text) | {str(n) for n in numbers(text)} for text in (one, other))
    if not mine or not theirs:
        return float(one.strip().lower() == other.strip().lower())
    return 2 * len(mine & theirs) / (len(mine) + len(theirs))
