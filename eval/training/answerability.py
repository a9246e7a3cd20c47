"""Fitting answerability, and judging it by conversations that it never saw.

Questions without an answer come in kinds, weighed by how often each is thought to come; the figures of a question are those that
`memory.recall.answerability` judges by.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from eval.training.fitting import Asked
from memory.recall.answerability import figures
from memory.recall.rescorer import Rescored

__all__ = ["KINDS", "Case", "fit_weights", "make_case", "unseen_probabilities"]

# How often each kind of unanswerable question is thought to come, for one answerable question.
KINDS = {"answerable": 1.0, "adversarial": 1.0, "withheld": 0.35, "foreign": 0.35}
_STRENGTH = 0.1  # of the regularisation, as scikit-learn's C


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A question of one kind and its figures, judged by ensembles that never saw its conversation."""

    kind: str
    conversation: str
    figures: dict[str, float]


def make_case(kind: str, one: Asked, rescored: Rescored, *, without: str | None = None) -> Case:
    """Give the case of a question, judged without the features of a part."""
    features = one.features(without=without)
    given = figures(one.found.question, one.found.candidates, features, rescored)
    return Case(kind=kind, conversation=one.conversation, figures=given)


def unseen_probabilities(cases: Sequence[Case]) -> NDArray[np.float64]:
    """Give each case's probability of having an answer, by a model fitted on the other conversations: `(len(cases),)`."""
    rows, answerable, shares = _arrays(cases)
    conversations = np.array([case.conversation for case in cases])
    unseen = np.zeros(len(cases))
    for conversation in dict.fromkeys(conversations):
        here = conversations == conversation
        coefficients, intercept = _logistic(rows[~here], answerable[~here], shares[~here])
        unseen[here] = 1 / (1 + np.exp(-(rows[here] @ coefficients + intercept)))
    return unseen


def fit_weights(cases: Sequence[Case]) -> Mapping[str, float]:
    """Fit on all cases; gives a weight for each figure, and the intercept."""
    coefficients, intercept = _logistic(*_arrays(cases))
    weights = dict(zip(cases[0].figures, np.round(coefficients, 5).tolist(), strict=True))
    return weights | {"intercept": round(intercept, 5)}


def _arrays(cases: Sequence[Case]) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    rows = np.array([list(case.figures.values()) for case in cases])
    answerable = np.array([case.kind == "answerable" for case in cases])
    return rows, answerable, np.array([KINDS[case.kind] for case in cases])


def _logistic(
    rows: NDArray[np.float64], answerable: NDArray[np.bool_], shares: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Fit on standardised figures; gives coefficients and intercept for plain ones."""
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    model = LogisticRegression(C=_STRENGTH).fit((rows - mean) / scale, answerable, sample_weight=shares)
    coefficients = model.coef_[0] / scale
    return coefficients, float(model.intercept_[0] - coefficients @ mean)
