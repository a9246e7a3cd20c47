"""How a context reads: quotes grouped by day in time order, each with a citation mark and its speaker.

    8 May 2023
    [1] Caroline: I went to a support group yesterday (7 May 2023).
    25 May
    [2] Caroline: The support group has made me feel accepted.

The year stands in the first header of each year. Relative times get their date in parentheses; everything else of a quote is
verbatim. Every line ends in a line break that no token crosses, so the tokens of a context are the sum of its lines' tokens,
exactly; `context_cost` relies on it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from compaction.tokens import count_tokens
from language import Passage, TimeExpression, analyse, day_text, lead_of
from language.segmentation.blocks import in_code
from memory.model import Turn

__all__ = [
    "Context",
    "ContextLine",
    "Span",
    "context_cost",
    "day_cost",
    "forget_rows",
    "render",
    "span_cost",
    "year_cost",
]

ELLIPSIS = "…"
SUPERSEDED = " (superseded)"
_CONTINUED = "\n  "  # so that no quote can begin a line and forge a citation mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch `[start, end)` of a turn's text that a line quotes.

    `trimmed` if it stops before its sentence does; `superseded` if a later line of its context says what became of it.
    """

    turn: Turn
    start: int
    end: int
    score: float = 0.0
    trimmed: bool = False
    superseded: bool = False

    @property
    def quote(self) -> str:
        """The stretch, verbatim."""
        return self.turn.text[self.start : self.end]

    @property
    def day(self) -> date:
        """The day it was said, on the speaker's clock."""
        return self.turn.said_at.date()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextLine:
    """One line of a context: citation mark `n`, the turn of the verbatim `quote`, and the line that it hangs on as `header`."""

    n: int
    turn_id: str
    session_id: str
    speaker: str
    said_at: datetime
    quote: str
    score: float
    times: tuple[TimeExpression, ...]
    header: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the solver reads: `tokens` is the exact o200k_base count of `text`, never above `budget`.

    `left_out` counts the evidence that is not in it, by reason. Not `complete`: the question asks for more than the budget holds.
    """

    text: str
    tokens: int
    budget: int
    lines: tuple[ContextLine, ...]
    left_out: dict[str, int]
    complete: bool = True


def render(
    spans: Iterable[Span], *, budget: int, left_out: dict[str, int] | None = None, complete: bool = True
) -> Context:
    """Write the context of `spans`, in the order they were said.

    Args:
        spans: what the lines quote, in any order.
        budget: noted in the context; not enforced here.
        left_out: how many pieces of evidence were left out, by reason.
        complete: whether all that is likely found room.
    """
    ordered = sorted(spans, key=lambda s: (s.day, s.turn.said_at, s.turn.session_id, s.turn.position, s.start))
    lines: list[ContextLine] = []
    rows: list[str] = []
    for n, span in enumerate(ordered, 1):
        if n == 1 or span.day != ordered[n - 2].day:
            known = n > 1 and span.day.year == ordered[n - 2].day.year
            rows.append(_day_of_known_year(span.day) if known else day_text(span.day))
        rows.append(_row(n, span))
        lines.append(_line(n, span))
    text = "\n".join(rows)
    return Context(
        text=text,
        tokens=count_tokens(text),
        budget=budget,
        lines=tuple(lines),
        left_out=left_out or {},
        complete=complete,
    )


@lru_cache(maxsize=10_000)
def day_cost(day: date) -> int:
    """Count the tokens of a day's header, without its year."""
    return _count_row(_day_of_known_year(day))


@lru_cache(maxsize=10_000)
def year_cost(day: date) -> int:
    """Count the tokens that the year adds to the first header of its year."""
    return _count_row(day_text(day)) - day_cost(day)


def span_cost(span: Span) -> int:
    """Count the tokens of the line that quotes `span`."""
    return _count_row(_row(1, span))


def context_cost(spans: Sequence[Span]) -> int:
    """Count the tokens of the context of `spans`; at most two above the rendered count, never below it."""
    days = {span.day for span in spans}
    years = {day.year: day for day in days}
    return sum(map(year_cost, years.values())) + sum(map(day_cost, days)) + sum(map(span_cost, spans))


def _day_of_known_year(day: date) -> str:
    return day_text(day).rpartition(" ")[0]


@lru_cache(maxsize=10_000)
def _count_row(row: str) -> int:
    return count_tokens(row + "\n")


def forget_rows() -> None:
    """Drop the lines whose token counts are kept for the next time."""
    _count_row.cache_clear()


def _row(n: int, span: Span) -> str:
    said = span.quote if in_code(span.turn.text, span.start) else analyse(span.quote, span.day).dated_text
    if said[:1].isspace():
        said = (
            f"\n{said}"  # an indented line of a program begins a line of its own, so that its lines stand as they stood
        )
    quote = said.replace("\r\n", "\n").replace("\r", "\n").replace("\n", _CONTINUED)
    name = f"{span.turn.name}{SUPERSEDED if span.superseded else ''}"
    return f"[{n}] {name}: {quote}{ELLIPSIS if span.trimmed else ''}"


def _line(n: int, span: Span) -> ContextLine:
    lead = lead_of(span.turn.text, Passage(start=span.start, end=span.end))
    return ContextLine(
        n=n,
        turn_id=span.turn.id,
        session_id=span.turn.session_id,
        speaker=span.turn.name,
        said_at=span.turn.said_at,
        quote=span.quote,
        score=span.score,
        times=analyse(span.quote, span.day).times,
        header=span.turn.text[lead.start : lead.end] if lead else "",
    )
