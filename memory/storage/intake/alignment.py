"""Alignment: what was sent of a conversation beside what is held of it. Pure; knows nothing of rows.

Nothing is replaced where it is not clear what was: then what was sent is appended.
"""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["LEAST_RUN", "Alignment", "align", "align_new"]

LEAST_RUN = 2  # turns by which a part of a conversation is recognised
_WITH_ANSWER = 2  # turns of a conversation that is a message and its answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """Where what was sent stands among the turns held: its first `known` turns are those from `start` on.

    `replaces` says that what is held behind them was edited or regenerated away.
    """

    start: int
    known: int
    replaces: bool


def align(held: Sequence[str], sent: Sequence[str], *, awaits_answer: bool) -> Alignment:
    """Compare the whole of a conversation, or its newest part, with the turns held, each given by its digest.

    What was sent may begin where the turns held begin: what they hold behind the common part was replaced, also by an answer that
    is yet to come (`awaits_answer`). Or its oldest turns were dropped: then it begins further on, in a run of equal turns that
    reaches the end, or in the longest of those that do not. Otherwise it is all new.
    """
    append = Alignment(start=len(held), known=0, replaces=False)
    if not held or not sent:
        return append
    runs = _runs(held, sent)
    tail = next((start for start in range(1, len(held)) if runs[start] and start + runs[start] == len(held)), None)
    # A run to the end that is longer than the common beginning, or all that was sent, explains it without replacing anything.
    if tail is not None and (runs[tail] > runs[0] or runs[tail] == len(sent)):
        return Alignment(start=tail, known=runs[tail], replaces=False)
    longest = max(runs)
    if len(sent) == 1 and len(held) > _WITH_ANSWER:  # "hi" again, from a client that sends only what is new
        return append
    if runs[0]:
        start = 0
    elif longest >= LEAST_RUN and runs.count(longest) == 1:
        start = runs.index(longest)
    else:
        return append
    goes_on = runs[start] < len(sent) or awaits_answer
    return Alignment(start=start, known=runs[start], replaces=goes_on and start + runs[start] < len(held))


def align_new(held: Sequence[str], sent: Sequence[str]) -> Alignment:
    """Return where new turns stand: behind those held, unless they are the last of these, which a retry sends again."""
    repeated = bool(sent) and list(held[-len(sent) :]) == list(sent)
    known = len(sent) if repeated else 0
    return Alignment(start=len(held) - known, known=known, replaces=False)


def _runs(held: Sequence[str], sent: Sequence[str]) -> list[int]:
    """Return for each place in `held` how many turns from there on equal the first of `sent`: the Z-function (Gusfield 1997).

    Its time is linear, also where a thousand turns say "yes".
    """
    joined = [*sent, "", *held]  # no digest is empty
    lengths = [0] * len(joined)
    left = right = 0  # the window [left, right) that equals a beginning and reaches furthest
    for place in range(1, len(joined)):
        length = min(right - place, lengths[place - left]) if place < right else 0
        while place + length < len(joined) and joined[length] == joined[place + length]:
            length += 1
        lengths[place] = length
        if place + length > right:
            left, right = place, place + length
    return lengths[len(sent) + 1 :]
