"""Fences of Markdown, as both who cuts a text into blocks and who looks for what a line hangs on read them."""

import re
from collections.abc import Sequence

__all__ = ["fence_ends"]

_FENCE = re.compile(r"\s*(`{3,}|~{3,})")


def fence_ends(lines: Sequence[str]) -> dict[int, int]:
    """Return the place of the line that closes each fence, by the place of the one that opens it.

    A fence that none closes is a line like others.
    """
    ends: dict[int, int] = {}
    opened: tuple[int, str] | None = None
    for place, line in enumerate(lines):
        fence = _FENCE.match(line)
        if opened and fence and line.strip() == opened[1]:
            ends[opened[0]], opened = place, None
        elif fence and opened is None:
            opened = place, fence[1]
    return ends
