"""The learned re-scorer: from a passage's signals to the probability that its turn is evidence for the question.

Three ensembles of small trees (LightGBM) over the same signals. `evidence` was fitted to tell the turns that hold an answer,
`answer` to tell the sentence of such a turn that does; their mean ranks. `topic` must not know who speaks and so tells how much a
passage is about the question, whoever said it, which is what answerability rests on. Fitted by `eval/training/rescorer.py` on
LoCoMo's development conversations: numbers, no text.
"""

import lzma
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import lightgbm
import numpy as np
from numpy.typing import NDArray

from memory.signals import Scores, Signals

__all__ = ["MODEL_FILES", "Rescored", "Rescorer", "prior", "shipped_rescorer"]

_PRIOR_SLOPE, _PRIOR_AT_ZERO = 1.5, -5.0
_MODELS = Path(__file__).parent / "models"
MODEL_FILES = {name: _MODELS / f"{name}.txt.xz" for name in ("evidence", "answer", "topic")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescored:
    """For each candidate the log-odds of being evidence, and of being about the topic, whoever said it: `(n,)` each."""

    evidence: Scores
    topic: Scores

    @property
    def probability(self) -> Scores:
        """The probability of being evidence."""
        probability: Scores = 1 / (1 + np.exp(-self.evidence))
        return probability


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescorer:
    """The fitted ensembles, used together; `evidence` and `answer` are over the same signals in the same order."""

    evidence: lightgbm.Booster
    answer: lightgbm.Booster
    topic: lightgbm.Booster

    def __call__(self, signals: Signals) -> Rescored:
        """Judge the candidates whose signals these are. Raises KeyError if a signal is missing."""
        rows, start = _rows(self.evidence, signals), prior(signals)
        ranking = (_log_odds(self.evidence, rows) + _log_odds(self.answer, rows)) / 2
        return Rescored(evidence=start + ranking, topic=start + _log_odds(self.topic, _rows(self.topic, signals)))


def prior(signals: Signals) -> Scores:
    """Give the log-odds that the trees start from and correct; beyond what they ever saw, a better match stays better."""
    odds: Scores = _PRIOR_SLOPE * signals["strength"] + _PRIOR_AT_ZERO
    return odds


@cache
def shipped_rescorer() -> Rescorer:
    """Load the ensembles that ship with the package, once a process."""
    return Rescorer(**{name: _load(file) for name, file in MODEL_FILES.items()})


def _load(file: Path) -> lightgbm.Booster:
    return lightgbm.Booster(model_str=lzma.decompress(file.read_bytes()).decode())


def _rows(booster: lightgbm.Booster, signals: Mapping[str, Scores]) -> NDArray[np.float32]:
    columns = np.array([signals[name] for name in booster.feature_name()])
    return columns.T.astype(np.float32, order="C")


def _log_odds(booster: lightgbm.Booster, rows: NDArray[np.float32]) -> Scores:
    odds: Scores = booster.predict(rows, raw_score=True, num_threads=1)
    return odds
