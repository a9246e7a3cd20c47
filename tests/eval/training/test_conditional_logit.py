"""The fit on choices that are made up: what is known comes out, and what must hold holds."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from eval.training.conditional_logit import Choice, fit_weights
from memory.recall.reranker import Weights

NAMES = ("near", "said", "long")
KNOWN = np.array([2.0, 1.0, -0.5])


def drawn(count: int, *, weights: NDArray[np.float64] = KNOWN, seed: int = 1, candidates: int = 8) -> list[Choice]:
    """Questions of which one candidate is useful, drawn as likely as its score by these weights says."""
    random = np.random.default_rng(seed)
    choices = []
    for _ in range(count):
        rows = random.normal(size=(candidates, len(NAMES)))
        scores = np.exp(rows @ weights)
        useful = np.zeros(candidates)
        useful[random.choice(candidates, p=scores / scores.sum())] = 1.0
        choices.append(Choice(features=dict(zip(NAMES, rows.T, strict=True)), useful=useful))
    return choices


def fitted(choices: Sequence[Choice], *, rising: frozenset[str] = frozenset()) -> Weights:
    return fit_weights(choices, NAMES, rising=rising)


def of(weights: Weights) -> NDArray[np.float64]:
    """The weights as shares of the first: calibration stretches all alike."""
    own = np.array([weights.weights[name] for name in NAMES])
    stretched: NDArray[np.float64] = own / own[0]
    return stretched


def test_the_weights_that_made_the_choices_come_out() -> None:
    assert of(fitted(drawn(2_000))) == pytest.approx(KNOWN / KNOWN[0], abs=0.06)


def test_the_unit_of_a_feature_does_not_matter() -> None:
    choices = drawn(300)
    thousandths = [
        Choice(features=one.features | {"said": one.features["said"] * 1_000}, useful=one.useful) for one in choices
    ]
    own, other = fitted(choices), fitted(thousandths)
    assert other.weights["said"] * 1_000 == pytest.approx(own.weights["said"], abs=0.01)
    assert other.weights["near"] == pytest.approx(own.weights["near"], abs=0.01)


def test_what_rises_is_never_below_zero_whatever_the_data_say() -> None:
    against = drawn(300, weights=np.array([2.0, -3.0, -0.5]))
    assert fitted(against).weights["said"] < -0.5
    held = fitted(against, rising=frozenset({"near", "said"}))
    assert held.weights["said"] == 0
    assert held.weights["near"] > 0
    assert held.weights["long"] < 0


def test_the_same_choices_give_the_same_weights() -> None:
    assert fitted(drawn(100)) == fitted(drawn(100)) != fitted(drawn(100, seed=2))


def test_scores_are_log_odds_of_usefulness() -> None:
    weights, unseen = fitted(drawn(2_000)), drawn(2_000, seed=2)
    said = np.concatenate([1 / (1 + np.exp(-weights(one.features))) for one in unseen])
    useful = np.concatenate([one.useful for one in unseen])
    assert said.mean() == pytest.approx(useful.mean(), abs=0.01)
    for low, high in ((0.0, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 1.0)):
        here = (low <= said) & (said < high)
        assert here.sum() > 100
        assert useful[here].mean() == pytest.approx(said[here].mean(), abs=0.08)


def test_what_is_alike_for_all_candidates_of_a_question_has_no_weight() -> None:
    random = np.random.default_rng(3)
    choices = [
        Choice(features=one.features | {"long": np.full(8, random.normal())}, useful=one.useful) for one in drawn(200)
    ]
    assert fitted(choices).weights["long"] == pytest.approx(0, abs=1e-4)


def test_a_question_counts_by_its_weight_and_one_without_a_useful_candidate_not_at_all() -> None:
    own = drawn(200)
    against = drawn(200, weights=-KNOWN, seed=2)
    light = [Choice(features=one.features, useful=one.useful, weight=1e-6) for one in against]
    assert of(fitted([*own, *light])) == pytest.approx(of(fitted(own)), abs=0.01)
    useless = [Choice(features=one.features, useful=np.zeros(8)) for one in against]
    assert fitted([*own, *useless]) == fitted(own)


def test_usefulness_may_be_shared() -> None:
    """Two candidates that are worth half each are fitted to stand alike, before what is worth nothing."""
    features = {"near": np.array([1.0, 1.0, 0.0]), "said": np.array([1.0, 0.0, 0.0]), "long": np.zeros(3)}
    weights = fitted([Choice(features=features, useful=np.array([0.5, 0.5, 0.0]))] * 20)
    first, second, third = weights(features)
    assert first == pytest.approx(second, abs=0.1)
    assert second > third + 1
