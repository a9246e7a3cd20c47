"""Raw stuffing: the newest turns, whole, never above the window; and what the whole history counts."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compaction import WindowTooSmall, raw_tokens, stuff
from memory import Turn
from tests.compaction.test_distill import histories, holds
from tests.support.laws import tried_on
from tests.support.turns import MAY_8, held


def notes(count: int, *, hours: int = 1) -> list[Turn]:
    return [
        held(f"Turn {n}, said plainly.", pk=n, position=n, said_at=MAY_8 + timedelta(hours=hours * n))
        for n in range(count)
    ]


@tried_on(100)
@given(histories(), st.integers(1, 600))
def test_stuffing_keeps_to_its_window(turns: list[Turn], limit: int) -> None:
    turns = sorted(turns, key=lambda turn: (turn.said_at, turn.pk))
    try:
        context = stuff(turns, limit=limit)
    except WindowTooSmall as fault:
        assert fault.needed > limit
        assert stuff(turns, limit=fault.needed).lines, "the named window is enough"
        return
    holds(context, turns)
    assert {line.turn_id for line in context.lines} == {turn.id for turn in turns[len(turns) - len(context.lines) :]}


@tried_on(100)
@given(histories())
def test_the_whole_history_fits_what_it_counts(turns: list[Turn]) -> None:
    turns = sorted(turns, key=lambda turn: (turn.said_at, turn.pk))
    whole = stuff(turns, limit=raw_tokens(turns))
    assert len(whole.lines) == len(turns)
    assert raw_tokens(turns) - 2 <= whole.tokens <= raw_tokens(turns)


def test_the_oldest_turns_go_first_and_are_counted() -> None:
    turns = notes(50)
    context = stuff(turns, limit=100)
    taken = len(context.lines)
    assert 0 < taken < 12
    assert [line.turn_id for line in context.lines] == [turn.id for turn in turns[-taken:]]
    assert context.left_out == {"no room left": 50 - taken}
    assert [line.quote for line in context.lines] == [turn.text for turn in turns[-taken:]], "whole"


def test_marks_of_four_digits_are_paid_for() -> None:
    turns = notes(1_200)
    assert len(stuff(turns, limit=raw_tokens(turns) + 500).lines) == 1_200
    tight = stuff(turns, limit=raw_tokens(turns))
    assert tight.tokens <= tight.budget
    assert len(tight.lines) + tight.left_out["no room left"] == 1_200


def test_days_and_years_are_paid_for_once() -> None:
    turns = notes(6, hours=24 * 80)
    assert [line for line in stuff(turns, limit=1_000).text.splitlines() if not line.startswith("[")] == [
        "8 May 2023",
        "27 July",
        "15 October",
        "3 January 2024",
        "23 March",
        "11 June",
    ]


def test_a_window_that_holds_no_turn_says_what_would_do() -> None:
    turns = [*notes(3), held("word " * 200, pk=9, position=9, said_at=MAY_8 + timedelta(days=9))]
    with pytest.raises(WindowTooSmall) as caught:
        stuff(turns, limit=100)
    assert (caught.value.limit, caught.value.needed > 200) == (100, True)
    context = stuff(turns, limit=caught.value.needed)
    assert [line.turn_id for line in context.lines] == ["t9"], "an older turn never stands in for the newest"


@pytest.mark.parametrize("blanks", [" ", "\n", "\r\n\n", " \n\t ", "\u2028"])
def test_blanks_at_the_end_of_a_turn_neither_count_nor_keep_it_out(blanks: str) -> None:
    plain, blank = held("0"), held(f"0{blanks}")
    assert raw_tokens([blank]) == raw_tokens([plain])
    assert stuff([blank], limit=raw_tokens([plain])).text == stuff([plain], limit=50).text


def test_nothing_to_stuff_is_an_empty_context() -> None:
    context = stuff([], limit=1)
    assert (context.text, context.tokens, context.lines) == ("", 0, ())
    assert raw_tokens([]) == 0
