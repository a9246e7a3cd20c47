"""What the cascade takes and asks of others: the context it answers from, and the tiers and guards it runs.

The cascade sees neither memory nor compaction: who builds a `Brief` copies what it needs into these values.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

__all__ = ["Brief", "Draft", "Guard", "Quote", "Tier", "TimeSaid", "Usage", "Verdict"]

Grain = Literal["day", "weekend", "week", "month", "season", "year"]
Status = Literal["pass", "fail", "unsure", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSaid:
    """A time that a quote speaks of, resolved: its meaning in words and how exact it is."""

    meaning: str
    grain: Grain


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """One citable line of the context: mark `n`, the verbatim words, who said them when, and how relevant they are."""

    n: int
    turn_id: str
    session_id: str
    speaker: str
    said_at: datetime
    text: str
    score: float
    times: tuple[TimeSaid, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """A question and all that a tier may use to answer it."""

    question: str
    asked_at: datetime
    text: str
    tokens: int
    budget: int
    quotes: tuple[Quote, ...]
    answerable: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens that a call was billed for."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A tier's candidate answer; `citations` are marks of the brief's quotes."""

    answer: str
    citations: tuple[int, ...]
    usage: Usage = Usage()
    cost_nanousd: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One guard's judgement; only `pass` lets a draft through. `score` is what was compared with the guard's threshold."""

    guard: str
    status: Status
    score: float
    reason: str


class Tier(Protocol):
    """A solver with a price."""

    @property
    def name(self) -> str:
        """The path it serves under, such as `extractive`."""

    @property
    def model(self) -> str:
        """The model behind it, as the answer names it."""

    async def draft(self, brief: Brief) -> Draft | None:
        """Answer the brief's question from its quotes alone; None if they hold nothing to say."""


class Guard(Protocol):
    """A judgement over a draft. Raises nothing: what it cannot judge is `error` or `unsure`, and neither passes."""

    def check(self, brief: Brief, draft: Draft) -> Verdict:
        """Judge `draft`, an answer to `brief`."""
