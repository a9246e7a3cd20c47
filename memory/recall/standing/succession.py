"""Which of a user's instructions a later one replaces: "call me Sam", then "call me Samuel"; "actually, no more tables".

By rules for precision. The later one must be of the same subject and not narrower: "no tables in emails" leaves "use tables" in
force. It replaces if it says the opposite, gives another number to a bound, names the user anew, or says the same again. Of
statements of the user about himself, what replaces facts replaces preferences too (`memory.recall.replacement`). What is not
certain replaces nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from language import analyse
from language.numbers import number_words
from language.polarity import denies
from language.requests.instructions import address_of, subject_terms
from language.statements import Statement
from memory.model import Instruction
from memory.recall.replacement import is_replaceable, may_replace, replaces

__all__ = ["with_successors"]

_AVOIDS = re.compile(
    r"\b(?:avoid|stop|skip|omit|leave out|no more|hate|dislike|can'?t stand|drop|vermeide|verzichte|hasse|keine?\w*|évite|déteste"
    r"|evita|odio|evite|odeio|vermijd|haat|geen|избегай|ненавижу|без)\b|避免|讨厌|不要|别|避けて|やめて|嫌い|싫|말아|마세요|하지",
    re.IGNORECASE,
)
_BOUNDS = re.compile(
    r"\b(?:under|below|over|above|within|up to|at (?:most|least)|(?:more|less|fewer|longer|shorter) than|max(?:imum)?"
    r"|exactly|only)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Read:
    """An instruction as the comparison needs it; `subject` are the terms that say what it is about."""

    instruction: Instruction
    subject: frozenset[str]
    numbers: frozenset[str]
    bounds: bool
    address: str | None
    against: bool
    held: tuple[Statement, ...]
    replacing: tuple[Statement, ...]


def with_successors(instructions: Sequence[Instruction]) -> list[Instruction]:
    """Return these instructions of one scope (newest first), each that a later one replaces with the turn of that one."""
    read = [_read(one) for one in instructions]
    return [
        replace(
            old.instruction,
            replaced_by=next((new.instruction.turn for new in reversed(read[:place]) if _replaces(old, new)), None),
        )
        for place, old in enumerate(read)
    ]


def _read(instruction: Instruction) -> _Read:
    quote = instruction.quote
    subject = subject_terms(quote)
    statements = [one for one in analyse(quote).statements if one.of_the_speaker]
    numbers = frozenset(number_words(analyse(quote).words))
    return _Read(
        instruction=instruction,
        subject=subject - numbers,
        numbers=numbers,
        bounds=bool(_BOUNDS.search(quote)),
        address=address_of(quote),
        against=denies(quote) or bool(_AVOIDS.search(quote)),
        held=tuple(filter(is_replaceable, statements)),
        replacing=tuple(filter(may_replace, statements)),
    )


def _replaces(old: _Read, new: _Read) -> bool:
    if old.instruction.turn.name != new.instruction.turn.name or old.instruction.turn.pk == new.instruction.turn.pk:
        return False
    if old.address and old.address == new.address:
        return True
    if new.subject and new.subject <= old.subject and old.against != new.against:
        return True
    if new.subject and new.subject == old.subject and (new.numbers == old.numbers or (new.bounds and old.bounds)):
        return True  # the same again, or another number of what is bounded: "rule 3" and "rule 4" are two
    if not (old.held and new.replacing):
        return False
    another_day = old.instruction.turn.said_at.date() < new.instruction.turn.said_at.date()
    return any(replaces(was, now, another_day=another_day) for was, now in product(old.held, new.replacing))
