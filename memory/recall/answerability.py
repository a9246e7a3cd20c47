"""How likely it is that the memory holds the answer, from recall's own features; no language model.

A logistic model (`eval/training/answerability.py`) of how strong the best evidence is, and of whether the person asked about says
most on the topic: "What did Tom say about the race?" has no answer where only Ellen ran one. More of any figure never speaks
against an answer, so that what one set taught does not turn round on another.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from memory.recall.features import Features, Found, Scores
from memory.recall.reranker import Reranked, Weights

__all__ = ["answerable", "figures", "probability"]

_TOP = 3


def answerable(found: Found, features: Features, reranked: Reranked, model: Weights) -> float:
    """Return the probability, 0 to 1, that the candidates hold the answer.

    Args:
        found: the question and its candidates, at least one.
        features: the candidates' features, `(n,)` each.
        reranked: what the second model says of the candidates, `(n,)` each.
        model: the fitted weights.
    """
    return probability(model, figures(found, features, reranked))


def probability(model: Weights, values: Mapping[str, float]) -> float:
    """Return the probability, 0 to 1, that a model gives such figures."""
    odds = model({name: np.array(value) for name, value in values.items()})
    return float(1 / (1 + np.exp(-odds)))


def figures(found: Found, features: Features, reranked: Reranked) -> dict[str, float]:
    """Return what answerability is judged by, by name.

    best: the strongest evidence, in log-odds. three_ahead: by how much what the person asked about says on the topic exceeds what
    the others say, over three passages; related_ahead and turn_coverage_ahead: the same by a single feature, at best. asked_related
    and asked_turn_coverage: the most of these features in passages of those asked about.
    """
    named = found.question.named
    asked = np.array([not named or c.turn.speaker in named for c in found.candidates])
    values = {
        "best": float(reranked.evidence.max()),
        "three_ahead": _ahead(reranked.topic, asked, _TOP),
    }
    for name in ("related", "turn_coverage"):
        values[f"asked_{name}"] = float(features[name][asked].max(initial=0.0))
        values[f"{name}_ahead"] = _ahead(features[name], asked, 1)
    return values


def _ahead(values: Scores, asked: NDArray[np.bool_], top: int) -> float:
    """By how much the best of those asked about exceed the best of the others; 0 if there are no others."""
    if asked.all():
        return 0.0
    if not asked.any():
        return float(values.min() - values.max())
    return float(np.sort(values[asked])[-top:].mean() - np.sort(values[~asked])[-top:].mean())
