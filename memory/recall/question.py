"""Reading a question: whom it names, when it speaks of, what kind of answer it wants, and what is left to search for.

Rules over the question's own words; no model, no search.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from language import TimeExpression, analyse, readable
from language.requests.kinds import asks_several, kind_of
from language.requests.phrasing import asks_for_the_history, subject_of
from language.requests.work import asks_for_work, asks_what_was_said
from language.words import content_terms, words
from memory.model import Breadth

__all__ = ["Question", "read_question"]

_MACHINE_TEXT_ONLY = 128  # characters of a question that holds no other text
_COMPARES = re.compile(r"\b(?:or|between|before|after|since|first)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question, read.

    topic: its text without the names of speakers, which say whose words to look for and not about what.
    terms: the stems of the topic's content words, each once.
    named: the speakers it names. words: all its words, lower-cased. times: when it speaks of, resolved.
    kind: one of `language.requests.kinds.KINDS`.
    breadth: how much it takes to answer: one fact, "two" to compare ("which came first, the tent or the stove?"), "several" things
    ("which cities ..."), or the whole "history" ("summarise how my project went").
    wants_work: it asks for work or advice, and for no fact ("write a speech"). of_what_was_said: it asks for what somebody said.
    """

    topic: str
    terms: tuple[str, ...]
    named: frozenset[str]
    words: frozenset[str]
    times: tuple[TimeExpression, ...]
    kind: str
    breadth: Breadth
    wants_work: bool
    of_what_was_said: bool


def read_question(
    text: str, *, speakers: Iterable[str], asked_at: datetime, called: Mapping[str, str] = MappingProxyType({})
) -> Question:
    """Read a question; machine text in it asks nothing.

    Args:
        text: the question as it was asked.
        speakers: the names of those who speak in the memory.
        asked_at: when it is asked, which its times are resolved by.
        called: speakers by what the question calls them, where that is not their own name (`memory.recall.naming`).
    """
    whole = readable(text).strip() or text[:_MACHINE_TEXT_ONLY]
    text = subject_of(whole)
    asked = analyse(text, asked_at.date())
    said = frozenset(word.removesuffix("'s") for word in asked.words)
    own = [name for name in speakers if _is_named(name, text, said)]
    named = frozenset([*own, *called.values()])
    topic = _without(text, [*own, *called])
    return Question(
        topic=topic,
        terms=tuple(dict.fromkeys(analyse(topic).terms)),
        named=named,
        words=said,
        times=asked.times,
        kind=kind_of(text),
        breadth=_breadth(whole, text),
        wants_work=asks_for_work(whole),
        of_what_was_said=asks_what_was_said(whole),
    )


def _breadth(whole: str, subject: str) -> Breadth:
    if asks_for_the_history(whole):
        return "history"
    if asks_several(subject):
        return "several"
    return "two" if _COMPARES.search(subject) else "one"


def _is_named(name: str, text: str, said: frozenset[str]) -> bool:
    """Return whether a question names a speaker: by a word that is no stop word; in a script without spaces, by all of it."""
    parts = words(name)
    if all(len(word) == 1 for word in parts):
        return len(parts) > 1 and name in text
    return any(content_terms(word) for word in said.intersection(parts))


def _without(text: str, named: Sequence[str]) -> str:
    """Return the text without the names; a question that is about nothing else ("Who is Tom?") keeps them."""
    if not named:
        return text
    parts = sorted({re.escape(word) for name in named for word in [name, *words(name)]}, key=len, reverse=True)
    rest = re.sub(rf"\b(?:{'|'.join(parts)})(?:['\u2019]s)?(?!\w)", "", text, flags=re.IGNORECASE)
    return " ".join(rest.split()) if content_terms(rest) else text
