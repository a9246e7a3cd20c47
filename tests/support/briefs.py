"""Briefs for the cascade's tests."""

from dataclasses import replace
from datetime import UTC, datetime

from cascade import Brief, Quote, TimeSaid

MAY_8 = datetime(2023, 5, 8, 13, 56, tzinfo=UTC)
JUNE_1 = datetime(2023, 6, 1, tzinfo=UTC)


def quote(
    n: int, text: str, score: float, *times: TimeSaid, said_at: datetime = MAY_8, speaker: str = "Caroline"
) -> Quote:
    return Quote(
        n=n, turn_id=f"D1:{n}", session_id="s1", speaker=speaker, said_at=said_at, text=text, score=score, times=times
    )


def brief(question: str, *quotes: Quote, answerable: float = 0.9, budget: int = 165) -> Brief:
    text = "\n".join(f"[{quote.n}] {quote.speaker}: {quote.text}" for quote in quotes)
    made = Brief(
        question=question, asked_at=MAY_8, text=text, tokens=3, budget=budget, quotes=quotes, answerable=answerable
    )
    return replace(made, asked_at=JUNE_1)
