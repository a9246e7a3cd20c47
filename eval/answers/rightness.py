"""When an answer counts as right, the same rule for every set. It reads words: a right answer in other words counts as wrong.

Right is an answer that holds the gold one, or all content words of a short gold answer that the question does not have, or whose
token F1 is a half. An answer that tells another number or another date than the gold one is wrong whatever it shares with it.
"The week before 9 June 2023" is told by a day of that week, and by 9 June only together with "before".
"""

import re
from calendar import month_name
from datetime import date, timedelta
from decimal import Decimal

from cascade.claims import numbers, terms, without_facts
from eval.answers.scoring import answer_f1, contains
from eval.harness.conversations import LabelledQuestion
from language.dates import DateSaid, blank_dates, find_dates

__all__ = ["RIGHT_FROM", "is_right"]

RIGHT_FROM = 0.5  # of the F1
_SHORT = 6  # content words of a gold answer that must all be told
_BESIDE = re.compile(r"\b(?P<unit>day|week|weekend|month|year|\w+day)?s?\s*(?P<side>before|after)\b", re.IGNORECASE)
_DOTTED = re.compile(r"\b([0-3]?\d)\.([01]?\d)\.(\d{4})\b")  # as REALTALK writes days
_SIDE = re.compile(r"\b(?:before|after|prior|following|previous)\b", re.IGNORECASE)
_REACH_DAYS = {"day": 7, "week": 13, "weekend": 9, "month": 62, "year": 730}
_USUAL_REACH_DAYS = 8


def is_right(question: LabelledQuestion, answer: str, *, abstained: bool) -> bool:
    """Return whether an answer counts as right. Where there is no answer an abstention is right, and nothing else."""
    if not question.answerable or abstained:
        return abstained and not question.answerable
    gold = _DOTTED.sub(lambda day: f"{int(day[1])} {month_name[int(day[2])]} {day[3]}", question.answer)
    if _tells_other_facts(gold, answer):
        return False
    f1 = answer_f1(question.kind, gold, answer, abstained=False)
    return contains(gold, answer) or f1 >= RIGHT_FROM or _tells_all(gold, question.question, answer)


def _tells_all(gold: str, asked: str, answer: str) -> bool:
    """Return whether an answer tells every content word, number and date of a short gold answer, but for the question's words."""
    wanted = terms(without_facts(gold))
    wanted = wanted - terms(asked) or wanted
    told = find_dates(answer)
    return (
        len(wanted) <= _SHORT
        and wanted <= terms(without_facts(answer))
        and _counted(gold) <= _counted(answer)
        and all(any(_told_by(one, other) for other in told) for one in find_dates(gold))
        and bool(wanted or _counted(gold) or find_dates(gold))
    )


def _told_by(wanted: DateSaid, told: DateSaid) -> bool:
    """Return whether a date tells the wanted one; a day of a month does without its year."""
    return wanted.covers(told) or (told.covers(wanted) and told.day is not None)


def _tells_other_facts(gold: str, answer: str) -> bool:
    wanted, told = find_dates(gold), find_dates(answer)
    if wanted and told and not any(_same(gold, one, answer, other) for one in wanted for other in told):
        return True
    counted = _counted(gold)
    return bool(counted) and counted.isdisjoint(_counted(answer))


def _same(gold: str, wanted: DateSaid, answer: str, told: DateSaid) -> bool:
    """Return whether two dates may be the same; of a gold day beside `wanted`, whether the told one may be that."""
    beside = _BESIDE.search(gold)
    if not beside or _SIDE.search(answer):
        return wanted.covers(told) or told.covers(wanted)
    anchor, day = _day(wanted), _day(told)
    if not anchor or not day:
        return told.covers(wanted)
    reach = timedelta(days=_REACH_DAYS.get((beside["unit"] or "").lower(), _USUAL_REACH_DAYS))
    return timedelta(0) < (anchor - day if beside["side"].lower() == "before" else day - anchor) <= reach


def _day(said: DateSaid) -> date | None:
    try:
        return date(said.year, said.month, said.day) if said.year and said.month and said.day else None
    except ValueError:
        return None


def _counted(text: str) -> frozenset[Decimal]:
    """Return the numbers of a text, those of dates apart; "one" is a pronoun more often than not."""
    bare = blank_dates(text)
    return frozenset(value for value in numbers(bare) if value != 1 or "1" in bare)
