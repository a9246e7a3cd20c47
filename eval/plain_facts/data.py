"""Plain facts: memories of sentences like "Lucy works as a lawyer.", and a question for each; generated, the same for a seed.

A memory holds 10 people with the same 5 attributes, one sentence a turn, without a speaker. The sentences come from a table a
language (`languages/`), written for this: statements, questions and values of each attribute, and names. Attributes and names
fall into two parts that share nothing, so that a re-ranker can be fitted on one and judged on the other.

It measures whether the sentence asked for is found, not whether a text is understood: no sentence needs another.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from random import Random
from typing import Any, Literal

__all__ = [
    "ATTRIBUTES",
    "LANGUAGES",
    "Attribute",
    "Fact",
    "FactQuestion",
    "Name",
    "Part",
    "PlainFacts",
    "Table",
    "read_table",
]

Part = Literal["fitting", "judging"]

LANGUAGES = ("en", "es", "de", "fr", "it", "zh", "ja", "ru", "ar", "hi", "ko")
ATTRIBUTES: dict[Part, tuple[str, ...]] = {
    "judging": tuple(
        "job home_town garage_code pet dish instrument car birthday_month sister club language shoe_size".split()
    ),
    "fitting": tuple("allergy employer locker phone colour drink bus_line holiday subject dentist alarm hobby".split()),
}
NAMES_EACH_MEMORY = 10
ATTRIBUTES_EACH_MEMORY = 5
_BY_GENDER = re.compile(r"\[([^|\]]*)\|([^|\]]*)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A first name, its genitive and dative where the language has them (else as it is), and whose it is."""

    name: str
    genitive: str
    dative: str
    woman: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """How an attribute is stated and asked for. Every value fits every statement as it is written.

    The first question is the most direct, the last shares few words with the statements.
    """

    statements: tuple[str, ...]
    questions: tuple[str, ...]
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What a language's sentences are made of."""

    names: dict[Part, tuple[Name, ...]]
    attributes: dict[str, Attribute]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A sentence to remember."""

    turn_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FactQuestion:
    """A question, the words that answer it as they stand in the turn that holds them, and that turn."""

    id: str
    question: str
    answer: str
    turn_id: str
    attribute: str


@dataclass(frozen=True, kw_only=True)
class PlainFacts:
    """A memory of 50 facts and its 50 questions.

    A seed means the same attributes in every language, so that languages compare; names, values and wordings are drawn for
    each. The default seed has the job, the garage code, the pet, the sister and the shoe size: words, names and two kinds of
    numbers. With a `wording` all questions are asked in that wording of the table, 0 the most direct and 2 the one that shares
    fewest words with the sentence; the facts stay the same. `facts` are in the order in which they are remembered.
    """

    language: str
    part: Part = "judging"
    seed: int = 1
    wording: int | None = None

    @property
    def id(self) -> str:
        """Name the memory: "plain-facts-en-judging-0"."""
        asked = "" if self.wording is None else f"-{self.wording}"
        return f"plain-facts-{self.language}-{self.part}-{self.seed}{asked}"

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Return the sentences."""
        return tuple(fact for fact, _ in self._pairs)

    @property
    def questions(self) -> tuple[FactQuestion, ...]:
        """Return one question a sentence, in the order of the sentences."""
        return tuple(question for _, question in self._pairs)

    @cached_property
    def _pairs(self) -> tuple[tuple[Fact, FactQuestion], ...]:
        table = read_table(self.language)
        attributes = Random(f"{self.part} {self.seed}").sample(ATTRIBUTES[self.part], ATTRIBUTES_EACH_MEMORY)  # noqa: S311 - a draw to repeat
        draw = Random(f"{self.language} {self.part} {self.seed}")  # noqa: S311 - likewise
        names = draw.sample(table.names[self.part], NAMES_EACH_MEMORY)
        drawn = [
            (name, attribute, value)
            for attribute in attributes
            for name, value in zip(
                names, draw.sample(table.attributes[attribute].values, NAMES_EACH_MEMORY), strict=True
            )
        ]
        draw.shuffle(drawn)
        return tuple(self._pair(place, *one, draw) for place, one in enumerate(drawn, 1))

    def _pair(self, place: int, name: Name, attribute: str, value: str, draw: Random) -> tuple[Fact, FactQuestion]:
        entry = read_table(self.language).attributes[attribute]
        fact = Fact(turn_id=f"F{place}", text=worded(draw.choice(entry.statements), name, value))
        drawn = draw.randrange(len(entry.questions))
        question = FactQuestion(
            id=f"{self.id}:{place}",
            question=worded(entry.questions[drawn if self.wording is None else self.wording], name),
            answer=worded(value, name),
            turn_id=fact.turn_id,
            attribute=attribute,
        )
        return fact, question


@cache
def read_table(language: str) -> Table:
    """Read the table of a language. Raises KeyError for an attribute that it lacks."""
    shared, own = _read("shared"), _read(language)
    return Table(
        names={part: _names(own["names"][part]) for part in ATTRIBUTES},
        attributes={
            attribute: Attribute(
                statements=tuple(own[attribute]["statements"]),
                questions=tuple(own[attribute]["questions"]),
                values=_listed(own[attribute].get("values") or shared[attribute]["values"]),
            )
            for attributes in ATTRIBUTES.values()
            for attribute in attributes
        },
    )


def worded(pattern: str, name: Name, value: str = "") -> str:
    """Return a pattern with its name and value, and of every "[his|her]" the form for the person."""
    text = pattern.format(name=name.name, genitive=name.genitive, dative=name.dative, value=value)
    return _BY_GENDER.sub(lambda forms: forms[2 if name.woman else 1], text)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files("eval.plain_facts") / "languages" / f"{name}.toml").read_text("utf-8"))


def _names(lists: dict[str, str]) -> tuple[Name, ...]:
    found = []
    for whose in ("women", "men"):
        for entry in _listed(lists[whose]):
            name, genitive, dative = entry.split("/") if "/" in entry else (entry, entry, entry)
            found.append(Name(name=name, genitive=genitive, dative=dative, woman=whose == "women"))
    return tuple(found)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split(", "))
