"""Fitting answerability, and judging it by conversations that it never saw.

Questions without an answer come in kinds, weighed by how often each is thought to come; each set counts the same. The figures of a
question are those that `memory.recall.answerability` judges by.
"""

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from eval.training.fitting import Asked
from memory.recall.answerability import figures, probability
from memory.recall.reranker import Reranked, Weights

__all__ = ["KINDS", "AnswerabilityCase", "fit_answerability", "make_case", "unseen_probabilities"]

# How often each kind of unanswerable question is thought to come, for one answerable question. Asked: as the set has it. Withheld:
# an answerable one whose evidence was taken away.
KINDS = {"answerable": 1.0, "asked": 1.0, "withheld": 0.5}
_STRENGTH = 0.1  # of the regularisation, as scikit-learn's C


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerabilityCase:
    """A question of one kind and its figures, judged by weights that never saw its conversation."""

    set: str
    kind: str
    conversation: str
    figures: dict[str, float]


def make_case(one: Asked, reranked: Reranked, *, kind: str | None = None) -> AnswerabilityCase:
    """Return the case of a question."""
    return AnswerabilityCase(
        set=one.set,
        kind=kind or ("answerable" if one.question.answerable else "asked"),
        conversation=one.conversation,
        figures=figures(one.found, one.features, reranked),
    )


def unseen_probabilities(cases: Sequence[AnswerabilityCase]) -> NDArray[np.float64]:
    """Return each case's probability of having an answer, by a model fitted on the other conversations: `(len(cases),)`."""
    unseen = np.zeros(len(cases))
    for conversation in dict.fromkeys(case.conversation for case in cases):
        here = [place for place, case in enumerate(cases) if case.conversation == conversation]
        model = fit_answerability([case for case in cases if case.conversation != conversation])
        unseen[here] = [probability(model, cases[place].figures) for place in here]
    return unseen


def fit_answerability(cases: Sequence[AnswerabilityCase], *, names: Set[str] = frozenset()) -> Weights:
    """Fit on standardised figures (of these names; without, on all); returns a weight for each plain figure, and the intercept."""
    used = [name for name in cases[0].figures if not names or name in names]
    rows = np.array([[case.figures[name] for name in used] for case in cases])
    answerable = np.array([case.kind == "answerable" for case in cases])
    sizes = Counter((case.set, case.kind) for case in cases)
    shares = np.array([KINDS[case.kind] / sizes[case.set, case.kind] for case in cases])
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    model = LogisticRegression(C=_STRENGTH, max_iter=1_000)
    model.fit((rows - mean) / scale, answerable, sample_weight=shares * len(cases) / shares.sum())
    coefficients = model.coef_[0] / scale
    intercept = float(model.intercept_[0] - coefficients @ mean)
    return Weights(
        intercept=round(intercept, 6), weights=dict(zip(used, np.round(coefficients, 6).tolist(), strict=True))
    )
