"""BM25 (Robertson & Zaragoza 2009): a searchable index of one scope's passages in memory, and scores of texts at hand.

`Postings` keeps for each term the rows that hold it, numbered as they are added. The inverse document frequency is Lucene's,
which is never negative. Terms are counted within the scope: what others remember does not change an order. The functions below
compare a question with given texts, without an index.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

__all__ = ["Postings", "TermStatistics", "bm25_of", "coverage_of", "frequencies", "rarity_of"]

Scores = NDArray[np.float64]
Rows = NDArray[np.int64]
F = TypeVar("F", np.float32, np.float64)

K1 = 1.2
_B = 0.75
_COUNT_BITS = 8  # a posting is its row and, below it, how often the row holds the term, to 255
_COUNT_MASK = (1 << _COUNT_BITS) - 1
_BYTES_EACH_TERM = 300  # of the term, its array's header and their place in the dictionary

_NOWHERE: Rows = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class TermStatistics:
    """What BM25 knows of all passages: how rare each of a question's terms is, `(terms,)`, and how many terms a passage has."""

    rarity: Scores
    mean_length: float


class Postings:
    """The terms of passages; appended to in one thread, searched in any. An array once here is replaced, never changed."""

    def __init__(self, terms: pa.ChunkedArray) -> None:
        """Count terms: a string a row, white space between its terms."""
        self._lengths: NDArray[np.float32] = np.zeros(0, np.float32)
        self._rows: dict[str, Rows] = {}
        self._count = 0
        self._tokens = 0
        self._hidden: Rows = _NOWHERE
        if len(terms):
            self._read(terms)

    @property
    def bytes(self) -> int:
        """The memory it takes, about."""
        return self._lengths.nbytes + self._tokens * np.int64().nbytes + len(self._rows) * _BYTES_EACH_TERM

    def without(self, rows: Rows) -> "Postings":
        """Return these terms as they are now, as if some rows, which ascend, were not among them. Copies nothing."""
        shown = copy(self)
        shown._hidden = rows
        return shown

    def best(self, terms: Iterable[str], limit: int) -> list[int]:
        """Find the `limit` rows with the greatest BM25 for these terms, best first, equals in their order; none without a term."""
        return _best_rows(self._scores(terms), limit)

    def statistics(self, terms: Sequence[str], beside: Sequence[Sequence[str]] = ()) -> TermStatistics:
        """Return how rare each term is among the rows and the texts `beside` them, given by their terms; and their mean length.

        The rarity is Lucene's inverse document frequency, ln(1 + (N - n + 0.5) / (n + 0.5)).
        """
        count, shown, tokens = self._count, self._shown(self._count), self._shown_tokens()
        held = np.array([len(self._up_to(count, term)) for term in terms], np.float64)
        held += (frequencies(terms, beside) > 0).sum(axis=0)
        shown, tokens = shown + len(beside), tokens + sum(map(len, beside))
        return TermStatistics(rarity=rarity_of(shown, held), mean_length=_mean_length(tokens, shown))

    def _scores(self, terms: Iterable[str]) -> NDArray[np.float32]:
        """Return the BM25 of every row for these terms, `(rows,) float32`; 0 for a row that holds none of them.

        1. The number of rows is read first. An append in another thread puts longer arrays in place meanwhile, and they are
           looked at up to this number only.
        2. How many rows there are, how many hold a term, and their mean length are those of the rows that are not hidden.
        3. A term is added to the rows that hold it, and to no others. So it costs as much as it has postings, not as the scope
           has rows. A posting is taken apart: the row is above the low 8 bits, the count of the term in that row is in them.
        """
        count, lengths = self._count, self._lengths
        shown = self._shown(count)
        mean_length = _mean_length(self._shown_tokens(), shown)
        scores = np.zeros(count, np.float32)
        for term in dict.fromkeys(terms):
            postings = self._up_to(count, term)
            if len(postings):
                rows, times = postings >> _COUNT_BITS, (postings & _COUNT_MASK).astype(np.float32)
                rarity = np.float32(rarity_of(shown, np.float64(len(rows))))
                scores[rows] += rarity * times * (K1 + 1) / (times + length_norms(lengths[rows], mean_length))
        return scores

    def _up_to(self, count: int, term: str) -> Rows:
        """Return the postings of a term in the first `count` rows, an append may be under way, but for the hidden ones."""
        postings = self._rows.get(term, _NOWHERE)
        postings = postings[: np.searchsorted(postings, count << _COUNT_BITS)]
        if not len(self._hidden) or not len(postings):
            return postings
        return postings[~np.isin(postings >> _COUNT_BITS, self._hidden, assume_unique=True)]

    def _shown(self, count: int) -> int:
        return count - len(self._hidden)

    def _shown_tokens(self) -> int:
        return self._tokens - int(self._lengths[self._hidden].sum())

    def append(self, texts: Sequence[Sequence[str]]) -> None:
        """Add rows, the terms of each."""
        found: defaultdict[str, list[int]] = defaultdict(list)
        for row, terms in enumerate(texts, self._count):
            for term, times in Counter(terms).items():
                found[term].append(row << _COUNT_BITS | min(times, _COUNT_MASK))
        for term, postings in found.items():
            known = self._rows.get(term)
            added = np.array(postings, np.int64)
            self._rows[term] = added if known is None else np.concatenate([known, added])
        self._lengths = np.concatenate([self._lengths, np.array([len(terms) for terms in texts], np.float32)])
        self._tokens += sum(map(len, texts))
        self._count += len(texts)  # last: a search in another thread looks no further

    def _read(self, terms: pa.ChunkedArray) -> None:
        """Count all rows at once, without a Python loop over them.

        1. Arrow splits the rows at white space into one long list of terms; `rows` says of each term which row it is from.
        2. Every distinct term gets a number, its code. Term and row together become one number, code * n + row.
        3. Sorting these numbers and counting equal ones gives every posting at once: by term, and within a term by row, which is
           the order that a search needs.
        4. The postings are cut apart where the next code begins.
        """
        split = pc.utf8_split_whitespace(terms.combine_chunks())
        rows = pc.list_parent_indices(split).to_numpy()
        coded = pc.list_flatten(split).dictionary_encode()
        codes = coded.indices.to_numpy().astype(np.int64)
        held, times = np.unique(codes * len(terms) + rows, return_counts=True)
        postings = held % len(terms) << _COUNT_BITS | np.minimum(times, _COUNT_MASK)
        ends = np.searchsorted(held, np.arange(1, len(coded.dictionary)) * len(terms))
        self._rows = dict(zip(coded.dictionary.to_pylist(), np.split(postings, ends), strict=True))
        self._lengths = np.bincount(rows, minlength=len(terms)).astype(np.float32)
        without_terms = self._rows.pop("", _NOWHERE) >> _COUNT_BITS  # such a row is split into one empty term
        self._lengths[without_terms] = 0
        self._tokens = int(self._lengths.sum())
        self._count = len(terms)


def rarity_of(count: int, holders: NDArray[np.float64] | np.float64) -> Scores:
    """Return Lucene's inverse document frequency, shaped as `holders`, of terms that so many of `count` texts hold."""
    rarity: Scores = np.log1p((count - holders + 0.5) / (holders + 0.5))
    return rarity


def _mean_length(tokens: int, count: int) -> float:
    return max(tokens, 1) / max(count, 1)


def _best_rows(scores: NDArray[np.float32], limit: int) -> list[int]:
    hits = np.flatnonzero(scores)
    if len(hits) > limit:
        least = np.partition(scores[hits], len(hits) - limit)[len(hits) - limit]
        hits = hits[scores[hits] >= least]
    best: list[int] = hits[np.argsort(-scores[hits], kind="stable")][:limit].tolist()
    return best


def frequencies(terms: Sequence[str], texts: Sequence[Sequence[str]]) -> Scores:
    """Count each of the terms in each text: `(len(texts), len(terms))`."""
    none, sought = [0] * len(terms), frozenset(terms)
    counts = [none if sought.isdisjoint(text) else [text.count(term) for term in terms] for text in texts]
    return np.array(counts, dtype=np.float64).reshape(len(texts), len(terms))


def bm25_of(frequency: Scores, lengths: Sequence[int], statistics: TermStatistics) -> Scores:
    """Return the BM25 of texts, `(len(texts),)`, from how often each holds a term, `(len(texts), len(terms))`, and from lengths."""
    norms = length_norms(np.array(lengths, dtype=np.float64), statistics.mean_length)
    scores: Scores = (frequency * (K1 + 1) / (frequency + norms[:, None])) @ statistics.rarity
    return scores


def length_norms(lengths: NDArray[F], mean: float) -> NDArray[F]:
    """Return BM25's length normalisation, k1 * (1 - b + b * length / mean)."""
    return K1 * (1 - _B + _B * lengths / mean)


def coverage_of(frequency: Scores, rarity: Scores) -> Scores:
    """Return for each text the share of the terms, by rarity, that it holds: `(len(texts),)`, 0 to 1."""
    coverage: Scores = (frequency > 0) @ rarity / max(float(rarity.sum()), 1e-9)
    return coverage
