"""A conversation that is too long for a window: which of its turns stay whole, and what evidence of the others may take.

Its last turns stay, from a message of the user on, so that no tool's result is without its call. What is before leaves the prompt;
the memory that holds it can give evidence of it within `evidence_budget`. Pure arithmetic over token counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from compaction.errors import WindowTooSmall

__all__ = ["Compacted", "Piece", "compact"]

_SHARE = 4  # evidence may take a fourth of the room,
_BUDGETS = 4  # and so many times what a question's evidence takes


@dataclass(frozen=True, slots=True)
class Piece:
    """A turn of a conversation: its tokens, and whether what is kept may begin with it."""

    tokens: int
    begins: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted:
    """The pieces from `first` on are kept; evidence of the others, of `tokens_left_out`, may take `evidence_budget` tokens."""

    first: int
    evidence_budget: int
    tokens_left_out: int = 0


def compact(pieces: Sequence[Piece], *, room: int, budget: int, around_evidence: int = 0) -> Compacted:
    """Choose the pieces that fit into `room` tokens beside evidence.

    Args:
        pieces: the turns of the conversation, the oldest first.
        room: the tokens that pieces and evidence may take together.
        budget: the evidence's tokens where nothing is left out; up to four times as many where something is.
        around_evidence: the tokens of what the evidence is put into.

    Raises:
        WindowTooSmall: not even the last piece that may begin fits, with all after it.
    """
    sizes = [piece.tokens for piece in pieces]
    if sum(sizes) + budget + around_evidence <= room:
        return Compacted(first=0, evidence_budget=budget)
    evidence = max(0, min(budget * _BUDGETS, room // _SHARE))
    beginnings = [place for place, piece in enumerate(pieces) if piece.begins] or [0]
    for first in beginnings:
        if first and sum(sizes[first:]) + evidence + around_evidence <= room:
            return Compacted(first=first, evidence_budget=evidence, tokens_left_out=sum(sizes[:first]))
    last = beginnings[-1]
    left = room - sum(sizes[last:])
    if left < 0:
        raise WindowTooSmall(limit=max(room, 0), needed=sum(sizes[last:]))
    return Compacted(first=last, evidence_budget=max(0, left - around_evidence), tokens_left_out=sum(sizes[:last]))
