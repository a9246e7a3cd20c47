"""How likely it is that the evidence holds the answer, from recall's own signals.

A logistic model of a few figures of the ranked evidence; no language model. Coefficients: docs/lab.md.
"""

from collections.abc import Sequence

import numpy as np

from memory.turns import Evidence

__all__ = ["answerable", "figures"]

_COEFFICIENTS = np.zeros(5)
_INTERCEPT = 0.0


def answerable(evidence: Sequence[Evidence]) -> float:
    """Give the probability, 0 to 1, that `evidence` (best first) holds the answer; 0 for no evidence."""
    if not evidence:
        return 0.0
    return float(1 / (1 + np.exp(-(_INTERCEPT + _COEFFICIENTS @ figures(evidence)))))


def figures(evidence: Sequence[Evidence]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Give the figures that the model reads, `(5,) float64`."""
    first = evidence[0]
    return np.array([first.score, first.signals["dense"], first.signals["coverage"], first.signals["words"], 0.0])
