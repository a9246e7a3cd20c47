"""Words in common, measured: BM25 and coverage over texts whose terms are at hand. The index searches; this compares."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["K1", "bm25_share", "coverage_of", "frequencies", "length_norms", "rarity_of"]

Scores = NDArray[np.float64]

K1 = 1.2
_B = 0.75

F = TypeVar("F", np.float32, np.float64)


def frequencies(terms: Sequence[str], texts: Sequence[Sequence[str]]) -> Scores:
    """Count each of the terms in each text: `(len(texts), len(terms))`."""
    none, sought = [0] * len(terms), frozenset(terms)
    counts = [none if sought.isdisjoint(text) else [text.count(term) for term in terms] for text in texts]
    return np.array(counts, dtype=np.float64).reshape(len(texts), len(terms))


def rarity_of(frequency: Scores) -> Scores:
    """Give each term's rarity among the texts, `(terms,)`: the rarer, the higher."""
    rarity: Scores = np.log1p(len(frequency) / np.maximum((frequency > 0).sum(axis=0), 1))
    return rarity


def bm25_share(frequency: Scores, lengths: Sequence[int], rarity: Scores) -> Scores:
    """BM25 (Robertson & Zaragoza 2009) as a share of the limit that endless repetition of every term would reach."""
    sizes = np.maximum(np.array(lengths, dtype=np.float64), 1)
    norms = length_norms(sizes, float(sizes.mean()))
    share: Scores = (frequency / (frequency + norms[:, None])) @ rarity / max(float(rarity.sum()), 1e-9)
    return share


def length_norms(lengths: NDArray[F], mean: float) -> NDArray[F]:
    """Give what BM25 adds to a term's count below the line: more, the longer a text is beside the mean."""
    return K1 * (1 - _B + _B * lengths / mean)


def coverage_of(frequency: Scores, rarity: Scores) -> Scores:
    """Give for each text the share of the terms, by rarity, that it holds: `(len(texts),)`, 0 to 1."""
    coverage: Scores = (frequency > 0) @ rarity / max(float(rarity.sum()), 1e-9)
    return coverage
