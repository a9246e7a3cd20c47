"""Make `memory/models/term_vectors.npz`: what the words of English mean, as recall's embedding model sees them.

    python -m eval.training.term_vectors

Every whole word of the bundled model's vocabulary is encoded alone; words of one stem are averaged, the mean of all is taken
off, and principal components keep the first 128 dimensions as bytes ("static embeddings distilled from a sentence
transformer", as in Model2Vec, Tulkens & van Dongen 2024). No other data are used, and the result is the same on every run.
"""

import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from language.words import content_terms
from memory.encoding.encoder import Encoder
from memory.recall.related_terms import MODEL_FILE

__all__ = ["main"]

DIMENSIONS = 128
_LARGEST_BYTE = 127
_WORD = re.compile(r"[a-z]{2,}")

Matrix = NDArray[np.float32]


def main() -> None:
    """Encode the vocabulary and write the table."""
    encoder = Encoder()
    words = sorted(filter(_WORD.fullmatch, encoder.vocabulary()))
    terms, vectors = _by_stem(words, encoder.encode_texts(words))
    codes, scale = _as_bytes(_reduced(vectors))
    MODEL_FILE.parent.mkdir(exist_ok=True)
    np.savez_compressed(
        MODEL_FILE, terms=np.frombuffer("\n".join(terms).encode(), dtype=np.uint8), codes=codes, scale=scale
    )
    Console().print(f"{len(words):,} words, {len(terms):,} stems: {MODEL_FILE.stat().st_size:,} bytes")


def _by_stem(words: Sequence[str], vectors: Matrix) -> tuple[list[str], Matrix]:
    of_stem: dict[str, list[Matrix]] = defaultdict(list)
    for word, vector in zip(words, vectors, strict=True):
        for term in content_terms(word):
            of_stem[term].append(vector)
    terms = sorted(of_stem)
    return terms, np.stack([np.mean(of_stem[term], axis=0) for term in terms])


def _reduced(vectors: Matrix) -> Matrix:
    centred = vectors - vectors.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    principal = axes[:, ::-1][:, :DIMENSIONS]
    kept = centred @ (principal * np.sign(principal.sum(axis=0)))  # an axis has no sign of its own
    unit: Matrix = kept / np.linalg.norm(kept, axis=1, keepdims=True)
    return unit


def _as_bytes(vectors: Matrix) -> tuple[NDArray[np.int8], Matrix]:
    scale = (np.abs(vectors).max(axis=0) / _LARGEST_BYTE).astype(np.float32)
    return np.round(vectors / scale).astype(np.int8), scale


if __name__ == "__main__":
    main()
