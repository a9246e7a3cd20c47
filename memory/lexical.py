"""Words in common, measured: BM25 and coverage over texts whose terms are at hand. The index searches; this compares."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["bm25_share", "coverage_of", "rarity_of"]

Scores = NDArray[np.float64]

_K1 = 1.2
_B = 0.75


def rarity_of(terms: Sequence[str], passages: Sequence[Counter[str]]) -> dict[str, float]:
    """Give each term's rarity among the texts: the rarer, the higher."""
    held = {term: sum(term in counts for counts in passages) for term in terms}
    return {term: float(np.log1p(len(passages) / max(count, 1))) for term, count in held.items()}


def bm25_share(terms: Sequence[str], texts: Sequence[Counter[str]], rarity: Mapping[str, float]) -> Scores:
    """BM25 (Robertson & Zaragoza 2009) as a share of the limit that endless repetition of every term would reach."""
    lengths = np.array([max(sum(counts.values()), 1) for counts in texts], dtype=np.float64)
    norms = _K1 * (1 - _B + _B * lengths / lengths.mean())
    total = np.zeros(len(texts))
    for term in terms:
        frequency = np.array([counts[term] for counts in texts], dtype=np.float64)
        total += rarity[term] * frequency / (frequency + norms)
    return total / max(sum(rarity.values()), 1e-9)


def coverage_of(terms: Sequence[str], texts: Sequence[Counter[str]], rarity: Mapping[str, float]) -> Scores:
    """Give for each text the share of the terms, by rarity, that it holds: `(len(texts),)`, 0 to 1."""
    total = max(sum(rarity.values()), 1e-9)
    return np.array([sum(rarity[term] for term in terms if term in counts) / total for counts in texts])
