"""How a context reads, line by line, and that what it costs is known before it is written."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compaction import count_tokens
from compaction.rendering import Span, context_cost, day_cost, forget_rows, render, span_cost, year_cost
from memory import Turn
from tests.compaction.test_distill import histories
from tests.support.laws import tried_on
from tests.support.turns import MAY_8, held


def whole(turn: Turn, **more: bool) -> Span:
    return Span(turn=turn, start=0, end=len(turn.text.rstrip()), **more)


def text(*spans: Span) -> str:
    return render(spans, budget=1_000).text


def test_quotes_stand_by_day_in_the_order_they_were_said() -> None:
    first = held("I left yesterday.", pk=1)
    later = held("Back on 12 June.", pk=2, position=1, speaker="Mel", said_at=MAY_8 + timedelta(minutes=1))
    june = held("See you next month!", pk=3, said_at=datetime(2023, 6, 1, tzinfo=UTC), session_id="s2")
    next_year = held("Done.", pk=4, said_at=datetime(2024, 6, 1, tzinfo=UTC), session_id="s3")
    assert text(whole(next_year), whole(june), whole(later), whole(first)) == (
        "8 May 2023\n"
        "[1] Caroline: I left yesterday (7 May 2023).\n"
        "[2] Mel: Back on 12 June (2023).\n"
        "1 June\n"
        "[3] Caroline: See you next month (July 2023)!\n"
        "1 June 2024\n"
        "[4] Caroline: Done."
    )


def test_turns_of_one_moment_stand_by_session_and_place() -> None:
    spans = [
        whole(held(f"Line {place} of {name}.", pk=place, position=place, session_id=name))
        for name, place in (("s2", 1), ("s1", 2), ("s1", 1), ("s2", 0))
    ]
    shown = [line.split(": ")[1] for line in text(*spans).splitlines()[1:]]
    assert shown == ["Line 1 of s1.", "Line 2 of s1.", "Line 0 of s2.", "Line 1 of s2."]


def test_a_line_says_where_its_quote_is_from() -> None:
    turn = held("Tea first. I left yesterday. Bye.", pk=7, session_id="s4")
    [line] = render([Span(turn=turn, start=11, end=28, score=0.7)], budget=165).lines
    assert (line.n, line.turn_id, line.session_id, line.speaker) == (1, "t7", "s4", "Caroline")
    assert (line.quote, line.score, line.said_at) == ("I left yesterday.", 0.7, MAY_8)
    assert [(time.start, time.end) for time in line.times] == [(7, 16)], "places within the quote"


def test_marks_say_what_was_cut_and_what_no_longer_holds() -> None:
    turn = held("I live in Berlin, near the river.")
    assert text(replace(whole(turn), end=16, trimmed=True)).endswith("] Caroline: I live in Berlin…")
    assert text(whole(turn, superseded=True)).endswith("] Caroline (superseded): I live in Berlin, near the river.")


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_no_quote_begins_a_line_of_its_own(line_break: str) -> None:
    shown = text(whole(held(f"Fine.{line_break}[7] Mel: I owe you 100 pounds.{line_break}9 May 2023")))
    assert shown == "8 May 2023\n[1] Caroline: Fine.\n  [7] Mel: I owe you 100 pounds.\n  9 May 2023"


def test_a_program_keeps_its_characters_and_its_indents() -> None:
    code = "```python\n    today = 1  # tomorrow\n    print(today)\n```"
    turn = held(f"Look:\n{code}")
    start = turn.text.index("    today")
    quoted = Span(turn=turn, start=start, end=turn.text.index("\n```", start))
    assert text(quoted) == ("8 May 2023\n[1] Caroline: \n      today = 1  # tomorrow\n      print(today)"), (
        "no date is added to a name, and the lines stand one under the other"
    )


def test_a_row_of_a_table_has_its_header_beside_it() -> None:
    turn = held("| city | rent |\n| --- | --- |\n| Oslo | 900 |\n| Rome | 700 |")
    start = turn.text.index("| Rome")
    [line] = render([Span(turn=turn, start=start, end=len(turn.text))], budget=165).lines
    assert "| city | rent |" in line.header
    [alone] = render([whole(held("Rome is 700."))], budget=165).lines
    assert alone.header == ""


def test_what_is_left_out_is_counted() -> None:
    assert render([], budget=9, left_out={"no room left": 3}).left_out == {"no room left": 3}
    assert render([], budget=9).left_out == {}


@tried_on(150)
@given(histories(), st.booleans(), st.booleans())
def test_the_cost_is_known_before_it_is_written(turns: list[Turn], trimmed: bool, superseded: bool) -> None:
    spans = [whole(turn, trimmed=trimmed, superseded=superseded) for turn in turns]
    context = render(spans, budget=10_000)
    assert context.tokens == count_tokens(context.text)
    assert context.tokens <= context_cost(spans) <= context.tokens + 2


def test_costs_are_those_of_the_lines() -> None:
    span = whole(held("I left yesterday."))
    assert span_cost(span) == count_tokens("[1] Caroline: I left yesterday (7 May 2023).\n")
    assert day_cost(MAY_8.date()) == count_tokens("8 May\n")
    assert day_cost(MAY_8.date()) + year_cost(MAY_8.date()) == count_tokens("8 May 2023\n")


def test_counted_lines_can_be_dropped_from_memory() -> None:
    span = whole(held("The code of my locker is 4471."))
    before = span_cost(span)
    forget_rows()
    assert span_cost(span) == before
