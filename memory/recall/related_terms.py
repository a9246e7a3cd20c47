"""How near two words are where BM25 sees nothing in common: in meaning ("pet" and "dog"), or as forms of one word.

Meaning is read from a table of 128 bytes a stem, distilled from the bundled sentence model (`eval/training/term_vectors.py`), so it
costs a query no model call. It is of English: a word outside the table is related only to itself. Forms of a word are taken to
begin alike ("trabajo" and "trabaja"), in every language. Knows nothing of passages' scores.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from itertools import chain, takewhile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["MODEL_FILE", "inflected", "relatedness", "term_vectors"]

MODEL_FILE = Path(__file__).parent / "models" / "term_vectors.npz"

_BEGINNING = 4  # letters that forms of a word have in common, at the least
_ALIKE = 0.6

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


def inflected(asked: Sequence[str], texts: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Return `(len(texts), len(asked))`: where a text lacks an asked term, how like it the likeliest form in the text is, 0 to 1.

    Likeness is the share of the longer of the two with which both begin; less than `_ALIKE` is none.
    """
    begins: dict[str, set[str]] = defaultdict(set)
    for term in set(chain.from_iterable(texts)):
        begins[term[:_BEGINNING]].add(term)
    shared = np.zeros((len(texts), len(asked)))
    for number, term in enumerate(asked):
        forms = {
            form: likeness
            for form in begins.get(term[:_BEGINNING], ())
            if (likeness := _likeness(term, form)) >= _ALIKE
        }
        if len(term) < _BEGINNING or not forms:
            continue
        for row, text in enumerate(texts):
            if term not in text:
                shared[row, number] = max((forms[form] for form in text if form in forms), default=0.0)
    return shared


def _likeness(term: str, form: str) -> float:
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(term, form, strict=False))
    return sum(1 for _ in alike) / max(len(term), len(form))
