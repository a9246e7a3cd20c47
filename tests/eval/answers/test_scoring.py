"""LoCoMo's F1 as its own code has it, and when an answer is right."""

import pytest

from eval.answers.rightness import is_right
from eval.answers.scoring import answer_f1, contains, token_f1
from eval.harness.conversations import LabelledQuestion


@pytest.mark.parametrize(
    ("gold", "answer", "f1"),
    [
        ("7 May 2023", "7 May 2023", 1.0),
        ("the cat", "A cat!", 1.0),
        ("running", "runs", 1.0),
        ("red and blue", "red", 2 / 3),
        ("red", "green", 0.0),
        ("red", "", 0.0),
    ],
)
def test_token_f1(gold: str, answer: str, f1: float) -> None:
    assert token_f1(gold, answer) == pytest.approx(f1)


def test_each_kind_is_scored_as_the_paper_does() -> None:
    assert answer_f1("multi-hop", "Paris, Rome", "Rome, Berlin", abstained=False) == pytest.approx(0.5)
    assert answer_f1("open-domain", "yes; since she likes cats", "yes", abstained=False) == 1
    assert answer_f1("temporal", "7 May 2023", "7 May", abstained=False) == pytest.approx(0.8)
    assert answer_f1("adversarial", "", "It is not mentioned.", abstained=False) == 1
    assert answer_f1("adversarial", "", "That is not in memory.", abstained=True) == 1
    assert answer_f1("adversarial", "", "A boat.", abstained=False) == 0


@pytest.mark.parametrize(
    ("gold", "answer", "held"),
    [
        ("7 May 2023", "It was on 7 May, 2023!", True),
        ("the cat", "A CAT.", True),
        ("cat", "concatenate", False),
        ("red car", "a red, fast car", False),
        ("", "anything", False),
        ("the", "the", False),
    ],
)
def test_an_answer_holds_the_gold_one_in_its_words(gold: str, answer: str, held: bool) -> None:
    assert contains(gold, answer) is held


def asked(answer: str, *, kind: str = "single-hop", answerable: bool = True) -> LabelledQuestion:
    return LabelledQuestion(
        id="c:0", question="?", answer=answer, kind=kind, evidence=frozenset(), answerable=answerable
    )


@pytest.mark.parametrize(
    ("question", "answer", "abstained", "right"),
    [
        (asked("Miso"), "Her cat is called Miso, and it is old.", False, True),
        (asked("a red car and a dog"), "a red dog", False, True),
        (asked("a red car and a dog"), "a house by the lake with a dog", False, False),
        (asked("Miso"), "Miso", True, False),
        (asked("", kind="adversarial", answerable=False), "That is not in memory.", True, True),
        (asked("", kind="adversarial", answerable=False), "A boat.", False, False),
    ],
)
def test_right_is_what_holds_the_answer_or_half_of_it(
    question: LabelledQuestion, answer: str, abstained: bool, right: bool
) -> None:
    assert is_right(question, answer, abstained=abstained) is right
