"""The real encoder, which keeps the vectors of what it has encoded: most tests say what others said before them.

The vectors are the model's own. A test of the encoder itself takes `Encoder` (`tests/memory/encoding/conftest.py`).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from memory.encoding.encoder import Encoder
from memory.model import EncodedPassage, Turn

__all__ = ["KeptEncoder"]

_MOST_KEPT = 5_000  # turns, and as many questions: some 100 MB at most
_LONGEST_KEPT = 2_000  # characters of a turn


class KeptEncoder(Encoder):
    """The bundled model; a question, or a turn of the same speaker and text, is encoded once."""

    def __init__(self) -> None:
        super().__init__()
        self._questions: dict[str, Any] = {}
        self._turns: dict[tuple[str, str], list[EncodedPassage]] = {}

    def forget(self) -> None:
        """Keep nothing of what was encoded so far."""
        self._questions.clear()
        self._turns.clear()

    def encode_question(self, question: str) -> Any:
        """Return the question's vector, which the caller may change."""
        vector = self._questions.get(question)
        if vector is None:
            vector = super().encode_question(question)
            if len(self._questions) < _MOST_KEPT:
                self._questions[question] = vector
        return vector.copy()

    def encode_turns(
        self, turns: Sequence[Turn], between: Callable[[], None] = lambda: None
    ) -> list[list[EncodedPassage]]:
        """Encode the turns that are new, and say for each of the others that it is their turn."""
        found = {_key(turn): self._turns.get(_key(turn)) for turn in turns}
        new = list({_key(turn): turn for turn in turns if found[_key(turn)] is None}.values())
        for turn, passages in zip(new, super().encode_turns(new, between) if new else [], strict=True):
            found[_key(turn)] = passages
            if len(self._turns) < _MOST_KEPT and len(turn.text) <= _LONGEST_KEPT:
                self._turns[_key(turn)] = passages
        for _ in range(len(turns) - len(new)):
            between()
        return [[replace(one, turn_pk=turn.pk) for one in found[_key(turn)] or []] for turn in turns]


def _key(turn: Turn) -> tuple[str, str]:
    return turn.name, turn.text
