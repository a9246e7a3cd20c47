"""When an answer counts as right: by words, but never with another number or date."""

import pytest

from eval.answers.rightness import is_right
from eval.harness.conversations import LabelledQuestion


@pytest.mark.parametrize(
    ("gold", "answer", "right"),
    [
        ("180 pounds", "144 pounds", False),
        ("180 pounds", "180 pounds, second-hand", True),
        ("three", "3", True),
        ("Twice", "2", True),
        ("7 May 2023", "on 7 May", True),
        ("7 May 2023", "8 May 2023", False),
        ("19 Jan 2024", "19 January", True),
        ("19 Jan 2024", "January", False),
        ("May 2023", "7 May 2023", True),
        ("On 18.01.2024", "18 January", True),
        ("On 18.01.2024", "17 January", False),
        ("The week before 9 June 2023", "9 June 2023", False),
        ("The week before 9 June 2023", "the week before 9 June 2023", True),
        ("The Sunday before 25 May 2023", "21 May 2023", True),
        ("The Sunday before 25 May 2023", "25 May 2023", False),
        ("near a park or woods", "a house near woods or a park", True),
        ("animal shelter", "a shelter for animals", True),
        ("animal shelter", "a car workshop", False),
        ("Banerjee", "Dr Banerjee", True),
        ("a grey parrot", "", False),
    ],
)
def test_right_by_words_and_never_with_other_facts(gold: str, answer: str, right: bool) -> None:
    question = LabelledQuestion(id="c:0", question="What is it?", answer=gold, kind="single-hop", evidence=frozenset())
    assert is_right(question, answer, abstained=False) is right
