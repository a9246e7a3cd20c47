"""What callers get back."""

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel

from memory import Instruction, SessionSummary, Turn, UserSummary
from memory.model import Flag, Role
from tirtha.operations.context import DistilledContext
from tirtha.operations.forget import Forgot, SwitchedOff
from tirtha.operations.recall import RecalledTurn
from tirtha.operations.remember import Remembered

__all__ = [
    "PROBABILITY_DIGITS",
    "BulkOut",
    "ContextOut",
    "ForgotOut",
    "HealthOut",
    "InstructionOut",
    "InstructionsOut",
    "RecallOut",
    "Rejected",
    "RememberOut",
    "SessionOut",
    "SessionsOut",
    "SwitchedOffOut",
    "TurnOut",
    "TurnsOut",
    "UserOut",
    "UsersOut",
]

PROBABILITY_DIGITS = 4


class TurnStored(BaseModel):
    """What became of one turn."""

    id: str
    stored: bool


class RememberOut(BaseModel):
    """201 of POST /v1/remember."""

    session_id: str
    turns: list[TurnStored]
    epoch: int
    indexed: bool

    @classmethod
    def of(cls, remembered: Remembered) -> Self:
        """Report what became of the turns."""
        receipt = remembered.receipt
        outcomes = zip(receipt.turn_ids, receipt.outcomes, strict=True)
        turns = [TurnStored(id=turn_id, stored=outcome == "stored") for turn_id, outcome in outcomes]
        return cls(session_id=receipt.session_id, turns=turns, epoch=receipt.epoch, indexed=remembered.indexed)


class Rejected(BaseModel):
    """A line of a bulk that was not stored, where in it the fault lies, and why."""

    line: int
    at: str
    why: str


class BulkOut(BaseModel):
    """201 of an NDJSON bulk: counts, and the rejected lines (all counted in `rejected_lines`, the first thousand listed)."""

    received: int
    stored: int
    duplicates: int
    rejected_lines: int
    rejected: list[Rejected]


class LineOut(BaseModel):
    """A line of a context."""

    n: int
    turn_id: str
    session_id: str
    speaker: str
    said_at: datetime
    quote: str


class ContextOut(BaseModel):
    """200 of POST /v1/context. Not `complete`: the question asks for more than the budget can hold."""

    text: str
    tokens: int
    budget: int
    lines: list[LineOut]
    answerable: float
    complete: bool

    @classmethod
    def of(cls, distilled: DistilledContext) -> Self:
        """Report a context."""
        context = distilled.context
        lines = [
            LineOut(
                n=line.n,
                turn_id=line.turn_id,
                session_id=line.session_id,
                speaker=line.speaker,
                said_at=line.said_at,
                quote=line.quote,
            )
            for line in context.lines
        ]
        return cls(
            text=context.text,
            tokens=context.tokens,
            budget=context.budget,
            lines=lines,
            answerable=round(distilled.answerable, PROBABILITY_DIGITS),
            complete=context.complete,
        )


class EvidenceOut(BaseModel):
    """A recalled turn."""

    turn_id: str
    session_id: str
    speaker: str
    said_at: datetime
    text: str
    score: float
    features: dict[str, float]


class RecallOut(BaseModel):
    """200 of POST /v1/recall."""

    evidence: list[EvidenceOut]

    @classmethod
    def of(cls, recalled: list[RecalledTurn]) -> Self:
        """Report recalled turns."""
        return cls(
            evidence=[
                EvidenceOut(
                    turn_id=found.turn.id,
                    session_id=found.turn.session_id,
                    speaker=found.turn.name,
                    said_at=found.turn.said_at,
                    text=found.turn.text,
                    score=found.best.score,
                    features=dict(found.features),
                )
                for found in recalled
            ]
        )


class SessionOut(BaseModel):
    """A session of a scope."""

    session_id: str
    started_at: datetime
    last_at: datetime
    turns: int

    @classmethod
    def of(cls, summary: SessionSummary) -> Self:
        """Report a session."""
        return cls(
            session_id=summary.session_id, started_at=summary.started_at, last_at=summary.last_at, turns=summary.turns
        )


class SessionsOut(BaseModel):
    """200 of GET /v1/sessions; `next` is the cursor of the following page, if there is one."""

    sessions: list[SessionOut]
    next: str | None


class TurnOut(BaseModel):
    """A turn as it was sent; `speaker` is null if none was named. One with a `flag` is never evidence."""

    id: str
    session_id: str
    role: Role
    speaker: str | None
    text: str
    said_at: datetime
    flag: Flag | None

    @classmethod
    def of(cls, turn: Turn) -> Self:
        """Report a turn."""
        return cls(
            id=turn.id,
            session_id=turn.session_id,
            role=turn.role,
            speaker=turn.speaker,
            text=turn.text,
            said_at=turn.said_at,
            flag=turn.flag,
        )


class TurnsOut(BaseModel):
    """200 of GET /v1/memories; `next` is the cursor of the following page, if there is one."""

    turns: list[TurnOut]
    next: str | None


class TurnName(BaseModel):
    """A turn, by its session and its own id."""

    session_id: str
    turn_id: str


class InstructionOut(BaseModel):
    """What a user wants always, in his words. It is `active` unless it was switched off, or `replaced_by` a later one."""

    turn_id: str
    session_id: str
    said_at: datetime
    text: str
    active: bool
    replaced_by: TurnName | None

    @classmethod
    def of(cls, one: Instruction) -> Self:
        """Report an instruction."""
        newer = one.replaced_by
        return cls(
            turn_id=one.turn.id,
            session_id=one.turn.session_id,
            said_at=one.turn.said_at,
            text=one.quote,
            active=one.in_force,
            replaced_by=TurnName(session_id=newer.session_id, turn_id=newer.id) if newer else None,
        )


class InstructionsOut(BaseModel):
    """200 of GET /v1/memories with kind=instruction; `next` is the cursor of the following page, if there is one."""

    instructions: list[InstructionOut]
    next: str | None


class UserOut(BaseModel):
    """A user of whom something is remembered: by which agents, and how many turns in all."""

    user_id: str
    agents: list[str]
    turns: int

    @classmethod
    def of(cls, summary: UserSummary) -> Self:
        """Report a user."""
        return cls(user_id=summary.user_id, agents=list(summary.agents), turns=summary.turns)


class UsersOut(BaseModel):
    """200 of GET /v1/users; `next` is the cursor of the following page, if there is one."""

    users: list[UserOut]
    next: str | None


class HealthOut(BaseModel):
    """200 of /healthz and /readyz."""

    status: Literal["ok", "ready"]
    version: str
    turns: int | None = None
    waiting: int | None = None


class ForgotOut(BaseModel):
    """200 of a DELETE and of POST /v1/forget: how much was removed.

    `decisions` are the records that were emptied for it, with the cached answers that stood on them.
    """

    turns: int
    sessions: int
    decisions: int
    epoch: int

    @classmethod
    def of(cls, forgot: Forgot) -> Self:
        """Report what was forgotten."""
        return cls(turns=forgot.turns, sessions=forgot.sessions, decisions=forgot.decisions, epoch=forgot.epoch)


class SwitchedOffOut(BaseModel):
    """200 of a DELETE with kind=instruction: how many instructions of the turn are off now."""

    instructions: int
    epoch: int

    @classmethod
    def of(cls, switched: SwitchedOff) -> Self:
        """Report what was switched off."""
        return cls(instructions=switched.instructions, epoch=switched.epoch)
