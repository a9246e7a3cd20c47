"""The value types of memory: who remembers, what was said, and what a query found.

Plain frozen values, shared by the store, the index and recall. They know nothing of SQL, LanceDB or HTTP.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NewType

import numpy as np
from numpy.typing import NDArray

from language import Analysed, Passage, analyse, readable, said_in

__all__ = [
    "ArchivedTurn",
    "Bounds",
    "Breadth",
    "Counts",
    "EncodedPassage",
    "Evidence",
    "Extent",
    "Flag",
    "Follow",
    "Followed",
    "Instruction",
    "NewTurn",
    "Placed",
    "Receipt",
    "Recollection",
    "Remember",
    "Restore",
    "Restored",
    "Role",
    "Scope",
    "ScopeId",
    "SessionSummary",
    "Survey",
    "Turn",
    "TurnCursor",
    "TurnOutcome",
    "TurnPk",
    "UserSummary",
    "Vector",
]

Role = Literal["user", "assistant", "system", "tool"]
TurnOutcome = Literal["stored", "duplicate", "conflict"]
Flag = Literal["unchecked", "replaced"]  # why a turn is no evidence
Breadth = Literal["one", "two", "several", "history"]  # how many facts it takes to answer a question; all that was said
ScopeId = NewType("ScopeId", int)
TurnPk = NewType("TurnPk", int)
TurnCursor = tuple[datetime, TurnPk]  # where a page of turns or sessions ended: it outlives what stood there
Vector = NDArray[np.float32] | NDArray[np.float16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose memory it is: the unit of recall, of the epoch and of forgetting."""

    tenant: str
    user_id: str
    agent_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTurn:
    """A turn to remember. Without `id` the store names it; without `said_at` it was said now.

    One with a `flag` is kept verbatim like any other, and is never evidence: `unchecked` is an assistant's answer that the
    guards did not pass as a whole, `replaced` a turn that its author edited or regenerated away.
    """

    role: Role
    text: str
    id: str | None = None
    speaker: str | None = None
    said_at: datetime | None = None
    flag: Flag | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A remembered turn, verbatim. `said_at` keeps the zone it was given in; `pk` and `session_pk` are the store's keys.

    With a `flag` it is no evidence (`NewTurn`).
    """

    pk: TurnPk
    session_pk: int
    id: str
    session_id: str
    position: int
    role: Role
    speaker: str | None
    text: str
    said_at: datetime
    flag: Flag | None = None

    @property
    def name(self) -> str:
        """Who speaks: the speaker if one was named, else the role."""
        return self.speaker or self.role

    @property
    def analysed(self) -> Analysed:
        """What the turn says, machine text left out."""
        return analyse(readable(self.text), self.said_at.date())


@dataclass(frozen=True, slots=True, kw_only=True)
class Remember:
    """A request to remember turns in one session of one scope, in the order they were said."""

    scope: Scope
    session_id: str
    turns: Sequence[NewTurn]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What one remember did, turn by turn, and the scope's epoch after it."""

    scope_id: ScopeId
    session_id: str
    turn_ids: tuple[str, ...]
    outcomes: tuple[TurnOutcome, ...]
    stored: tuple[TurnPk, ...]
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """A request to keep up with a conversation of which `turns` are the whole, or its newest part, in the order they were said.

    Without `whole` they are what is new. Without `session_id` the session is found by what was said in it, or begun.

    Raises:
        ValueError: a turn has an id, which a conversation that is edited cannot keep, or is the system's, which is no part of it.
    """

    scope: Scope
    session_id: str | None
    turns: Sequence[NewTurn]
    whole: bool = True

    def __post_init__(self) -> None:
        """Refuse turns that no client of a chat sends as its conversation."""
        if any(turn.id is not None or turn.role == "system" for turn in self.turns):
            raise ValueError("the turns of a conversation that is followed have no ids, and none is the system's")


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What one following did: the receipt of all turns that were sent, and how many turns held before were replaced by them."""

    receipt: Receipt
    replaced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What a following would do: in which session (None: a new one), how many turns are new, and how many would be replaced."""

    session_id: str | None
    new: int
    replaced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedTurn:
    """A turn as an archive keeps it, whole: with its ids, its place in its session, and when it was remembered.

    Without `position` its place is after the session's last turn; without `remembered_at` it is remembered now. Without `said_at`
    it was said now, and it is known again whenever it was said. `instructions_off`: none of its instructions is to be followed.
    """

    session_id: str
    id: str
    role: Role
    text: str
    said_at: datetime | None = None
    speaker: str | None = None
    position: int | None = None
    remembered_at: datetime | None = None
    flag: Flag | None = None
    instructions_off: bool = False

    @property
    def new(self) -> NewTurn:
        """The turn as one to remember."""
        return NewTurn(
            id=self.id, role=self.role, text=self.text, speaker=self.speaker, said_at=self.said_at, flag=self.flag
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """A request to store archived turns of one scope, of whatever sessions, in the order they were stored before."""

    scope: Scope
    turns: Sequence[ArchivedTurn]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What one restoring did, turn by turn; a conflict is an id that holds another text, or the same said at another time."""

    outcomes: tuple[TurnOutcome, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much a scope holds: its epoch, the number of its turns, and of the characters in them."""

    epoch: int
    turns: int
    characters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The turns of all scopes, and those of them that wait for the index; since when the first of these does."""

    turns: int
    waiting: int
    waiting_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Threads:
    """The threads of one kind of work: how many there are, how many work, and how many requests wait for one."""

    most: int
    working: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a memory is busy with, by kind of work, and the scopes that it keeps at hand for the next question."""

    threads: Mapping[str, Threads]
    hot_scopes: int
    hot_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSummary:
    """One conversation of a scope, with the span of time it covers; `first_pk` is the turn that was stored first."""

    session_id: str
    started_at: datetime
    last_at: datetime
    turns: int
    first_pk: TurnPk


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSummary:
    """A user of whom something is remembered: the agents that remember them, and the turns of all their scopes."""

    user_id: str
    agents: tuple[str, ...]
    turns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What of a scope exists for a question: not what was said after `until`, nor the turns that are left out.

    Those are named by (session id, turn id), or are all of a session.
    """

    until: datetime | None = None
    exclude: frozenset[tuple[str, str]] = frozenset()
    exclude_session_id: str | None = None

    @property
    def leave_out(self) -> bool:
        """Whether any turn is left out by its name."""
        return bool(self.exclude) or self.exclude_session_id is not None

    def hold(self, turn: Turn) -> bool:
        """Return whether a turn exists for the question."""
        if self.until is not None and turn.said_at > self.until:
            return False
        return turn.session_id != self.exclude_session_id and (turn.session_id, turn.id) not in self.exclude


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedPassage:
    """A passage with its unit vector and the unit vector of its whole turn, `(d,)`: float32, or float16 as the index keeps them."""

    turn_pk: TurnPk
    passage: Passage
    vector: Vector
    turn_vector: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a question must know of a scope before it searches: its key, who speaks in it (at most 256), what waits for the index.

    `waiting` are the keys of those turns, oldest first.
    """

    scope: ScopeId
    speakers: list[str]
    waiting: list[TurnPk]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A passage that recall returned for a query.

    `score` is the predicted usefulness, 0 to 1: for the most part the share of the answer's words in the passage; a tenth is for
    being of a turn that is evidence, and the turn's passages divide it. `row` is its place in its recollection's features, if it
    was scored. `superseded_by` is the turn, and the place in it, of a later statement that replaces this one. `trimmed`: the
    passage stops before its sentence does.
    """

    turn: Turn
    passage: Passage
    score: float
    row: int | None = None
    superseded_by: tuple[TurnPk, int] | None = None
    trimmed: bool = False

    @property
    def quote(self) -> str:
        """The passage's verbatim text."""
        return self.turn.text[self.passage.start : self.passage.end]

    @property
    def analysed(self) -> Analysed:
        """What the passage says; a table's row with its header."""
        return analyse(said_in(self.turn.text, self.passage), self.turn.said_at.date())


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """A stretch `[start, end)` of a turn that says what its user wants always.

    `off`: a person wants none of its turn followed. `replaced_by` is the turn of a later one that takes its place.
    """

    turn: Turn
    start: int
    end: int
    off: bool = False
    replaced_by: Turn | None = None

    @property
    def quote(self) -> str:
        """The stretch, verbatim."""
        return self.turn.text[self.start : self.end]

    @property
    def in_force(self) -> bool:
        """Whether it is to be followed."""
        return not self.off and self.replaced_by is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recollection:
    """All that recall found for a question, best first, and how likely it is that the answer is among it.

    `breadth` says how much the question takes to answer. `features` are what passages were scored by, by name,
    `(n,)` each. `standing` are the instructions in force for a request for work or advice, the nearest first: they say how to
    answer and are no evidence of a fact, so their score is 0. `nearness` is how near each is to the request.
    """

    evidence: tuple[Evidence, ...]
    answerable: float
    breadth: Breadth = "one"
    standing: tuple[Evidence, ...] = ()
    nearness: tuple[float, ...] = ()
    features: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def features_of(self, evidence: Evidence) -> dict[str, float]:
        """Return what one passage was scored by, by name; nothing for one that multi-hop expansion found."""
        if evidence.row is None:
            return {}
        return {name: float(values[evidence.row]) for name, values in self.features.items()}
