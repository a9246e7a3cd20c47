"""What two people of a dialogue will mention to each other, and when: facts, their values, the session of each mention.

Knows nothing of wording. What only one of them has is what questions without an answer ask of the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from eval.training.dialogues.tables import Fact, Form, facts, relatives

__all__ = ["Kin", "Mention", "Plan", "plan_of"]

# Of each form: how many subjects a chat has, and how many of these both have, with other values.
_SUBJECTS: dict[Form, tuple[int, int]] = {
    "states": (16, 5), "events": (6, 2), "lists": (4, 2), "changes": (2, 1), "relations": (4, 0), "reasons": (2, 0),
    "opinions": (3, 2), "joint": (2, 0),
}  # fmt: skip
_MOST_A_SESSION = 5
_INTRODUCTIONS = 3  # relatives are introduced by name in the first sessions, and talked about after them


@dataclass(frozen=True, slots=True, kw_only=True)
class Kin:
    """A relative or friend of a speaker: what they are, their name, and whether the chat names both together once."""

    owner: int
    relation: str
    name: str
    introduced_in: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """One value of a fact of a speaker (0 or 1), mentioned in a session.

    later: it replaces an earlier value. kin: whom it is about, where it is a relative.
    """

    fact: Fact
    owner: int
    place: int
    session: int
    later: bool = False
    kin: Kin | None = None

    @property
    def value(self) -> str:
        """The value as it is mentioned."""
        return self.fact.values[self.place]

    @property
    def answer(self) -> str:
        """The value as a third party says it."""
        return self.fact.answers[self.place]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All mentions of a chat, by fact and owner, and the relatives it is about."""

    mentions: tuple[tuple[Mention, ...], ...]
    kin: tuple[Kin, ...]

    def of_the_other(self, mentions: Sequence[Mention]) -> tuple[Mention, ...]:
        """Return what the other person mentions of the same fact; empty where only one of them has it."""
        subject, owner = mentions[0].fact.subject, mentions[0].owner
        return next((own for own in self.mentions if own[0].fact.subject == subject and own[0].owner != owner), ())


def plan_of(random: Random, sessions: int) -> Plan:
    """Return what a chat of so many sessions mentions."""
    kin = _kin(random)
    full = [0] * sessions
    mentions: list[tuple[Mention, ...]] = []
    for form, (subjects, shared) in _SUBJECTS.items():
        for number, fact in enumerate(random.sample(facts(form), subjects)):
            first = random.randrange(2)
            owners = (first, 1 - first) if number < shared else (first,)
            places = random.sample(range(len(fact.values)), len(fact.values))
            mentions += [_mentions(random, fact, owner, places, full, kin) for owner in owners]
    return Plan(mentions=tuple(mentions), kin=kin)


def _kin(random: Random) -> tuple[Kin, ...]:
    """Return two relatives of each speaker, one of whom is introduced by name."""
    table = relatives()
    names = random.sample(table.names, 4)
    relations = random.sample(table.kin, 4)
    return tuple(
        Kin(
            owner=place % 2,
            relation=relations[place],
            name=names[place],
            introduced_in=random.randrange(_INTRODUCTIONS) if place < 2 else None,
        )
        for place in range(4)
    )


def _mentions(
    random: Random, fact: Fact, owner: int, places: list[int], full: list[int], kin: Sequence[Kin]
) -> tuple[Mention, ...]:
    """Return a speaker's mentions of a fact; takes their values out of `places`, their room out of `full`."""
    sessions = len(full)
    if fact.form == "changes":
        rooms = [range(sessions // 2), range(sessions // 2 + 1, sessions)]
    elif fact.form == "lists":
        count = random.randint(2, 4)
        rooms = [range(sessions * part // count, sessions * (part + 1) // count) for part in range(count)]
    else:
        rooms = [range(_INTRODUCTIONS if fact.form == "relations" else 0, sessions)]
    whom = random.choice([one for one in kin if one.owner == owner]) if fact.form == "relations" else None
    return tuple(
        Mention(
            fact=fact,
            owner=owner,
            place=places.pop(),
            session=_roomy(random, room, full),
            later=fact.form == "changes" and part == 1,
            kin=whom,
        )
        for part, room in enumerate(rooms)
    )


def _roomy(random: Random, room: range, full: list[int]) -> int:
    """Return a session of the range that is not full yet, or its emptiest one."""
    open_ones = [session for session in room if full[session] < _MOST_A_SESSION]
    session = random.choice(open_ones) if open_ones else min(room, key=lambda one: full[one])
    full[session] += 1
    return session
