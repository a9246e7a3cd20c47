"""The nouns of memory: who remembers, what was said, and what a query found.

Plain frozen values, shared by the store, the index and recall. They know nothing of SQL, LanceDB or HTTP.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NewType

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "EncodedPassage",
    "Evidence",
    "NewTurn",
    "Outcome",
    "Passage",
    "Receipt",
    "Recollection",
    "Role",
    "Scope",
    "ScopeId",
    "SessionSummary",
    "Survey",
    "Turn",
    "TurnPk",
    "Vector",
]

Role = Literal["user", "assistant", "system", "tool"]
Outcome = Literal["stored", "duplicate", "conflict"]
ScopeId = NewType("ScopeId", int)
TurnPk = NewType("TurnPk", int)
Vector = NDArray[np.float32] | NDArray[np.float16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose memory it is: the unit of recall, of the epoch and of forgetting."""

    tenant: str
    user_id: str
    agent_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTurn:
    """A turn to remember. Without `id` the store names it; without `said_at` it was said now."""

    role: Role
    text: str
    id: str | None = None
    speaker: str | None = None
    said_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A remembered turn, verbatim. `said_at` keeps the zone it was given in; `pk` and `session_pk` are the store's keys."""

    pk: TurnPk
    session_pk: int
    id: str
    session_id: str
    position: int
    role: Role
    speaker: str | None
    text: str
    said_at: datetime

    @property
    def name(self) -> str:
        """Who speaks: the speaker if one was named, else the role."""
        return self.speaker or self.role


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What one remember did, turn by turn, and the scope's epoch after it."""

    session_id: str
    turn_ids: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    stored: tuple[TurnPk, ...]
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSummary:
    """One conversation of a scope, with the span of time it covers."""

    session_id: str
    started_at: datetime
    last_at: datetime
    turns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A sentence of a turn: the half-open character span `[start, end)` of its text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedPassage:
    """A passage with its unit vector and the unit vector of its whole turn, `(d,)`: float32, or float16 as the index keeps them."""

    turn_pk: TurnPk
    passage: Passage
    vector: Vector
    turn_vector: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a question must know of a scope before it searches: its key, who speaks in it (at most 256), what is not indexed yet."""

    scope: ScopeId
    speakers: list[str]
    tail: list[Turn]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A passage that recall returned for a query.

    `score`, 0 to 1, is how likely its turn is evidence and the passage what answers, half and half. `row` is its place in its
    recollection's signals, if it was judged. `superseded_by` is the turn, and the place in it, of a later statement that replaces
    this one.
    """

    turn: Turn
    passage: Passage
    score: float
    row: int | None = None
    superseded_by: tuple[TurnPk, int] | None = None

    @property
    def quote(self) -> str:
        """The passage's verbatim text."""
        return self.turn.text[self.passage.start : self.passage.end]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recollection:
    """All that recall found for a question, best first, and how likely it is that the answer is among it.

    `compares` says that the question takes two facts to answer. `signals` are what passages were judged by at the first look,
    `(n,)` each.
    """

    evidence: tuple[Evidence, ...]
    answerable: float
    compares: bool = False
    signals: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def signals_of(self, evidence: Evidence) -> dict[str, float]:
        """Give what one passage was judged by, by name; nothing for one that was followed to and not judged."""
        if evidence.row is None:
            return {}
        return {name: float(values[evidence.row]) for name, values in self.signals.items()}
