"""Briefs for the cascade's tests."""

from datetime import UTC, datetime

from cascade import Brief, Quote, TimeSaid

MAY_8 = datetime(2023, 5, 8, 13, 56, tzinfo=UTC)


def quote(n: int, text: str, score: float, *times: TimeSaid) -> Quote:
    return Quote(
        n=n, turn_id=f"D1:{n}", session_id="s1", speaker="Caroline", said_at=MAY_8, text=text, score=score, times=times
    )


def brief(question: str, *quotes: Quote, answerable: float = 0.9) -> Brief:
    return Brief(
        question=question, asked_at=MAY_8, text="...", tokens=3, budget=165, quotes=quotes, answerable=answerable
    )
