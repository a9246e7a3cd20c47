"""Answers with one thing changed."""

import pytest

from eval.faithfulness.perturbations import perturb


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("number", "She has 3 cats"),
        ("number", "two dogs"),
        ("date", "7 May 2023"),
        ("date", "in June 2022"),
        ("name", "She met Oliver there"),
        ("negation", "She is happy"),
        ("negation", "He does not smoke"),
        ("paraphrase", "She bought a car"),
    ],
)
def test_one_thing_is_changed(kind: str, answer: str) -> None:
    changed = perturb(answer, kind, seed="1", strangers=["Zoe"])
    assert changed
    assert changed != answer
    assert changed == perturb(answer, kind, seed="1", strangers=["Zoe"])


def test_what_is_not_there_cannot_be_changed() -> None:
    assert not perturb("a painting", "number", seed="1", strangers=[])
    assert not perturb("a painting", "date", seed="1", strangers=[])
    assert not perturb("a painting", "name", seed="1", strangers=["Zoe"])
    assert perturb("7 May 2023", "number", seed="1", strangers=[]) == "", "a date is no number"
