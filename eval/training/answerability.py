"""Fitting answerability, and judging it by conversations that it never saw.

Questions without an answer come in kinds, weighed by how often each is thought to come; each set counts the same, and small
memories cut out of it as much again. The figures of a question are those that `memory.recall.answerability` judges by.
"""

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from eval.harness.conversations import LabelledQuestion
from eval.training.fitting import Asked
from eval.training.unanswerable import FOREIGN
from memory.recall.answerability import figures, probability
from memory.recall.reranker import Reranked, Weights

__all__ = ["KINDS", "OF_WORDS", "AnswerabilityCase", "fit_answerability", "make_case", "unseen_probabilities"]

# How often each kind of unanswerable question is thought to come, for one answerable question. Asked: as the set has it. Withheld:
# an answerable one whose evidence was taken away. Foreign: one about other conversations.
KINDS = {"answerable": 1.0, "asked": 1.0, "withheld": 0.5, FOREIGN: 0.5}
OF_EVIDENCE = frozenset({"best", "three_ahead", "asked_related", "related_ahead"})
OF_WORDS = frozenset({"asked_related", "related_ahead", "asked_turn_coverage", "turn_coverage_ahead"})  # of any encoder
_SHRINKAGE = 0.0003  # of the sum of squares of the weights of standardised figures


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
        kind=kind or _kind_of(one.question),
        conversation=one.conversation,
        figures=figures(one.found, one.features, reranked),
    )


def _kind_of(question: LabelledQuestion) -> str:
    if question.answerable:
        return "answerable"
    return FOREIGN if question.kind == FOREIGN else "asked"


def unseen_probabilities(cases: Sequence[AnswerabilityCase]) -> NDArray[np.float64]:
    """Return each case's probability of having an answer, by a model fitted on the other conversations: `(len(cases),)`."""
    unseen = np.zeros(len(cases))
    for conversation in dict.fromkeys(case.conversation for case in cases):
        here = [place for place, case in enumerate(cases) if case.conversation == conversation]
        model = fit_answerability([case for case in cases if case.conversation != conversation])
        unseen[here] = [probability(model, cases[place].figures) for place in here]
    return unseen


def fit_answerability(cases: Sequence[AnswerabilityCase], *, names: Set[str] = OF_EVIDENCE) -> Weights:
    """Fit a weight for each plain figure of these names, none below 0, and the intercept: a logistic model."""
    used = [name for name in cases[0].figures if name in names]
    rows = np.array([[case.figures[name] for name in used] for case in cases])
    answerable = np.array([float(case.kind == "answerable") for case in cases])
    sizes = Counter((case.set, case.kind) for case in cases)
    shares = np.array([KINDS[case.kind] / sizes[case.set, case.kind] for case in cases])
    shares /= shares.sum()
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    standard = (rows - mean) / scale

    def loss(line: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = line[0] + standard @ line[1:]
        missed = shares * (expit(odds) - answerable)
        slopes = standard.T @ missed + 2 * _SHRINKAGE * line[1:]
        total = float(shares @ (np.logaddexp(0, odds) - answerable * odds))
        return total + _SHRINKAGE * float(line[1:] @ line[1:]), np.array([missed.sum(), *slopes])

    bounds = [(None, None), *((0.0, None) for _ in used)]
    found = minimize(loss, np.zeros(len(used) + 1), jac=True, method="L-BFGS-B", bounds=bounds).x
    weights = found[1:] / scale
    intercept = float(found[0] - weights @ mean)
    return Weights(intercept=round(intercept, 6), weights=dict(zip(used, np.round(weights, 6).tolist(), strict=True)))
