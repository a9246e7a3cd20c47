"""Fitting: a conversation that is too long for a window keeps its instructions and its last turns; memory tells of the rest."""

from cascade.errors import TooLong
from compaction.conversation import Compacted, Piece, compact
from compaction.errors import WindowTooSmall
from tirtha.operations.chat.asked import Prompt

__all__ = ["fit"]

_AROUND_NOTES = 80  # tokens of the fence and its preface
_SHARE_OF_ANSWER = 8  # of the window, where nobody says how long an answer may be


def fit(prompt: Prompt, *, window: int, answer_tokens: int, budget: int) -> Compacted:
    """Choose the turns that fit into `window` tokens beside notes and an answer. Raises TooLong if not even the last one does."""
    beside = prompt.around_tokens + (prompt.answer_tokens or min(answer_tokens, window // _SHARE_OF_ANSWER))
    pieces = [Piece(turn.tokens, turn.role == "user") for turn in prompt.turns]
    try:
        return compact(pieces, room=window - beside, budget=budget, around_evidence=_AROUND_NOTES if budget else 0)
    except WindowTooSmall as fault:
        raise TooLong(tokens=beside + fault.needed, window_tokens=window) from None
