"""The hand-written pieces of the dialogues, read from the TOML files beside this module.

Knows their form, not how they are put together. All text is our own; none is from a data set.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

__all__ = ["Fact", "Form", "all_facts", "facts", "relative_times", "relatives", "smalltalk", "speakers"]

Form = Literal["states", "events", "lists", "changes", "relations", "reasons", "opinions", "joint"]
Exchange = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A template of a fact: how it is mentioned in a chat and how a third party asks about it. `facts/*.toml` say what fields mean.

    answers: the values as a third party says them, in the order of `values`. asked and guessed: the other's message and the
    person's reply.
    """

    subject: str
    form: Form
    values: tuple[str, ...]
    answers: tuple[str, ...]
    plain: str
    told: tuple[str, ...]
    asked: tuple[Exchange, ...]
    questions: tuple[str, ...]
    guessed: tuple[Exchange, ...] = ()
    who: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()
    changed_plain: str = ""
    changed: tuple[str, ...] = ()
    changed_asked: tuple[Exchange, ...] = ()
    before: tuple[str, ...] = ()
    both: tuple[str, ...] = ()
    tense: Literal["past", "future"] = "past"


@dataclass(frozen=True, slots=True, kw_only=True)
class RelativeTime:
    """A relative time, how many days away it may lie, and what it means: `times.toml` says how."""

    phrase: str
    days: tuple[int, int]
    answer: str
    same_month: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Smalltalk:
    """What fills a chat and answers nothing: `smalltalk.toml`."""

    greetings: tuple[str, ...]
    greeting_replies: tuple[str, ...]
    farewells: tuple[str, ...]
    farewell_replies: tuple[str, ...]
    openers: tuple[str, ...]
    tails: tuple[str, ...]
    reactions: tuple[str, ...]
    thanks: tuple[str, ...]
    photos: tuple[str, ...]
    photo_reactions: tuple[str, ...]
    lines: tuple[str, ...]
    generic: tuple[Exchange, ...]
    elsewhere: tuple[str, ...]
    elsewhere_subjects: tuple[str, ...]
    sympathy: tuple[str, ...]
    sad_subjects: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Relatives:
    """Names of relatives and friends, what they can be to a speaker, and how they are introduced."""

    names: tuple[str, ...]
    kin: tuple[str, ...]
    introduced: tuple[str, ...]


@cache
def facts(form: Form) -> tuple[Fact, ...]:
    """Return all templates of one form, in the order of its file."""
    return tuple(_fact(record, form) for record in _read(f"facts/{form}.toml")["fact"])


@cache
def relative_times(tense: Literal["past", "future"]) -> tuple[RelativeTime, ...]:
    """Return the relative times of what was, or of what will be."""
    return tuple(
        RelativeTime(**(record | {"days": (record["days"][0], record["days"][1])}))
        for record in _read("times.toml")[tense]
    )


@cache
def smalltalk() -> Smalltalk:
    """Return what fills the chats."""
    record = _read("smalltalk.toml")
    exchanges = tuple(_exchange(text) for text in record.pop("generic"))
    return Smalltalk(generic=exchanges, **{name: tuple(texts) for name, texts in record.items()})


@cache
def speakers() -> tuple[str, ...]:
    """Return the names of those who talk."""
    return tuple(_read("people.toml")["speakers"])


@cache
def relatives() -> Relatives:
    """Return the names of those who are talked about."""
    record = _read("people.toml")
    return Relatives(names=tuple(record["relatives"]), kin=tuple(record["kin"]), introduced=tuple(record["introduced"]))


def all_facts() -> tuple[Fact, ...]:
    """Return the templates of all forms."""
    return tuple(fact for form in get_args(Form) for fact in facts(form))


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(name).read_text("utf-8"))


def _fact(record: dict[str, Any], form: Form) -> Fact:
    pairs: dict[str, Any] = {
        name: tuple(map(_exchange, record.pop(name, ()))) for name in ("asked", "guessed", "changed_asked")
    }
    texts: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in record.items()}
    texts.setdefault("answers", texts["values"])
    return Fact(form=form, **texts, **pairs)


def _exchange(text: str) -> Exchange:
    said, separator, reply = text.partition(" > ")
    if not separator:
        raise ValueError(f"no reply in {text!r}")
    return said, reply
