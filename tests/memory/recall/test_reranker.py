"""Weights: what they say, what files they are read from, and to which encoder they belong."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest

from memory.encoding.encoder import BUNDLED_MODEL
from memory.recall import reranker
from memory.recall.neighbour_features import PARTS
from memory.recall.reranker import MODELS, RecallModels, Weights, reranked

FEATURES = {"fusion": np.array([1.0, 0.5]), "speaker": np.array([0.0, 1.0]), "mentions": np.array([1.0, 0.0])}
WEIGHTS = Weights(intercept=-1.0, weights={"fusion": 2.0, "speaker": 3.0, "mentions": -0.5})


@pytest.fixture(autouse=True)
def _read_anew() -> None:
    """Models are kept for the process."""
    reranker._load.cache_clear()


def written(folder: Path, **changes: str) -> Path:
    for name in ("reranker", "answerability", "plain_reranker", "plain_answerability"):
        weighed = "best" if "answerability" in name else "fusion"
        fallback = json.dumps({"intercept": 0.0, "weights": {weighed: 1.0}, "card": {"code": "abc"}})
        (folder / f"{name}.json").write_text(changes.get(name, fallback))
    return folder


def test_log_odds_are_a_weighted_sum() -> None:
    scores = reranked(WEIGHTS, FEATURES)
    assert scores.evidence.tolist() == [0.5, 3.0]
    assert scores.topic.tolist() == [1.0, 0.0], "no matter who said it"
    assert scores.probability == pytest.approx(1 / (1 + np.exp([-0.5, -3.0])))
    assert Weights(intercept=0.5, weights={})(FEATURES).shape == ()


def test_a_feature_that_is_missing_is_no_zero() -> None:
    with pytest.raises(KeyError, match="time"):
        reranked(Weights(intercept=0.0, weights={"time": 1.0}), FEATURES)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "not json",
        "[]",
        "3",
        "{}",
        '{"intercept": 0.0}',
        '{"weights": {}}',
        '{"intercept": null, "weights": {}}',
        '{"intercept": "much", "weights": {}}',
        '{"intercept": 0.0, "weights": ["fusion"]}',
        '{"intercept": 0.0, "weights": {"fusion": "great"}}',
        '{"intercept": 0.0, "weights": {"fusion": [1.0]}}',
    ],
)
@pytest.mark.parametrize("name", ["reranker", "answerability"])
def test_a_file_that_holds_no_weights_is_named(tmp_path: Path, name: str, content: str) -> None:
    with pytest.raises(ValueError, match=rf"[/\\]{name}\.json does not hold weights"):
        RecallModels.load(BUNDLED_MODEL, written(tmp_path, **{name: content}))


@pytest.mark.parametrize("name", ["reranker", "answerability"])
def test_weights_of_what_recall_does_not_compute_are_refused(tmp_path: Path, name: str) -> None:
    stored = '{"intercept": 0.0, "weights": {"after_next": 1.0}}'
    with pytest.raises(ValueError, match=rf"{name}\.json weighs what recall does not compute, after_next: fit again"):
        RecallModels.load(BUNDLED_MODEL, written(tmp_path, **{name: stored}))


def test_the_weights_of_the_encoder_are_read_with_a_card_beside(tmp_path: Path) -> None:
    folder = written(tmp_path, reranker='{"intercept": -2, "weights": {"speaker": 1}, "card": {"code": "abc"}}')
    models = RecallModels.load(BUNDLED_MODEL, folder)
    assert models.fitted
    assert models.reranker == Weights(intercept=-2.0, weights={"speaker": 1.0})


def test_another_encoder_gets_the_plain_fusion_and_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        models = [RecallModels.load("other/model", MODELS) for _ in range(3)]
    [warning] = caplog.records
    assert "other/model" in warning.getMessage()
    assert BUNDLED_MODEL in warning.getMessage()
    assert {one.fitted for one in models} == {False}
    assert models[0].reranker.weights.keys() == {"fusion"}
    assert models[0].reranker.weights["fusion"] > 0
    assert all("related" in name or "coverage" in name for name in models[0].answerability.weights)


def test_what_is_shipped_knows_its_features_and_says_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        models = RecallModels.load(BUNDLED_MODEL)
    assert not caplog.records
    assert models.reranker.weights.keys() <= {"fusion", *(name for names in PARTS.values() for name in names)}
    assert models.reranker.weights["fusion"] > 0
