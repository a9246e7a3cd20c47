"""The sizes that an operation accepts, checked before anything is done."""

from collections.abc import Sequence
from dataclasses import dataclass

from memory import NewTurn
from tirtha.errors import TooLarge

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Characters of a turn and of a question, turns of a request, at most. Every method raises TooLarge."""

    turn_chars: int
    question_chars: int
    turns: int

    def check_turn(self, turn: NewTurn, at: str) -> None:
        """Check a turn's text; `at` says where it stands in the request."""
        if len(turn.text) > self.turn_chars:
            size, limit = len(turn.text), self.turn_chars
            raise TooLarge(at=at, what="the turn's text", size=size, limit=limit, unit="characters")

    def check_turns(self, turns: Sequence[NewTurn], fields: Sequence[str] = ()) -> None:
        """Check the number of turns, and each of them; `fields` says where the text of each stands in it."""
        if len(turns) > self.turns:
            raise TooLarge(at="turns", what="the request", size=len(turns), limit=self.turns, unit="turns")
        for index, (turn, field) in enumerate(zip(turns, fields or ["text"] * len(turns), strict=True)):
            self.check_turn(turn, f"turns[{index}].{field}")

    def check_question(self, question: str, at: str = "question") -> None:
        """Check a question's length; `at` says where it stands in the request."""
        if len(question) > self.question_chars:
            size, limit = len(question), self.question_chars
            raise TooLarge(at=at, what="the question", size=size, limit=limit, unit="characters")
