"""Raw stuffing: the newest turns, whole, as many as a window holds. The fallback, and the yardstick of every saving."""

from collections.abc import Sequence

from compaction.errors import WindowTooSmall
from compaction.rendering import Context, Span, context_cost, day_cost, render, span_cost, year_cost
from memory.model import Turn

__all__ = ["raw_tokens", "stuff"]


def stuff(turns: Sequence[Turn], *, limit: int) -> Context:
    """Write the newest of `turns` (in order of time) in full, never above `limit` tokens.

    Raises:
        WindowTooSmall: not even the newest turn fits.
    """
    taken: list[Span] = []
    used = 0
    for turn in reversed(turns):
        span = _whole(turn)
        tokens = span_cost(span)
        if not taken or taken[-1].day != span.day:
            tokens += day_cost(span.day)
        if not taken or taken[-1].day.year != span.day.year:
            tokens += year_cost(span.day)
        if used + tokens > limit:
            break
        used += tokens
        taken.append(span)
    if turns and not taken:
        raise WindowTooSmall(limit=limit, needed=tokens)
    context = render(taken, budget=limit, left_out={"no room left": len(turns) - len(taken)})
    while context.tokens > limit:  # marks of four digits cost more than was counted
        taken.pop()
        context = render(taken, budget=limit, left_out={"no room left": len(turns) - len(taken)})
    return context


def raw_tokens(turns: Sequence[Turn]) -> int:
    """Count the tokens of the whole history, written as `stuff` writes it."""
    return context_cost([_whole(turn) for turn in turns])


def _whole(turn: Turn) -> Span:
    """Return all that a turn says: blanks at its end would count differently once no line follows."""
    return Span(turn=turn, start=0, end=len(turn.text.rstrip()))
