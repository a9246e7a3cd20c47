"""Fitting recall's weights for the vectors of one encoder, each file with its card: what it learned from, how it does unseen.

The weights are fitted on all sets given; every figure is of conversations that the fit did not see. `tirtha eval fit` calls it.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import mean

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress
from sklearn.metrics import brier_score_loss, roc_auc_score

from compaction import distill
from eval.harness.conversations import Conversation
from eval.harness.embedding_cache import CachedEncoder
from eval.harness.manifest import find_code
from eval.training.answerability import OF_WORDS, AnswerabilityCase, fit_answerability, make_case, unseen_probabilities
from eval.training.fitting import FOLDS, Asked, ask_conversations, fit_reranker, held_out
from eval.training.sets import LICENCES
from eval.training.unanswerable import FOREIGN, small_memories, with_foreign_questions
from memory.recall.ranking import ranked_evidence
from memory.recall.reranker import Reranked, Weights

__all__ = ["fit_recall"]

_WRONGLY_ABSTAINED = 0.02  # the share of answerable questions that may be refused
_BUDGET = 165
_PLAIN_FUSION = Weights(intercept=-4.0, weights={"fusion": 4.0})  # no fit: what two plain searches say, for any vectors


def fit_recall(
    sets: Mapping[str, Sequence[Conversation]], encoder: CachedEncoder, *, to: Path, progress: Progress
) -> dict[str, object]:
    """Fit on these sets for an encoder's vectors, judge by unseen conversations, write the weights and their cards into `to`.

    Returns the figures of unseen conversations, by set, and of answerability. Raises OSError.
    """
    asked = _gather(with_foreign_questions(sets), encoder, progress)
    small = _gather({f"{name}, small": cut for name, cut in small_memories(sets).items()}, encoder, progress)
    cases, unseen = _judged(asked, small, progress)
    card: dict[str, object] = {
        "encoder": encoder.name,
        "data": {name: {"licence": LICENCES[name], **_sizes(name, asked)} for name in sets},
        "code": find_code().short,
        "versions": {name: version(name) for name in ("numpy", "scipy", "scikit-learn", "torch")},
    }
    worth = _worth(cases, unseen_probabilities(cases))
    to.mkdir(parents=True, exist_ok=True)
    _write(to / "reranker.json", fit_reranker(asked), card | {"unseen": unseen})
    _write(to / "answerability.json", fit_answerability(cases), card | {"unseen": worth})
    _write(to / "plain_answerability.json", fit_answerability(cases, names=OF_WORDS), card)
    _write(to / "plain_reranker.json", _PLAIN_FUSION, {"encoder": "any other"})
    return {**unseen, "answerability": worth}


def _gather(sets: Mapping[str, Sequence[Conversation]], encoder: CachedEncoder, progress: Progress) -> list[Asked]:
    asked: list[Asked] = []
    for name, conversations in sets.items():
        task = progress.add_task(name, total=sum(len(one.questions) for one in conversations))
        asked += asyncio.run(
            ask_conversations(name, conversations, encoder, lambda task=task: progress.advance(task))  # type: ignore[misc]
        )
    return asked


def _judged(
    asked: Sequence[Asked], small: Sequence[Asked], progress: Progress
) -> tuple[list[AnswerabilityCase], dict[str, dict[str, float]]]:
    """Return every question, and every answerable one without its evidence, by weights that never saw its conversation."""
    withheld = [kept for one in asked if one.question.answerable and (kept := one.withheld())]
    task = progress.add_task("unseen conversations", total=FOLDS)
    every = [*asked, *small, *withheld]
    judged = held_out(every, fitted_on=asked, advance=lambda: progress.advance(task))
    kinds = [None] * (len(asked) + len(small)) + ["withheld"] * len(withheld)
    cases = [make_case(one, scores, kind=kind) for one, scores, kind in zip(every, judged, kinds, strict=True)]
    return cases, _recalled(asked, judged[: len(asked)])


def _recalled(asked: Sequence[Asked], judged: Sequence[Reranked]) -> dict[str, dict[str, float]]:
    """Return by set the evidence recall of contexts, and how often the best find is evidence."""
    recalls: dict[str, list[tuple[float, bool]]] = {}
    for one, scores in zip(asked, judged, strict=True):
        if one.question.answerable:
            evidence = ranked_evidence(one.found.candidates, scores)
            context = distill(evidence, budget=_BUDGET, breadth=one.found.question.breadth)
            first = evidence[0].turn.id in one.question.evidence
            recalls.setdefault(one.set, []).append((one.question.recall_of(context), first))
    return {
        name: {
            "n": len(found),
            f"evidence_recall_{_BUDGET}": round(mean(recall for recall, _ in found), 4),
            "first": round(mean(float(first) for _, first in found), 4),
        }
        for name, found in recalls.items()
    }


def _worth(cases: Sequence[AnswerabilityCase], likely: NDArray[np.float64]) -> dict[str, float]:
    """Return AUROC by set and kind, the Brier score, and the threshold below which the stated share of answerable ones falls."""
    kinds, sets = np.array([case.kind for case in cases]), np.array([case.set for case in cases])
    true = kinds == "answerable"
    worth = {"brier": float(brier_score_loss(true, likely)), "base_rate": float(true.mean())}
    for name in dict.fromkeys(sets.tolist()):
        for kind in ("asked", "withheld", FOREIGN):
            chosen = (sets == name) & (true | (kinds == kind))
            if 0 < true[chosen].mean() < 1:
                worth[f"auroc_{name}_{kind}".replace(", ", "_")] = float(roc_auc_score(true[chosen], likely[chosen]))
    worth["abstain_below"] = float(np.quantile(likely[true], _WRONGLY_ABSTAINED))
    return {name: round(value, 4) for name, value in worth.items()}


def _sizes(name: str, asked: Sequence[Asked]) -> dict[str, int]:
    own = [one for one in asked if one.set == name]
    return {"conversations": len({one.conversation for one in own}), "questions": len(own)}


def _write(file: Path, weights: Weights, card: Mapping[str, object]) -> None:
    stored = {"intercept": weights.intercept, "weights": dict(weights.weights), "card": dict(card)}
    file.write_text(json.dumps(stored, indent=1) + "\n", "utf-8")
