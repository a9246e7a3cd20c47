"""Fits how likely a draft is to be right, from labelled drafts, and writes the score with its card.

    python -m eval.training.correctness eval/drafts/labelled.jsonl

Learns from the rows of use "fitting" alone (BEAM, LongMemEval partial, our dialogues, plain facts, the sample). Rows of use
"testing" (LoCoMo, REALTALK) are counted once, at the threshold that the fitting rows have chosen. A logistic regression over
standardised features; each may only speak the way that it is meant to, which few hundred drafts need to be fitted well.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.model_selection import GroupKFold

from cascade.guards.correctness import Score
from cascade.guards.draft_features import FEATURES
from eval.drafts.labelled import Labelled, read_labelled
from eval.harness.intervals import share_bounds
from eval.training.sets import LICENCES as OF_RECALL

__all__ = ["Fit", "fit", "held_out", "judged", "lowest_threshold"]

Floats = NDArray[np.float64]
_FOLDS = 10
_STRENGTHS = (0.03, 0.1, 0.3, 1.0)  # of the L2 penalty on standardised weights
_RIGHT_OF_SERVED = 0.75  # what the threshold is chosen for
_FEWEST_SERVED = 10  # drafts that a threshold must let through, to be chosen by what is right of them
_CONSTANT = 1e-6  # deviation of a feature that says nothing
_SPEAKS = 0.005  # least weight of a feature that is kept
_LICENCES = {
    **OF_RECALL,
    "longmemeval": "MIT",
    "sample": "our own",
}
SCORE = Path(str(files("cascade.guards") / "correctness.json"))
_HARD = ("finish", "schema", "answerability", "citations", "injection", "polarity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A fit on standardised features: `(features,)` each, in the order of `names`."""

    names: tuple[str, ...]
    weights: Floats
    means: Floats
    deviations: Floats
    intercept: float

    def score(self, threshold: float) -> Score:
        """Return it as the cascade reads it; features without weight are left out."""
        kept = [place for place, weight in enumerate(self.weights) if abs(weight) >= _SPEAKS]
        return Score(
            intercept=round(self.intercept, 4),
            weights={self.names[place]: round(float(self.weights[place]), 4) for place in kept},
            means={self.names[place]: round(float(self.means[place]), 4) for place in kept},
            deviations={self.names[place]: round(float(self.deviations[place]), 4) for place in kept},
            threshold=threshold,
        )


def judged(rows: Sequence[Labelled]) -> list[Labelled]:
    """Return the first drafts that the score is asked about: that answer, and that every hard guard passes."""
    return [
        row
        for row in rows
        if row.path == "first" and row.features and all(row.statuses.get(guard, "pass") == "pass" for guard in _HARD)
    ]


def fit(rows: Sequence[Labelled], *, strength: float) -> Fit:
    """Fit on labelled drafts; `strength` is that of the penalty. A feature that a row lacks counts as the mean."""
    names = tuple(sorted(FEATURES))
    raw = np.array([[row.features.get(name, np.nan) for name in names] for row in rows])
    there = ~np.isnan(raw)
    means = np.nan_to_num(raw).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    centred = np.where(there, raw - means, 0.0)
    deviations = np.sqrt((centred**2).sum(axis=0) / np.maximum(there.sum(axis=0), 1))
    deviations[deviations < _CONSTANT] = 1.0
    values = centred / deviations
    right = np.array([row.right for row in rows], dtype=float)
    bounds = [(0, None) if FEATURES[name] > 0 else (None, 0) for name in names] + [(None, None)]
    found = minimize(
        _loss, np.zeros(len(names) + 1), args=(values, right, strength), jac=True, bounds=bounds, method="L-BFGS-B"
    )
    return Fit(names=names, weights=found.x[:-1], means=means, deviations=deviations, intercept=float(found.x[-1]))


def _loss(parameters: Floats, values: Floats, right: Floats, strength: float) -> tuple[float, Floats]:
    """Return the mean log loss with its penalty, and its gradient."""
    weights, intercept = parameters[:-1], parameters[-1]
    log_odds = values @ weights + intercept
    likely = expit(log_odds)
    loss = float(np.mean(np.logaddexp(0, log_odds) - right * log_odds) + strength / 2 * weights @ weights)
    error = (likely - right) / len(right)
    return loss, np.append(values.T @ error + strength * weights, error.sum())


def held_out(rows: Sequence[Labelled], make: Callable[[Sequence[Labelled]], Fit], *, by_set: bool = False) -> Floats:
    """Return each row's probability by a fit on other conversations, or on other sets: `(rows,)`."""
    likely = np.zeros(len(rows))
    groups = [row.set if by_set else row.conversation.removesuffix("-withheld") for row in rows]
    for seen, unseen in GroupKFold(n_splits=min(_FOLDS, len(set(groups)))).split(rows, groups=groups):
        score = make([rows[place] for place in seen]).score(0.0)
        likely[unseen] = [score.probability(rows[place].features) for place in unseen]
    return likely


def penalty(rows: Sequence[Labelled]) -> float:
    """Return the penalty with the least log loss on sets that a fit did not see: a new kind of talk is what it will meet."""
    right = np.array([row.right for row in rows], dtype=float)
    return min(_STRENGTHS, key=lambda one: log_loss(right, held_out(rows, _maker(one), by_set=True)))


def lowest_threshold(right: Floats, likely: Floats, wanted: float) -> float:
    """Return the lowest threshold from which on at least `wanted` of ten drafts or more are right; `wanted` if there is none."""
    order = np.argsort(-likely)
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(share >= wanted)
    good = good[good + 1 >= _FEWEST_SERVED]
    return float(likely[order[good[-1]]]) if len(good) else wanted


def log_loss(right: Floats, likely: Floats) -> float:
    """Return the mean log loss of probabilities."""
    bounded = np.clip(likely, 1e-6, 1 - 1e-6)
    return float(-np.mean(right * np.log(bounded) + (1 - right) * np.log(1 - bounded)))


def main(
    rows: Annotated[Path, typer.Argument(help="labelled drafts, as eval.drafts.labelled writes them")],
    *,
    out: Annotated[Path, typer.Option(help="where the score goes")] = SCORE,
) -> None:
    """Fit, choose the threshold, count on the rows for testing, and write."""
    console, drafts = Console(), read_labelled(rows)
    fitting = [row for row in judged(drafts) if row.use == "fitting"]
    right = np.array([row.right for row in fitting], dtype=float)
    strength = penalty(fitting)
    unseen = held_out(fitting, _maker(strength))
    threshold = round(lowest_threshold(right, unseen, _RIGHT_OF_SERVED), 3)
    score = fit(fitting, strength=strength).score(threshold)
    other_sets = held_out(fitting, _maker(strength), by_set=True)
    card = _card(fitting, right, unseen, strength, threshold) | {"held_out_by_set": _figures(right, other_sets)}
    stored = {name: value for name, value in asdict(score).items() if name != "hash"} | {"card": card}
    out.write_text(json.dumps(stored, indent=1) + "\n", "utf-8")
    console.print_json(json.dumps(stored))
    console.print(_table("fitting, held out", fitting, unseen, threshold))
    testing = [row for row in judged(drafts) if row.use == "testing"]
    console.print(_table("testing", testing, np.array([score.probability(row.features) for row in testing]), threshold))


def _maker(strength: float) -> Callable[[Sequence[Labelled]], Fit]:
    return lambda rows: fit(rows, strength=strength)


def _figures(right: Floats, likely: Floats) -> dict[str, float]:
    return {
        "auc": round(float(roc_auc_score(right, likely)), 3),
        "log_loss": round(log_loss(right, likely), 3),
        "brier": round(float(brier_score_loss(right, likely)), 3),
    }


def _card(
    fitting: Sequence[Labelled], right: Floats, likely: Floats, strength: float, threshold: float
) -> dict[str, object]:
    """Return what the score was fitted on, with what, and how it does on conversations that a fit did not see."""
    served = likely >= threshold
    return {
        "data": {
            name: {
                "licence": _LICENCES[name],
                "drafts": sum(row.set == name for row in fitting),
                "right": sum(row.right for row in fitting if row.set == name),
            }
            for name in sorted({row.set for row in fitting})
        },
        "models": dict(Counter(row.model for row in fitting)),
        "label": "a rule over words: eval/answers/rightness.py",
        "penalty": strength,
        "held_out_by_conversation": {
            **_figures(right, likely),
            "served": int(served.sum()),
            "right_of_served": int(right[served].sum()),
        },
    }


def _table(title: str, rows: Sequence[Labelled], likely: Floats, threshold: float) -> Table:
    """Count, by model, what passes the threshold and what of it is right."""
    table = Table(
        "model", "drafts", "right", "AUC", "pass", "right of these", "95%", title=f"{title}, from {threshold}"
    )
    for model in sorted({row.model for row in rows}):
        own = [(row.right, float(p)) for row, p in zip(rows, likely, strict=True) if row.model == model]
        passed = [was_right for was_right, p in own if p >= threshold]
        auc = roc_auc_score([was_right for was_right, _ in own], [p for _, p in own])
        table.add_row(
            model, str(len(own)), str(sum(was_right for was_right, _ in own)), f"{auc:.3f}", str(len(passed)),
            str(sum(passed)), share_bounds(sum(passed), len(passed)),
        )  # fmt: skip
    return table


if __name__ == "__main__":
    typer.run(main)
