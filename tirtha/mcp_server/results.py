"""What the tools return: what the HTTP contract answers to the same request, less what an agent has no use for."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

__all__ = [
    "AskResult",
    "ForgetResult",
    "RecallResult",
    "RememberResult",
    "Session",
    "SessionsResult",
    "Turn",
    "TurnsResult",
]


class StoredTurn(BaseModel):
    """What became of one turn; `stored` is false for one that was known already."""

    id: str
    stored: bool


class RememberResult(BaseModel):
    """The conversation that the turns belong to now, and what became of each."""

    session_id: str
    turns: list[StoredTurn]


class NumberedLine(BaseModel):
    """Where the line `[n]` of the text comes from."""

    n: int
    turn_id: str
    session_id: str
    speaker: str
    said_at: datetime


class RecallResult(BaseModel):
    """What was said on a question, as numbered lines.

    `answerable` is the probability that the answer is in the memory. Not `complete`: more was asked for than fits.
    """

    text: str
    lines: list[NumberedLine]
    tokens: int
    budget: int
    answerable: float
    complete: bool


class Citation(BaseModel):
    """A turn that an answer rests on, with the words."""

    turn_id: str
    session_id: str
    said_at: datetime
    quote: str


class AskResult(BaseModel):
    """An answer with its evidence. `abstained`: it is not in the memory; `verified`: it passed every check."""

    answer: str
    abstained: bool
    verified: bool
    citations: list[Citation]
    path: str
    reason: str
    cost_usd: str
    decision_id: str


class ForgetResult(BaseModel):
    """How much was forgotten; `decisions` are records of answers that were emptied for it."""

    turns: int
    sessions: int
    decisions: int


class Session(BaseModel):
    """A conversation. Its turns are the resource `uri`."""

    session_id: str
    started_at: datetime
    last_at: datetime
    turns: int
    uri: str = ""


class SessionsResult(BaseModel):
    """Conversations, oldest first; `next` is the cursor of the following page, if there is one."""

    sessions: list[Session]
    next: str | None = Field(default=None)


class Turn(BaseModel):
    """A turn, as it was sent."""

    id: str
    role: Literal["user", "assistant", "system", "tool"]
    speaker: str | None
    said_at: datetime
    text: str


class TurnsResult(BaseModel):
    """Turns of a conversation, oldest first; `next` is the cursor of the following page, if there is one."""

    turns: list[Turn]
    next: str | None
