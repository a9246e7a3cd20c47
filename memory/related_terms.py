"""How near two words are in meaning: "pet" and "dog", "city" and "Paris", where BM25 sees nothing in common.

A table of 128 bytes a stem, distilled from the bundled sentence model (`eval/training/term_vectors.py`), so it costs a query no
model call. A word outside the table is related only to itself. Knows nothing of passages' scores.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["MODEL_FILE", "relatedness", "term_vectors"]

MODEL_FILE = Path(__file__).parent / "models" / "term_vectors.npz"

Vectors = NDArray[np.float32]


class TermVectors:
    """Unit vectors of stems."""

    def __init__(self, terms: Sequence[str], vectors: Vectors) -> None:
        self._rows = {term: row for row, term in enumerate(terms)}
        self._vectors = vectors

    def of(self, terms: Sequence[str]) -> Vectors:
        """Give `(len(terms), d)` vectors; zeros for a stem that the table does not hold."""
        rows = np.array([self._rows.get(term, -1) for term in terms], dtype=np.int64)
        vectors: Vectors = np.where(rows[:, None] < 0, np.float32(0), self._vectors[rows])
        return vectors


@cache
def term_vectors() -> TermVectors:
    """Load the table, once a process."""
    with np.load(MODEL_FILE) as stored:
        terms = stored["terms"].tobytes().decode().split("\n")
        vectors = stored["codes"].astype(np.float32) * stored["scale"]
    return TermVectors(terms, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def relatedness(asked: Sequence[str], texts: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Give `(len(texts), len(asked))`: how near the nearest term of each text is to each asked term, 0 to 1; 1 for the same."""
    if not asked or not texts:
        return np.zeros((len(texts), len(asked)))
    distinct = list(dict.fromkeys(term for text in texts for term in text))
    if not distinct:
        return np.zeros((len(texts), len(asked)))
    near = np.clip(term_vectors().of(distinct) @ term_vectors().of(asked).T, 0, 1)
    place = {term: row for row, term in enumerate(distinct)}
    for number, term in enumerate(asked):
        if term in place:
            near[place[term], number] = 1
    near = np.vstack([near, np.zeros(len(asked))])  # the row of a text without terms
    rows = [[place[term] for term in text] or [len(distinct)] for text in texts]
    starts = np.cumsum([0, *map(len, rows[:-1])])
    return np.maximum.reduceat(near[np.concatenate(rows)], starts, axis=0).astype(np.float64)
