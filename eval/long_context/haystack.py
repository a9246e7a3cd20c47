"""Text to hide things in, made by us from a seed or given; histories with things hidden in them, measured in exact tokens.

Nothing is downloaded. The made text is small talk about days that hold no fact anyone asks for; no sentence comes twice, as every
one names its own hour, person and place. The original needle tests hide in Paul Graham's essays: give such a file to do the same.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field

from compaction.tokens import count_tokens
from eval.errors import Unusable
from eval.harness.answer_paths import history_scope
from memory import NewTurn, Remember

__all__ = ["Haystack", "Hidden", "History", "as_requests", "bury", "paragraphs", "take"]

Haystack = Annotated[Path | None, Field(description="a text to hide things in; default: made by us")]

START = datetime(2024, 1, 1, 8, tzinfo=UTC)
_APART = timedelta(minutes=20)
_TURNS_PER_SESSION = 40
_SENTENCES = 5
_WHO = (
    "my neighbour|the baker|a cousin|our bus driver|the librarian|a colleague|the postman|an old friend|the gardener|my aunt"
).split("|")
_DID = (
    "watered {thing} before {time}|talked about {thing} until {time}|left {thing} by the {place} at {time}|"
    "found {thing} near the {place} around {time}|painted {thing} behind the {place} at {time}|"
    "carried {thing} past the {place} by {time}|forgot {thing} at the {place} until {time}"
).split("|")
_THING = (
    "the tulips|a torn umbrella|two baskets of plums|the spare chairs|a wooden ladder|a stack of postcards|the blue bicycle|"
    "a jar of buttons|the long scarf|a box of candles|the garden hose|an empty birdcage|a roll of wallpaper|the brass kettle"
).split("|")
_PLACE = "pond|bridge|market hall|tram stop|old chapel|bandstand|orchard|quay|school gate|lighthouse|reading room|ferry".split(
    "|"
)
_WEATHER = (
    "It drizzled|The sun came out|A light wind blew|Fog hung about|It was mild|Clouds drifted by|It was still".split(
        "|"
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """A question about what is hidden: the facts that it takes, verbatim, and what a right answer holds."""

    question: str
    facts: tuple[str, ...]
    answer: str
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What to remember, its whole text, its exact tokens, and the questions about what is hidden in it."""

    requests: tuple[Remember, ...]
    text: str
    tokens: int
    hidden: Mapping[str, Hidden]


def paragraphs(seed: int, file: Path | None = None) -> Iterator[str]:
    """Yield filler, a paragraph at a time: made without end, or those of `file`. Raises OSError."""
    if file is not None:
        yield from (" ".join(part.split()) for part in file.read_text("utf-8").split("\n\n") if part.strip())
        return
    chance = random.Random(seed)  # noqa: S311 - the same text for the same seed
    day = 0
    while True:
        day += 1
        yield " ".join(_sentence(chance, day) for _ in range(_SENTENCES))


def _sentence(chance: random.Random, day: int) -> str:
    time = f"{chance.randrange(6, 23)}:{chance.randrange(60):02d}"
    did = chance.choice(_DID).format(thing=chance.choice(_THING), place=chance.choice(_PLACE), time=time)
    return f"{chance.choice(_WEATHER)} on day {day} and {chance.choice(_WHO)} {did}."


def take(filler: Iterator[str], tokens: int) -> list[str]:
    """Take as many paragraphs as fit `tokens`. Raises Unusable, with its length, if there is too little filler."""
    texts: list[str] = []
    held = 0
    while held < tokens:
        paragraph = next(filler, None)
        if paragraph is None:
            raise Unusable(f"the filler has {held:,} tokens; {tokens:,} are needed: give a longer --haystack")
        texts.append(paragraph)
        held += count_tokens(f"{paragraph}\n")
    return texts[:-1] if held > tokens else texts


def bury(things: Sequence[tuple[float, str]], *, tokens: int, filler: Iterator[str]) -> list[str]:
    """Hide things, each at its depth (0: the beginning, 1: the end), in filler; all texts in order, `tokens` together at most.

    Raises Unusable if the things alone are longer, or the filler is too short.
    """
    own = sum(count_tokens(f"{text}\n") for _, text in things)
    if own > tokens:
        raise Unusable(f"what is to be hidden has {own:,} tokens, more than the {tokens:,} of the history")
    texts = take(filler, tokens - own)
    for depth, thing in sorted(things, reverse=True):
        texts.insert(round(depth * len(texts)), thing)
    return texts


def as_requests(texts: Sequence[str], *, prefix: str = "part") -> list[Remember]:
    """Make one person's turns of texts, twenty minutes apart, forty to a session."""
    requests: list[Remember] = []
    for first in range(0, len(texts), _TURNS_PER_SESSION):
        turns = [
            NewTurn(id=str(place), role="user", text=texts[place], said_at=START + place * _APART)
            for place in range(first, min(first + _TURNS_PER_SESSION, len(texts)))
        ]
        requests.append(
            Remember(scope=history_scope(), session_id=f"{prefix} {first // _TURNS_PER_SESSION}", turns=turns)
        )
    return requests
