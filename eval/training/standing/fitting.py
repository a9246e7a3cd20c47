"""Fit the recogniser of standing instructions, and write it with its card: what it learned from, and how it does unseen.

    python -m eval.training.standing.fitting --beam DIR

A logistic model over the cues of clauses (`language.requests.instructions`), fitted on our own sentences and BEAM's, which count
the same, and so do instructions and others. A sentence counts by its likeliest clause; of an instruction only that one is
learned from.
Judged three ways, each on what the fit did not see: BEAM by a fit on our own sentences, our own by tenths, and sentences written
after everything else was settled. No threshold is fitted: it is set for precision.
"""

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from sklearn.linear_model import LogisticRegression

from eval.beam.data import read_beam
from eval.harness.manifest import find_code
from eval.training.sets import LICENCES
from eval.training.standing.data import Sentence, judged_only, of_beam, our_own
from language.requests.instructions import CUES, Clause
from memory.recall.reranker import MODELS
from memory.recall.standing.recognition import Recogniser, probability

__all__ = ["judge", "main"]

THRESHOLD = 0.7
_STRENGTH = 1.0  # of the regularisation, as scikit-learn's C
_TENTHS = 10
# Which clause of an instruction is it? Before anything is fitted, the one with the strongest of these.
_STRONGEST_FIRST = (
    "prefers",
    "diet",
    "address",
    "directs_always",
    "directs_when",
    "directs_form",
    "dislikes",
    "obliges",
    "likes",
    "always",
)


def main(
    *,
    beam: Annotated[Path, typer.Option(help="a folder of BEAM's chats, of any size")],
    out: Annotated[Path, typer.Option(help="where the model goes")] = MODELS,
) -> None:
    """Fit, judge on what the fit did not see, write."""
    own, chats, judged = our_own(), of_beam(read_beam(beam)), judged_only()
    model, of_our_own, by_tenths = (
        _fit_recogniser([*own, *chats]),
        _fit_recogniser(own),
        _unseen_by_tenths(own, beside=chats),
    )
    unseen = {
        "beam, fitted on our own": judge(chats, [_likeliest(of_our_own, one) for one in chats]),
        "our own, by tenths": judge(own, by_tenths),
        "our own, by tenths, without English": _without_english(own, by_tenths),
        "written afterwards": judge(judged, [_likeliest(model, one) for one in judged]),
    }
    card = {
        "data": {
            "own": {"licence": "our own", **_sizes(own)},
            "beam": {"licence": LICENCES["beam"], **_sizes(chats)},
        },
        "code": find_code().short,
        "versions": {name: version(name) for name in ("numpy", "scikit-learn")},
        "unseen": unseen,
    }
    stored = {"intercept": model.intercept, "weights": dict(model.weights), "threshold": model.threshold, "card": card}
    (out / "instructions.json").write_text(json.dumps(stored, indent=1) + "\n", "utf-8")
    Console().print_json(json.dumps(unseen))


def _fit_recogniser(sentences: Sequence[Sentence]) -> Recogniser:
    """Fit on these sentences: each set, and in each set both classes, count the same."""
    cases = [(one, clause) for one in sentences for clause in _learned_from(one)]
    rows = np.array([[clause.cues[name] for name in CUES] for _, clause in cases])
    standing = np.array([one.standing for one, _ in cases])
    sets = np.array([one.set for one, _ in cases])
    weight = np.zeros(len(cases))
    for name in set(sets.tolist()):
        for label in (True, False):
            own = (sets == name) & (standing == label)
            weight[own] = 1 / max(own.sum(), 1)
    model = LogisticRegression(C=_STRENGTH, max_iter=2_000)
    model.fit(rows, standing, sample_weight=weight * len(cases) / weight.sum())
    weights = dict(zip(CUES, np.round(model.coef_[0], 4).tolist(), strict=True))
    return Recogniser(intercept=round(float(model.intercept_[0]), 4), weights=weights, threshold=THRESHOLD)


def _unseen_by_tenths(own: Sequence[Sentence], *, beside: Sequence[Sentence]) -> NDArray[np.float64]:
    """Return how likely each sentence is an instruction, by a model that was fitted on the other nine tenths and `beside`."""
    likely = np.zeros(len(own))
    for tenth in range(_TENTHS):
        model = _fit_recogniser([*(one for n, one in enumerate(own) if n % _TENTHS != tenth), *beside])
        for n in range(tenth, len(own), _TENTHS):
            likely[n] = _likeliest(model, own[n])
    return likely


def judge(sentences: Sequence[Sentence], likely: Sequence[float] | NDArray[np.float64]) -> dict[str, float]:
    """Return precision and recall at the threshold, and what they are of."""
    standing = np.array([one.standing for one in sentences])
    said = np.array(likely) > THRESHOLD
    right = int((said & standing).sum())
    return {
        "sentences": len(sentences),
        "instructions": int(standing.sum()),
        "precision": round(right / max(int(said.sum()), 1), 4),
        "recall": round(right / max(int(standing.sum()), 1), 4),
    }


def _without_english(own: Sequence[Sentence], likely: NDArray[np.float64]) -> dict[str, float]:
    kept = [n for n, one in enumerate(own) if one.language != "en"]
    return judge([own[n] for n in kept], likely[kept])


def _likeliest(model: Recogniser, sentence: Sentence) -> float:
    return max((probability(model, clause.cues) for clause in sentence.clauses), default=0.0)


def _learned_from(sentence: Sentence) -> Sequence[Clause]:
    if not sentence.standing or len(sentence.clauses) < 2:
        return sentence.clauses
    return [max(sentence.clauses, key=lambda clause: _strength(clause.cues))]


def _strength(cues: Mapping[str, float]) -> float:
    return sum(cues[name] * (len(_STRONGEST_FIRST) - place) for place, name in enumerate(_STRONGEST_FIRST))


def _sizes(sentences: Sequence[Sentence]) -> dict[str, int]:
    return {"sentences": len(sentences), "instructions": sum(one.standing for one in sentences)}


if __name__ == "__main__":
    typer.run(main)
