"""Turns for tests, with everything that a test does not care about filled in."""

from datetime import UTC, datetime, timedelta

from language import Passage
from memory import Evidence, NewTurn, Scope, Turn
from memory.model import Role, TurnPk

SCOPE = Scope(tenant="default", user_id="u1")
MAY_8 = datetime(2023, 5, 8, 13, 56, tzinfo=UTC)


def said(
    text: str, *, id: str | None = None, role: Role = "user", speaker: str | None = None, days: int = 0
) -> NewTurn:
    """A turn to remember, `days` after 8 May 2023."""
    return NewTurn(id=id, role=role, speaker=speaker, text=text, said_at=MAY_8 + timedelta(days=days))


def held(
    text: str,
    *,
    pk: int = 1,
    session_pk: int = 1,
    position: int = 0,
    role: Role = "user",
    speaker: str | None = "Caroline",
    said_at: datetime = MAY_8,
    session_id: str = "s1",
) -> Turn:
    """A turn as the store gives it back."""
    return Turn(
        pk=TurnPk(pk),
        session_pk=session_pk,
        id=f"t{pk}",
        session_id=session_id,
        position=position,
        role=role,
        speaker=speaker,
        text=text,
        said_at=said_at,
    )


def evidence(turn: Turn, start: int, end: int, score: float = 1.0) -> Evidence:
    """Evidence of a stretch of a turn."""
    return Evidence(turn=turn, passage=Passage(start=start, end=end), score=score)
