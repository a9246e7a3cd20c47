"""A session of a dialogue: what is mentioned in scenes of a few messages, small talk between them, each in its speaker's manner.

Every message knows which slots of which mentions it holds; turns get their evidence from there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import TypeVar, cast

from eval.training.dialogues.planning import Kin, Mention
from eval.training.dialogues.relative_times import When, when_said
from eval.training.dialogues.tables import relatives, smalltalk

__all__ = ["DialogueLine", "Held", "Manner", "Weaver"]

_T = TypeVar("_T")
_SLOT = re.compile(r"\{(\w+)\}")
_SENTENCE_END = re.compile(r"(?<=[.!?]) (?=[A-Z{])")
_SENTENCE_START = re.compile(r"^[a-z]|(?<=[.!?] )[a-z]")
# How often a fact is mentioned by the other one, as a short answer, and of the rest in the words that questions use.
_BY_THE_OTHER, _AS_AN_ANSWER, _PLAINLY = 0.35, 0.3, 0.7
_LEAST_TURNS, _MOST_TURNS = 10, 30


@dataclass(frozen=True, slots=True)
class Held:
    """What a message holds: the value of a mention ("v"), its time ("when"), or whom it is about ("who")."""

    about: Mention | Kin
    slot: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogueLine:
    """A message: who sends it (0 or 1), what it holds, and whether the chat could do without it."""

    by: int
    text: str
    holds: frozenset[Held] = frozenset()
    spare: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How somebody writes: how often in bursts, whether small at the start and without a full stop, with which emoji."""

    bursts: float
    small: bool
    emoji: str

    @classmethod
    def drawn(cls, random: Random) -> "Manner":
        """Return somebody's manner."""
        bursts = random.choice([0.1, 0.4, 0.8])
        return cls(bursts=bursts, small=random.random() < 0.3, emoji=random.choice(["", "", "😂", "🙈", "❤️", "😅"]))


class Weaver:
    """Writes the sessions of one chat. Keeps what it has used, so that small talk seldom repeats."""

    def __init__(self, random: Random, speakers: tuple[str, str], unused_values: Sequence[str]) -> None:
        self._random = random
        self._speakers = speakers
        self._manners = (Manner.drawn(random), Manner.drawn(random))
        self._unused_values = unused_values
        self._drawn: dict[tuple[object, ...], list[object]] = {}
        self.times: dict[Mention, When] = {}

    def session(self, mentions: Sequence[Mention], introduced: Sequence[Kin], said_on: date) -> list[DialogueLine]:
        """Return the messages of a session of 10 to 30 turns."""
        scenes = [self._scene(one, said_on) for one in mentions] + [self._introduction(one) for one in introduced]
        wanted = self._random.randint(_LEAST_TURNS + 4, _MOST_TURNS - 3)
        while sum(map(len, scenes)) < wanted - 4:
            scenes.append(self._filler())
        self._random.shuffle(scenes)
        first = self._random.randrange(2)
        table = smalltalk()
        scenes.insert(0, self._exchange(first, self._draw(table.greetings), self._draw(table.greeting_replies)))
        scenes.append(self._exchange(1 - first, self._draw(table.farewells), self._draw(table.farewell_replies)))
        return self._shortened([line for scene in scenes for line in scene])

    def _shortened(self, lines: list[DialogueLine]) -> list[DialogueLine]:
        """Leave out what the chat can do without until it is short enough."""
        spare = [place for place, line in enumerate(lines) if line.spare]
        out = set(self._random.sample(spare, min(len(spare), max(0, len(lines) - _MOST_TURNS))))
        return [line for place, line in enumerate(lines) if place not in out]

    def _scene(self, mention: Mention, said_on: date) -> list[DialogueLine]:
        """Return a scene: said of oneself, as a short answer, or by the other; then, often, what the other says to it."""
        random, fact, owner = self._random, mention.fact, mention.owner
        if fact.form == "events":
            self.times[mention] = when_said(random, said_on, fact.tense)
        plain, indirect, asked = fact.plain, fact.told, fact.asked
        if mention.later:
            plain, indirect, asked = fact.changed_plain, fact.changed, fact.changed_asked
        if fact.guessed and random.random() < _BY_THE_OTHER:
            said, reply = random.choice(fact.guessed)
            return [*self._say(1 - owner, said, mention), *self._say(owner, reply, mention)]
        if random.random() < _AS_AN_ANSWER:
            said, reply = random.choice(asked)
            lines = [*self._say(1 - owner, said, mention), *self._say(owner, reply, mention)]
        else:
            lines = self._say(
                owner, self._dressed(plain if random.random() < _PLAINLY else random.choice(indirect)), mention
            )
        return lines + self._reaction(owner, sad=fact.subject in smalltalk().sad_subjects)

    def _dressed(self, text: str) -> str:
        """Put sentences that say nothing before and behind."""
        if self._random.random() < 0.3:
            text = f"{self._draw(smalltalk().openers)}|{text}"
        if self._random.random() < 0.3 and "\n" not in text:
            text = f"{text}|{self._draw(smalltalk().tails)}"
        return text

    def _reaction(self, owner: int, *, sad: bool = False) -> list[DialogueLine]:
        """Return what the other says to it, if anything, and perhaps a word of thanks."""
        lines: list[DialogueLine] = []
        pool = smalltalk().sympathy if sad else smalltalk().reactions
        if self._random.random() < 0.75:
            lines += self._say(1 - owner, self._draw(pool), spare=True)
            if self._random.random() < 0.35:
                lines += self._say(owner, self._draw(smalltalk().thanks), spare=True)
        return lines

    def _introduction(self, kin: Kin) -> list[DialogueLine]:
        return self._say(kin.owner, self._draw(relatives().introduced), kin) + self._reaction(kin.owner)

    def _filler(self) -> list[DialogueLine]:
        """Return a scene that answers nothing."""
        table, random, by = smalltalk(), self._random, self._random.randrange(2)
        match random.choices(["lines", "generic", "photo", "elsewhere"], [5, 3, 1, 1])[0]:
            case "lines":
                scene = self._say(by, self._draw(table.lines), spare=True)
                if random.random() < 0.4:
                    scene += self._say(by, self._draw(table.lines), spare=True)
                return scene + self._say(1 - by, self._draw((*table.lines, *table.reactions)), spare=True)
            case "generic":
                return self._exchange(by, *self._draw(table.generic))
            case "photo":
                return self._exchange(by, self._draw(table.photos), self._draw(table.photo_reactions))
            case _:
                text = self._draw(table.elsewhere).format(x=random.choice(self._unused_values))
                return self._exchange(by, text, self._draw(table.reactions))

    def _exchange(self, by: int, said: str, reply: str) -> list[DialogueLine]:
        return [*self._say(by, said, spare=True), *self._say(1 - by, reply, spare=True)]

    def _say(
        self, by: int, text: str, about: Mention | Kin | None = None, *, spare: bool = False
    ) -> list[DialogueLine]:
        """Return a text as its speaker sends it: in one message, or in several in a row."""
        manner = self._manners[by]
        parts = text.split("|")
        bursts = self._random.random() < manner.bursts
        if bursts and len(parts) == 1 and about is not None:
            parts = _SENTENCE_END.split(text)
        if not bursts:
            parts = [" ".join(map(_stopped, parts[:-1])) + " " + parts[-1] if len(parts) > 1 else text]
        return [self._line(by, part, about, spare=spare) for part in parts]

    def _line(self, by: int, template: str, about: Mention | Kin | None, *, spare: bool) -> DialogueLine:
        manner = self._manners[by]
        slots = {name.lower() for name in _SLOT.findall(template)} & {"v", "when", "who", "kin_name"}
        names = {"kin_name": "who"}
        holds = frozenset(Held(about, names.get(slot, slot)) for slot in slots) if about else frozenset()
        if manner.small and not re.match(r"I\b|\{|[A-Z]{2}", template):
            template = template[0].lower() + template[1:]
        text = template.format(other=self._speakers[1 - by], **self._slots(about))
        if not manner.small:
            text = _SENTENCE_START.sub(lambda start: start[0].upper(), text)
        elif text.endswith(".") and not text.endswith(".."):
            text = text[:-1]
        if manner.emoji and "\n" not in text and self._random.random() < 0.1:
            text = f"{text} {manner.emoji}"
        return DialogueLine(by=by, text=text, holds=holds, spare=spare)

    def _slots(self, about: Mention | Kin | None) -> dict[str, str]:
        """Return what stands in the slots of a template."""
        if about is None:
            return {}
        if isinstance(about, Kin):
            mine = f"my {about.relation}"
            return {"my_kin": mine, "kin_name": about.name, "Kin_name": about.name}
        slots = {"v": about.value}
        if about in self.times:
            phrase = self.times[about].phrase
            slots |= {"when": phrase, "When": _capital(phrase)}
        if kin := about.kin:
            who = f"my {kin.relation}" if kin.introduced_in is None else kin.name
            slots |= {"who": who, "Who": _capital(who), "your": f"your {kin.relation}"}
        return slots

    def _draw(self, pool: Sequence[_T]) -> _T:
        """Return an entry that was not drawn since all others were."""
        left = self._drawn.setdefault(tuple(pool), [])
        if not left:
            left.extend(self._random.sample(pool, len(pool)))
        return cast(_T, left.pop())


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _stopped(text: str) -> str:
    """Return a message with a stop behind it, as it stands before another sentence."""
    return text if text.endswith((".", "!", "?", ",", ":", ")")) else f"{text}."
