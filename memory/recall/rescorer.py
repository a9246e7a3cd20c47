"""The learned re-scorer: from the candidates' features to how likely each is the evidence that the question asks for.

Three ensembles of small trees (LightGBM). `first` judges every candidate by its features; `second` corrects that, knowing what the
first look made of all the others: stacked generalisation (Wolpert 1992). `topic` must not know who speaks and so tells how much a
passage is about the question, no matter who said it, which is what answerability rests on. Fitted by `eval/training/rescorer.py` on
LoCoMo's development conversations: numbers, no text.
"""

import lzma
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import lightgbm
import numpy as np

from memory.recall.features import Candidate, Features, Scores
from memory.recall.neighbour_features import with_odds

__all__ = ["MODEL_FILES", "Rescored", "Rescorer", "log_odds", "prior", "shipped_rescorer"]

_PRIOR_SLOPE, _PRIOR_AT_ZERO = 1.5, -5.0
_MODELS = Path(__file__).parent / "models"
MODEL_FILES = {name: _MODELS / f"{name}.txt.xz" for name in ("first", "second", "topic")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescored:
    """Log-odds of being what is asked for, and of being about the topic, no matter who said it: `(n,)` each."""

    evidence: Scores
    topic: Scores

    @property
    def probability(self) -> Scores:
        """Predicted usefulness, 0 to 1, as `Evidence.score`."""
        probability: Scores = 1 / (1 + np.exp(-self.evidence))
        return probability


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescorer:
    """The fitted ensembles, used together."""

    first: lightgbm.Booster
    second: lightgbm.Booster
    topic: lightgbm.Booster

    def __call__(self, candidates: Sequence[Candidate], features: Features, *, without: str | None = None) -> Rescored:
        """Score the candidates, at least one, by their features; those of the part `without` are 0. KeyError if any is missing."""
        start = prior(features)
        first = start + log_odds(self.first, features)
        stacked = with_odds(candidates, features, first, without=without)
        return Rescored(evidence=first + log_odds(self.second, stacked), topic=start + log_odds(self.topic, features))


def prior(features: Features) -> Scores:
    """Return the log-odds that the trees start from and correct; beyond what they ever saw, a better match stays better."""
    odds: Scores = _PRIOR_SLOPE * features["strength"] + _PRIOR_AT_ZERO
    return odds


@cache
def shipped_rescorer() -> Rescorer:
    """Load the ensembles that ship with the package, once a process."""
    return Rescorer(**{name: _load(file) for name, file in MODEL_FILES.items()})


def _load(file: Path) -> lightgbm.Booster:
    return lightgbm.Booster(model_str=lzma.decompress(file.read_bytes()).decode())


def log_odds(booster: lightgbm.Booster, features: Mapping[str, Scores]) -> Scores:
    """Return what an ensemble adds to the log-odds that it started from, `(n,)`. Raises KeyError if a feature of its is missing."""
    columns = np.array([features[name] for name in booster.feature_name()])
    odds: Scores = booster.predict(columns.T.astype(np.float32, order="C"), raw_score=True, num_threads=1)
    return odds
