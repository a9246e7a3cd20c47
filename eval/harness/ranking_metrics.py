"""Retrieval figures exactly as LongMemEval's code defines them (Wu et al., ICLR 2025, `src/retrieval/eval_utils.py`).

A ranking holds every document of the corpus, best first. The discount of rank i (from 0) is 1 for the first and log2(i + 1) after
it, so ranks 1 and 2 weigh the same; the ideal ranking is over the whole corpus, cut at k.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from math import log2

__all__ = ["CUTOFFS", "RankingFigures", "judge_ranking"]

CUTOFFS = (1, 3, 5, 10, 30, 50)


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingFigures:
    """For one question and one k: whether any target is among the first k, whether all are, and the NDCG."""

    recall_any: float
    recall_all: float
    ndcg_any: float


def judge_ranking(ranking: Sequence[str], targets: Set[str], k: int) -> RankingFigures:
    """Judge the first `k` of `ranking`; without targets, as the paper's code has it, recall_any is 0 and recall_all 1."""
    first = set(ranking[:k])
    return RankingFigures(
        recall_any=float(bool(first & targets)),
        recall_all=float(targets <= first),
        ndcg_any=_ndcg(ranking, targets, k),
    )


def _ndcg(ranking: Sequence[str], targets: Set[str], k: int) -> float:
    gains = [float(document in targets) for document in ranking]
    ideal = _dcg(sorted(gains, reverse=True)[:k])
    return _dcg(gains[:k]) / ideal if ideal else 0.0


def _dcg(gains: Sequence[float]) -> float:
    return sum(gain / (log2(place + 1) if place else 1.0) for place, gain in enumerate(gains))
