"""Fitting: a conversation that is too long for a window keeps its instructions and its last turns; memory holds the rest."""

import anyio.to_thread

from cascade.errors import TooLong
from compaction.conversation import Compacted, Piece, compact
from compaction.errors import WindowTooSmall
from tirtha.operations.chat.asked import Prompt

__all__ = ["fit"]

_AROUND_NOTES = 80  # tokens of the fence and its preface
_SHARE_OF_ANSWER = 8  # of the window, where nothing says how long an answer may be


async def fit(prompt: Prompt, *, window: int, answer_tokens: int, budget: int) -> Compacted:
    """Choose the turns that fit into a model's window beside notes and an answer.

    Args:
        prompt: the conversation.
        window: the tokens of the window.
        answer_tokens: the answer's, where the request does not say; at most an eighth of the window.
        budget: the notes' where no turn is left out; 0 if there are none.

    Raises:
        TooLong: not even the last turn fits.
    """
    answer = prompt.answer_tokens or min(answer_tokens, window // _SHARE_OF_ANSWER)
    around_notes = _AROUND_NOTES if budget else 0
    if prompt.size + answer + budget + around_notes <= window:
        return Compacted(first=0, evidence_budget=budget)
    beside, sizes = await anyio.to_thread.run_sync(lambda: (prompt.around_tokens() + answer, prompt.turn_tokens()))
    pieces = [Piece(tokens, turn.role == "user") for tokens, turn in zip(sizes, prompt.turns, strict=True)]
    try:
        return compact(pieces, room=window - beside, budget=budget, around_evidence=around_notes)
    except WindowTooSmall as fault:
        raise TooLong(tokens=beside + fault.needed, window_tokens=window) from None
