"""How likely it is that the memory holds the answer, from recall's own features; no language model.

A logistic model (`eval/training/answerability.py`) of how strong the best evidence is, and of whether the person asked about says
most on the topic: "What did Tom say about the race?" has no answer where only Ellen ran one.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from memory.recall.features import Features, Found, Scores
from memory.recall.reranker import Reranked, Weights

__all__ = ["answerable", "figures", "probability"]

_ABSENT = -9.0  # log-odds of a group without any candidate
_TOP = 3
_COMPARED = ("dense", "bm25", "related", "turn_coverage", "coverage")


def answerable(found: Found, features: Features, reranked: Reranked, model: Weights) -> float:
    """Return the probability, 0 to 1, that the candidates (at least one) hold the answer."""
    return probability(model, figures(found, features, reranked))


def probability(model: Weights, values: Mapping[str, float]) -> float:
    """Return the probability, 0 to 1, that a model gives such figures."""
    odds = model({name: np.array(value) for name, value in values.items()})
    return float(1 / (1 + np.exp(-odds)))


def figures(found: Found, features: Features, reranked: Reranked) -> dict[str, float]:
    """Return what answerability is judged by, by name.

    best, mass: the strongest evidence, and all of it together. topic: how much the person asked about, or anybody if the
    question names nobody, says on the topic. ahead, three_ahead: by how much that exceeds what the others say on it, at best
    and over three passages; and the same by single features.
    """
    named = found.question.named
    asked = np.array([not named or c.turn.speaker in named for c in found.candidates])
    values = {
        "best": float(reranked.evidence.max()),
        "mass": float(np.logaddexp.reduce(reranked.evidence)),
        "topic": _best(reranked.topic, asked, _ABSENT),
        "ahead": _ahead(reranked.topic, asked, 1),
        "three_ahead": _ahead(reranked.topic, asked, _TOP),
        "names_one": float(len(named) == 1),
    }
    for name in _COMPARED:
        values[f"asked_{name}"] = _best(features[name], asked, 0.0)
        values[f"{name}_ahead"] = _ahead(features[name], asked, 1)
    return values


def _best(values: Scores, among: NDArray[np.bool_], absent: float) -> float:
    return float(values[among].max()) if among.any() else absent


def _ahead(values: Scores, asked: NDArray[np.bool_], top: int) -> float:
    """By how much the best of those asked about exceed the best of the others; 0 if there are no others."""
    if asked.all():
        return 0.0
    if not asked.any():
        return float(values.min() - values.max())
    return float(np.sort(values[asked])[-top:].mean() - np.sort(values[~asked])[-top:].mean())
