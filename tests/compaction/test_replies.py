"""Short replies come with the question that they answer; lines that say nothing take no tokens."""

from datetime import timedelta

import pytest

from compaction import distill
from memory import Evidence
from tests.support.turns import MAY_8, evidence, held


def line(position: int, speaker: str, text: str, score: float) -> Evidence:
    """Return a message of a chat as evidence, whole."""
    at = MAY_8 + timedelta(minutes=position)
    turn = held(text, pk=position, position=position, speaker=speaker, session_id="s1", session_pk=1, said_at=at)
    return evidence(turn, 0, len(text), score)


@pytest.mark.parametrize("reply", ["I will", "Me!", "No, on Friday.", "Yes, the two of us."])
def test_a_question_brings_its_short_reply(reply: str) -> None:
    found = [line(1, "Ann", "Who picks Nils up from school?", 0.9), line(2, "Ben", reply, 0.01)]
    assert distill(found, budget=60).text.splitlines()[1:] == [
        "[1] Ann: Who picks Nils up from school?",
        f"[2] Ben: {reply}",
    ]


def test_a_short_reply_brings_its_question() -> None:
    found = [line(2, "Ben", "Tomatoes.", 0.9), line(1, "Ann", "What do you grow?", 0.1)]
    assert [one.quote for one in distill(found, budget=60).lines] == ["What do you grow?", "Tomatoes."]


@pytest.mark.parametrize(
    "other",
    [
        line(2, "Ann", "I will", 0.01),  # the same speaker goes on
        line(3, "Ben", "I will", 0.01),  # something was said between
        line(2, "Ben", "I planted tomatoes and basil behind the shed.", 0.01),  # stands alone
        line(2, "Ben", "Who?", 0.01),
    ],
)
def test_what_is_no_short_reply_does_not_come_along(other: Evidence) -> None:
    found = [line(1, "Ann", "Who picks Nils up from school?", 0.9), other]
    assert [one.turn_id for one in distill(found, budget=28).lines] == ["t1"]


def test_both_fit_or_neither_is_taken() -> None:
    question = line(1, "Ann", "Who picks Nils up from school on the day of the concert?", 0.9)
    found = [question, line(5, "Ann", "Nils has a concert.", 0.5), line(2, "Ben", "I will", 0.01)]
    assert [one.quote for one in distill(found, budget=25).lines] == ["Nils has a concert."]


@pytest.mark.parametrize(
    "text",
    [
        "Hello Kate!",
        "Thanks so much, Kate",
        "hahaha",
        "Wow, amazing!",
        "Good morning!",
        "Danke!",
        "谢谢！",
        "Merci beaucoup",
    ],
)
def test_a_courtesy_takes_no_tokens(text: str) -> None:
    found = [line(1, "Ann", text, 0.9), line(2, "Ben", "Kate adopted a greyhound.", 0.5)]
    assert [one.quote for one in distill(found, budget=60).lines] == ["Kate adopted a greyhound."]


@pytest.mark.parametrize("text", ["Kate.", "Yes, Kate.", "Good luck at the vet, Kate!", "How are you, Kate?", "42"])
def test_what_may_answer_is_no_courtesy(text: str) -> None:
    found = [line(1, "Ann", text, 0.9), line(4, "Ben", "Kate adopted a greyhound.", 0.5)]
    assert text in [one.quote for one in distill(found, budget=60).lines]
