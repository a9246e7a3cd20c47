"""What a line hangs on: a list's item on the line that announces it ("My allergies:"), a paragraph on its heading.

Markdown's marks are known, and what people type without thinking of it: dashes, numbers, letters in brackets. A deeper item hangs
on the shallower one above it. Only the nearest such line counts, and none that is too long to stand beside what hangs on it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from language.segmentation.fences import fence_ends
from language.segmentation.sentences import sentence_spans

__all__ = ["leads_in"]

Span = tuple[int, int]

_ITEM = re.compile(r"\s*(?:[-*+\u2022\u2013]|\(?(?:\d{1,3}|[A-Za-z])[.)])(?=\s)")
_LINE = re.compile(r"[^\r\n\u2028\u2029]*(?:\r\n|[\r\n\u2028\u2029]|$)")
_HEADING = re.compile(r"\s*(?:#{1,6}\s+\S.*|\*\*[^*]+\*\*:?\s*|__[^_]+__:?\s*)")
_ANNOUNCES = re.compile(r"[:\uff1a][*_]{0,2}\s*$")
_LONGEST = 160  # characters


def leads_in(text: str) -> list[tuple[int, Span | None]]:
    """Return what each line of `text` hangs on, None if on nothing, with where the line begins; blank lines are left out.

    A lead is the span `[start, end)` of a line without the white space around it.
    """
    return list(_Outline(text).leads()) if "\n" in text or "\r" in text else []


@dataclass(slots=True)
class _Outline:
    """What is open at a line: the heading above, the line that announced what follows, and items by their indentation."""

    text: str
    heading: Span | None = None
    announced: Span | None = None
    # Of each, its indentation, its span, and whether it announces something.
    items: list[tuple[int, Span, bool]] = field(default_factory=list)
    in_fence: bool = False
    follows: bool = False  # without a blank line between

    def leads(self) -> Iterator[tuple[int, Span | None]]:
        lines = [(match.start(), match.group().rstrip()) for match in _LINE.finditer(self.text)]
        closed_by = fence_ends([line for _, line in lines])
        closing = set(closed_by.values())
        for place, (start, line) in enumerate(lines):
            if place in closed_by or place in closing:
                self.in_fence = place in closed_by
                continue
            if line.strip():
                lead = self._lead(line, start)
                yield start, lead if lead and lead[1] - lead[0] <= _LONGEST else None
            self.follows = bool(line.strip())

    def _lead(self, line: str, start: int) -> Span | None:
        """Return what a line hangs on, and open what it opens."""
        depth = len(line) - len(line.lstrip())
        span = start + depth, start + len(line)
        announces = _ANNOUNCES.search(line) is not None
        if announces:
            span = (list(sentence_spans(self.text, *span)) or [span])[-1]
        if self.in_fence or line.startswith("|", depth):
            return self._innermost()
        if _HEADING.fullmatch(line):
            self.heading, self.announced, self.items = span, None, []
            return None
        if _ITEM.match(line):
            while self.items and self.items[-1][0] >= depth:
                self.items.pop()
            lead = self._innermost()
            self.items.append((depth, span, announces))
            return lead
        if self.items and (depth > self.items[-1][0] or (self.follows and self.items[-1][2])):
            return self.items[-1][1]
        if announces or self.items or not self.follows:
            self.announced, self.items = None, []
        lead = self._innermost()
        self.announced = span if announces else self.announced
        return lead

    def _innermost(self) -> Span | None:
        return self.items[-1][1] if self.items else self.announced or self.heading
