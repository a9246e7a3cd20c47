"""How likely it is that the memory holds the answer, from recall's own features; no language model.

A logistic model (`eval/training/rescorer.py`) of how strong the best evidence is, and of whether the person asked about says
most on the topic: "What did Tom say about the race?" has no answer where only Ellen ran one.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from memory.recall.features import Candidate, Features, Scores
from memory.recall.question import Question
from memory.recall.rescorer import Rescored

__all__ = ["MODEL_FILE", "answerable", "figures"]

MODEL_FILE = Path(__file__).parent / "models" / "answerable.json"

_ABSENT = -9.0  # log-odds of a group without any candidate
_TOP = 3
_COMPARED = ("dense", "related", "turn_words", "coverage", "words")


def answerable(question: Question, candidates: Sequence[Candidate], features: Features, rescored: Rescored) -> float:
    """Return the probability, 0 to 1, that the candidates (at least one) hold the answer."""
    model = _model()
    values = figures(question, candidates, features, rescored)
    log_odds = model["intercept"] + sum(model[name] * value for name, value in values.items())
    return float(1 / (1 + np.exp(-log_odds)))


def figures(
    question: Question, candidates: Sequence[Candidate], features: Features, rescored: Rescored
) -> dict[str, float]:
    """Return what answerability is judged by, by name.

    best, mass: the strongest evidence, and all of it together. topic: how much the person asked about, or anybody if the
    question names nobody, says on the topic. ahead, three_ahead: by how much that exceeds what the others say on it, at best
    and over three passages; and the same by single features.
    """
    asked = np.array([not question.named or c.turn.speaker in question.named for c in candidates])
    values = {
        "best": float(rescored.evidence.max()),
        "mass": float(np.logaddexp.reduce(rescored.evidence)),
        "topic": _best(rescored.topic, asked, _ABSENT),
        "ahead": _ahead(rescored.topic, asked, 1),
        "three_ahead": _ahead(rescored.topic, asked, _TOP),
        "names_one": float(len(question.named) == 1),
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


@cache
def _model() -> Mapping[str, float]:
    model: dict[str, float] = json.loads(MODEL_FILE.read_text("utf-8"))["weights"]
    return model
