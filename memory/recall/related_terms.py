"""How near two words are in meaning: "pet" and "dog", "city" and "Paris", where BM25 sees nothing in common.

A table of 128 bytes a stem, distilled from the bundled sentence model (`eval/training/term_vectors.py`), so it costs a query no
model call. A word outside the table is related only to itself. Knows nothing of passages' scores.
"""

from collections.abc import Sequence
from functools import cache
from itertools import chain
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
        self._vectors = np.vstack([vectors, np.zeros_like(vectors[:1])])  # the last row is of a stem that is not here

    def of(self, terms: Sequence[str]) -> Vectors:
        """Return `(len(terms), d)` vectors; zeros for a stem that the table does not hold."""
        vectors: Vectors = self._vectors[[self._rows.get(term, -1) for term in terms]]
        return vectors


@cache
def term_vectors() -> TermVectors:
    """Load the table, once a process."""
    with np.load(MODEL_FILE) as stored:
        terms = stored["terms"].tobytes().decode().split("\n")
        vectors = stored["codes"].astype(np.float32) * stored["scale"]
    return TermVectors(terms, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def relatedness(asked: Sequence[str], texts: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Return `(len(texts), len(asked))`: how near the nearest term of each text is to each asked term, 0 to 1; 1 for the same."""
    flat = list(chain.from_iterable(texts))
    if not asked or not flat:
        return np.zeros((len(texts), len(asked)))
    place = {term: row for row, term in enumerate(dict.fromkeys(flat))}
    near = np.clip(term_vectors().of(list(place)) @ term_vectors().of(asked).T, 0, 1)
    for number, term in enumerate(asked):
        if term in place:
            near[place[term], number] = 1
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    nearest = np.zeros((len(texts), len(asked)))
    starts = (np.cumsum(lengths) - lengths)[lengths > 0]
    nearest[lengths > 0] = np.maximum.reduceat(near[[place[term] for term in flat]], starts, axis=0)
    return nearest
