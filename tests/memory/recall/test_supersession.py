"""Statements that replace one another, and those that only look like it."""

from datetime import timedelta

import pytest

from memory.model import Evidence
from memory.recall.supersession import newest_first
from tests.support.turns import MAY_8, evidence, held


def told(older: str, newer: str, *, speakers: tuple[str, str] = ("Tom", "Tom")) -> list[Evidence]:
    first = held(older, pk=1, speaker=speakers[0])
    second = held(newer, pk=2, position=1, speaker=speakers[1], said_at=MAY_8 + timedelta(days=30))
    return newest_first([evidence(first, 0, len(older), 0.9), evidence(second, 0, len(newer), 0.6)])


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("I live in Berlin.", "I live in Paris now."),
        ("My commute takes 45 minutes.", "My commute takes 30 minutes."),
        ("I have written four short stories.", "I have written seven short stories."),
        ("I keep my old sneakers under my bed.", "I moved my old sneakers, they keep to the rack now."),
    ],
)
def test_the_newest_comes_first_and_the_older_is_marked(older: str, newer: str) -> None:
    found = told(older, newer)
    assert [one.quote for one in found] == [newer, older]
    assert [one.score for one in found] == [0.9, 0.6]
    assert [one.superseded_by for one in found] == [None, (2, 0)]


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("I ran 10 miles yesterday.", "I ran 12 miles yesterday."),
        ("I like pottery.", "I like painting."),
        ("The code of the door of Yodolu is 2931.", "The code of the door of Mobarowi is 2653."),
        ("I ran a marathon in Berlin on 3 May 2023.", "I ran a marathon in Paris on 9 June 2024."),
        ("I have three dogs at home.", "Should I have four dogs at home?"),
        ("I went camping with Ben at the lake.", "I went camping with Carol at the lake."),
        ("I have a dog named Rex.", "I have a cat named Tom."),
        ("Do you live in Berlin?", "I live in Paris now."),
        ("We visited the museum in Oslo.", "My sister plays the violin now."),
        ("The code of the door: Blue 1234.", "The code of the door: Red 5678."),
        ("I was in the city hospital once.", "My son was in the city hospital twice."),
    ],
)
def test_what_stays_true_is_left_alone(older: str, newer: str) -> None:
    assert [one.superseded_by for one in told(older, newer)] == [None, None]


def test_other_peoples_lives_are_their_own() -> None:
    found = told("I live in Berlin.", "I live in Paris now.", speakers=("Tom", "Ann"))
    assert [one.superseded_by for one in found] == [None, None]
