"""The conditional logit: weights by which the useful candidates of a question stand before its others.

McFadden (1974), with shares of usefulness in place of a single choice, as in ListNet (Cao et al., ICML 2007). Only candidates of
one question are compared, so what is alike for all of them has no weight here; how probable a score is, is fitted afterwards. Pure
arrays: knows neither texts nor data sets.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from memory.recall.features import Features, Scores
from memory.recall.reranker import Weights

__all__ = ["Choice", "fit_weights"]

_BASE = 1.0
_SHRINKAGE = 0.003  # of the sum of squares of the weights of standardised features


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A question to learn from: its candidates' features, how useful each is, `(n,)` 0 to 1, and how much it counts."""

    features: Features
    useful: Scores
    weight: float = 1.0


def fit_weights(
    choices: Sequence[Choice], names: Sequence[str], *, rising: Set[str], base: str | None = None
) -> Weights:
    """Fit a weight for each of these features, none below 0 for those that are `rising`, and the constant.

    The weight of the `base` is at least `_BASE` before calibration: the others correct it and never throw it away.

    At least one choice must have a useful candidate.
    """
    learned = [one for one in choices if one.useful.sum() > 0]
    rows = np.concatenate([np.column_stack([one.features[name] for name in names]) for one in learned])
    sizes = np.array([len(one.useful) for one in learned])
    starts = np.cumsum(sizes) - sizes
    scale = rows.std(axis=0) + 1e-9
    standard = rows / scale
    shares = np.concatenate([one.useful / one.useful.sum() for one in learned])
    counts = np.array([one.weight for one in learned]) / sum(one.weight for one in learned)
    counted = np.repeat(counts, sizes)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = standard @ weights
        scores -= np.repeat(np.maximum.reduceat(scores, starts), sizes)  # of each question the best is 0: no overflow
        odds = np.exp(scores)
        sums = np.add.reduceat(odds, starts)
        missed = counted * (odds / np.repeat(sums, sizes) - shares)
        total = float(counts @ np.log(sums) - (counted * shares) @ scores)
        return total + _SHRINKAGE * float(weights @ weights), standard.T @ missed + 2 * _SHRINKAGE * weights

    least = np.array([_BASE if name == base else 0.0 for name in names]) * scale
    bounds = [(low if name in rising else None, None) for name, low in zip(names, least.tolist(), strict=True)]
    found = minimize(loss, least, jac=True, method="L-BFGS-B", bounds=bounds)
    ranking = dict(zip(names, (found.x / scale).tolist(), strict=True))
    return _calibrated(ranking, learned, counts)


def _calibrated(ranking: Mapping[str, float], choices: Sequence[Choice], counts: NDArray[np.float64]) -> Weights:
    """Stretch and shift scores so that they are log-odds of usefulness, which moves no order."""
    scores = np.concatenate([_scores(ranking, one.features) for one in choices])
    useful = np.concatenate([one.useful for one in choices])
    weight = np.repeat(counts, [len(one.useful) for one in choices])

    def loss(line: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = line[0] * scores + line[1]
        missed = weight * (expit(odds) - useful)
        return float(weight @ (np.logaddexp(0, odds) - useful * odds)), np.array([missed @ scores, missed.sum()])

    stretch, shift = minimize(loss, np.array([1.0, -float(scores.mean())]), jac=True, method="L-BFGS-B").x
    weights = {name: round(weight * float(stretch), 6) for name, weight in ranking.items()}
    return Weights(intercept=round(float(shift), 6), weights=weights)


def _scores(weights: Mapping[str, float], features: Features) -> Scores:
    scores: Scores = np.sum([weight * features[name] for name, weight in weights.items()], axis=0)
    return scores
