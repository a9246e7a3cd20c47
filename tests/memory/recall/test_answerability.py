"""Whether the memory holds the answer: each figure worked out by hand, and what a model makes of them."""

import numpy as np
import pytest

from memory.recall.answerability import answerable, figures, probability
from memory.recall.features import Found
from memory.recall.reranker import FIGURES, Reranked, Weights
from tests.memory.recall.test_ranking import found
from tests.support.turns import held

COMPARED = ("related", "turn_coverage")


def of(asked: str, *speakers: str) -> Found:
    """What was found for a question: one line of each of these speakers."""
    turns = [held(f"I ran race {pk}.", pk=pk, position=pk, speaker=name) for pk, name in enumerate(speakers, 1)]
    return found(asked, turns, (0.5,) * len(turns))


def judged(one: Found, topic: list[float], evidence: list[float] | None = None) -> dict[str, float]:
    features = {name: np.array(topic) / 10 for name in COMPARED}
    return figures(one, features, Reranked(evidence=np.array(evidence or topic), topic=np.array(topic)))


def test_the_best_evidence_counts() -> None:
    assert judged(of("Who ran?", "Ann", "Ben"), [0.0, 0.0], evidence=[1.0, -1.0])["best"] == 1.0


def test_the_figures_are_those_that_weights_may_have() -> None:
    assert judged(of("Who ran?", "Ann", "Ben"), [0.0, 0.0]).keys() == FIGURES


def test_who_is_asked_about_is_compared_with_the_others() -> None:
    result = judged(of("What did Ann say of the race?", "Ann", "Ben", "Ann"), [2.0, 1.0, 0.0])
    assert result["three_ahead"] == 0.0
    for name in COMPARED:
        assert result[f"asked_{name}"] == pytest.approx(0.2)
        assert result[f"{name}_ahead"] == pytest.approx(0.1)


def test_three_passages_are_compared_and_no_more() -> None:
    result = judged(of("What did Ann say?", "Ann", "Ann", "Ann", "Ann", "Ben"), [4.0, 3.0, 2.0, -90.0, 1.0])
    assert result["three_ahead"] == pytest.approx(3.0 - 1.0)


def test_if_others_say_more_on_the_topic_it_is_below_zero() -> None:
    result = judged(of("What did Ann say of the race?", "Ann", "Ben"), [-1.0, 2.5])
    assert result["three_ahead"] == -3.5


@pytest.mark.parametrize(
    ("asked", "speakers"), [("Who ran the race?", ("Ann", "Ben")), ("What did Ann say?", ("Ann", "Ann"))]
)
def test_where_there_are_no_others_nothing_is_compared(asked: str, speakers: tuple[str, ...]) -> None:
    result = judged(of(asked, *speakers), [2.0, 1.0])
    assert {value for name, value in result.items() if name.endswith("ahead")} == {0.0}


def test_if_who_is_asked_about_says_nothing_it_is_as_far_behind_as_can_be() -> None:
    one = of("What did Ann say?", "Ann", "Ben", "Cleo")
    silent = Found(question=one.question, vector=one.vector, candidates=one.candidates[1:], statistics=one.statistics)
    result = judged(silent, [2.0, 0.5])
    assert result["three_ahead"] == -1.5
    assert result["asked_related"] == 0.0
    assert result["related_ahead"] == pytest.approx(-0.15)


def test_two_who_are_named_are_asked_about_together() -> None:
    result = judged(of("What did Ann and Ben say?", "Ann", "Ben", "Cleo"), [1.0, 3.0, 2.0])
    assert result["asked_related"] == pytest.approx(0.3)
    assert result["related_ahead"] == pytest.approx(0.1)


def test_a_model_makes_one_probability_of_figures() -> None:
    model = Weights(intercept=-1.0, weights={"best": 2.0, "three_ahead": 0.5})
    assert probability(model, {"best": 0.5, "three_ahead": 0.0}) == pytest.approx(0.5)
    assert probability(model, {"best": 1.0, "three_ahead": 2.0}) == pytest.approx(1 / (1 + np.exp(-2.0)))
    with pytest.raises(KeyError, match="three_ahead"):
        probability(model, {"best": 0.5})


def test_the_more_the_person_asked_about_says_the_likelier_is_an_answer() -> None:
    model = Weights(intercept=0.0, weights={"three_ahead": 1.0})
    one = of("What did Ann say of the race?", "Ann", "Ben")
    features = {name: np.zeros(2) for name in COMPARED}
    likely = [
        answerable(one, features, Reranked(evidence=np.zeros(2), topic=np.array([topic, 0.0])), model)
        for topic in (-2.0, 0.0, 2.0)
    ]
    assert likely == sorted(likely)
    assert likely[1] == 0.5
