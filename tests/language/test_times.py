import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from language import TimeExpression, analyse
from language.times import _GRAMMAR, may_hold_time
from language.words import words as words_of

FRIDAY = datetime(2023, 6, 9, 20, 0, tzinfo=UTC)  # a Friday

READINGS = [
    ("yesterday", "8 June 2023"),
    ("yesterday morning", "8 June 2023"),
    ("last night", "8 June 2023"),
    ("the day before yesterday", "7 June 2023"),
    ("tomorrow", "10 June 2023"),
    ("the day after tomorrow", "11 June 2023"),
    ("last Friday", "2 June 2023"),
    ("this Friday", "9 June 2023"),
    ("next Friday", "16 June 2023"),
    ("last Sat", "3 June 2023"),
    ("next Tues", "13 June 2023"),
    ("last week", "the week before 9 June 2023"),
    ("next week", "the week after 9 June 2023"),
    ("last weekend", "the weekend of 3 June 2023"),
    ("this weekend", "the weekend of 10 June 2023"),
    ("this  past\tweekend", "the weekend of 3 June 2023"),
    ("last month", "May 2023"),
    ("next month", "July 2023"),
    ("last year", "2022"),
    ("last summer", "summer 2022"),
    ("last March", "March 2023"),
    ("last June", "June 2022"),
    ("next March", "March 2024"),
    ("three days ago", "6 June 2023"),
    ("two weeks ago", "the week of 26 May 2023"),
    ("two weeks ago today", "26 May 2023"),
    ("a couple of months ago", "April 2023"),
    ("10 years ago", "2013"),
    ("in three days' time", "12 June 2023"),
    ("two weeks from now", "the week of 23 June 2023"),
    ("12 October", "12 October 2022"),
    ("May 7th, 2022", "7 May 2022"),
    ("7 May 2022", "7 May 2022"),
    ("2022-05-07", "7 May 2022"),
    ("June 2021", "June 2021"),
    ("since 2016", "2016"),
]


def times_of(text: str, said_at: datetime) -> tuple[TimeExpression, ...]:
    return analyse(text, said_at.date()).times


@pytest.fixture(params=["UTC", "America/Los_Angeles", "Pacific/Auckland"])
def _own_clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_own_clock")
@pytest.mark.parametrize(("words", "meaning"), READINGS)
def test_a_time_is_resolved_against_the_moment_of_speaking(words: str, meaning: str) -> None:
    [found] = times_of(f"We went {words}, you know.", FRIDAY)
    assert found.meaning == meaning
    assert f"We went {words}, you know."[found.start : found.end] == words


def test_yesterday_is_the_speakers_own() -> None:
    early_in_tokyo = datetime(2023, 6, 9, 1, 0, tzinfo=timezone(timedelta(hours=9)))  # 8 June in UTC
    [found] = times_of("yesterday", early_in_tokyo)
    assert found.first == found.last == date(2023, 6, 8)


def test_the_same_words_on_another_day_are_another_day() -> None:
    later = FRIDAY + timedelta(days=1)
    assert [times_of("yesterday", day)[0].first for day in (FRIDAY, later, FRIDAY)] == [
        (day - timedelta(days=1)).date() for day in (FRIDAY, later, FRIDAY)
    ]


@pytest.mark.parametrize(
    "text", ["on Friday", "recently", "a few years ago", "31 April 2023x", "2023-02-30", "may I go", "today's"]
)
def test_what_has_no_single_reading_is_left_alone(text: str) -> None:
    assert [found for found in times_of(text, FRIDAY) if found.relative and not found.implied] == []


@pytest.mark.parametrize(
    "text",
    [
        "She finished it in two days.",  # how long it took
        "I learnt the song in a week.",
        "about three weeks ago",
        "two or three days ago",
        "We visit them every 5 June.",  # yearly
        "I was born on 3 May.",
        "My birthday is on 3 July.",
        "They moved the party to 20 September.",  # said of the past, and it may lie ahead
        "from 3 May to 7 May",
        "the two days before last week",
        'He said: "I am leaving tomorrow."',
        "We sang Yesterday twice.",  # a title
        "the house on 4 July Street",
        "They may 5 times a day.",
    ],
)
def test_what_is_doubtful_is_no_time(text: str) -> None:
    assert times_of(text, FRIDAY) == ()


@pytest.mark.parametrize(
    ("text", "said_on", "meaning"),
    [
        ("We leave in three days.", "2023-06-09", "12 June 2023"),
        ("She will be back in two days.", "2023-06-09", "11 June 2023"),
        ("We got married on 12 October.", "2023-06-09", "12 October 2022"),
        ("We are leaving on 12 October.", "2023-06-09", "12 October 2023"),
        ("We met on 30 December.", "2024-01-02", "30 December 2023"),
        ("The lease ends on 2 January.", "2023-12-30", "2 January 2024"),
        ("3 June: rain.", "2023-06-09", "3 June 2023"),  # no tense, but it is near
        ("3 December: rain.", "2023-06-09", None),
    ],
)
def test_the_words_around_a_time_say_which_is_meant(text: str, said_on: str, meaning: str | None) -> None:
    found = [one.meaning for one in analyse(text, date.fromisoformat(said_on)).times]
    assert found == ([meaning] if meaning else [])


@pytest.mark.parametrize(
    ("text", "said_on", "meaning"),
    [
        ("last Tuesday", "2023-06-09", None),  # three days ago, or ten
        ("last Sunday", "2023-06-09", "4 June 2023"),
        ("next Sunday", "2023-06-09", None),  # in two days, or in nine
        ("next Tuesday", "2023-06-09", "13 June 2023"),
        ("this Monday", "2023-06-09", None),  # it is over
        ("next weekend", "2023-06-07", None),
        ("next weekend", "2023-06-10", "the weekend of 17 June 2023"),
        ("next August", "2023-06-09", None),
        ("next summer", "2023-07-09", "summer 2024"),
    ],
)
def test_of_two_readings_none_is_chosen(text: str, said_on: str, meaning: str | None) -> None:
    found = [one.meaning for one in analyse(text, date.fromisoformat(said_on)).times]
    assert found == ([meaning] if meaning else [])


@pytest.mark.parametrize(
    "text",
    [
        "I moved here 1.5 years ago.",
        "It broke thirty-two days ago.",
        "They lived 10,000 years ago.",
        "I lived there in 2019-2020.",
        "The shop is closed on May 5, 6 and 7.",
        "It was the last week of June.",
        "It was the last month of school.",
        "We meet on the last Friday of the month.",
        "In the last week I slept badly.",  # these seven days, or the week before this one
        "It was her last year at school.",
        "This is my last month at the bank.",
        "The next month she quit.",  # next to the month that she speaks of
        "We married a year ago tomorrow.",
        "It happened a week ago yesterday.",
        "We moved two years ago last March.",
        "I signed up for the race on 3 September.",  # the past is of signing up
        "The appointment on 12 October was cancelled.",
        "I will finish it in two days of work.",
    ],
)
def test_what_is_part_of_something_else_is_not_read(text: str) -> None:
    assert times_of(text, FRIDAY) == ()


def test_today_is_implied() -> None:
    [found] = times_of("I went there this morning.", FRIDAY)
    assert found.implied
    assert found.first == date(2023, 6, 9)


@given(
    st.text(max_size=200) | st.sampled_from([words for words, _ in READINGS]),
    st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.timezones()),
)
def test_any_text_at_any_time_is_read_without_error(text: str, said_at: datetime) -> None:
    found = times_of(text, said_at)
    assert all(one.first <= one.last and one.start < one.end for one in found)
    assert all(a.end <= b.start for a, b in zip(found, found[1:], strict=False))


@pytest.mark.parametrize(
    "text", ["We left la\u017ft week.", "last \u017funday", "APR\u0130L 2023", "in \u0661\u0662 days"]
)
def test_letters_that_only_look_like_ours_are_no_time_and_no_fault(text: str) -> None:
    assert times_of(text, datetime(2023, 5, 8, tzinfo=UTC)) == ()


def test_the_first_day_there_is_has_no_yesterday() -> None:
    assert times_of("I came yesterday.", datetime(1, 1, 1, tzinfo=UTC)) == ()


PIECES = sorted(
    {piece for words, _ in READINGS for piece in words.split()} | {"this", "fri", "dec", "morning", "5", "\xe9"}
)
GLUE = [" ", " ", "", "'", "\u2019s ", "_"]


@given(st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(GLUE)), max_size=6))
@example([("ago", "'"), ("this", " "), ("fri", " ")])
def test_no_time_is_missed_for_want_of_a_hint(pieces: list[tuple[str, str]]) -> None:
    """The hint spares most texts the grammar; it must never spare one that has a time, however it is glued together."""
    text = "".join(piece + glue for piece, glue in pieces)
    matched = any(pattern.search(text) for _, pattern, _ in _GRAMMAR)
    assert may_hold_time(words_of(text)) or not matched
