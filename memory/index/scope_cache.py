"""One scope in memory, as every question searches it, and the scopes that are kept there for the next question.

All passages of the scope are compared, at the speed of memory: half-precision vectors, as the index has them, are half the bytes to
read. Passages stand in the order of their turns, and equal scores are ordered by it. So a search gives the same whether a scope was
read from the files or grew while it was kept.

1. Loading: the first question of a scope has all its rows read (`lance`). Others that ask meanwhile wait for that reading, and what
   is indexed meanwhile is appended at its end (`loading`). Only then is the scope `put` here.
2. Sharing: questions search one and the same scope at once, without a lock. Only one thread appends, behind the last row, and
   raises the count of rows last. An array that is too small is replaced by a longer copy, so a search under way keeps its own.
3. Staying true: what the index adds is appended here too. If it does not come behind the last key, or something was removed, the
   scope is dropped instead, and read again when it is needed.
4. Eviction: whole scopes, the least recently asked one first, until the rest is within the limit of bytes. A scope that is larger
   than the limit is searched by the questions that read it, and not kept.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from copy import copy
from threading import Lock
from typing import TypeVar

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from language import Passage
from memory.encoding.threads import computing_with, usual_threads
from memory.index.bm25 import Postings, TermStatistics
from memory.model import EncodedPassage, ScopeId, TurnPk, Vector

__all__ = ["CachedScope", "ScopeCache", "spread"]

_LOOKED_AT = 6  # hits that a search looks at for each that it may give
_OF_ONE_TURN = 3
_GROWTH = 1.25
_ROUNDING = 0.001  # two products may be off by half of it each where they are computed in half precision
_ROWS_AT_ONCE = 4_096
_MOST_THREADS = 4  # more do not read memory faster

T = TypeVar("T", bound=np.generic)
Halves = NDArray[np.float16]


def spread(turns: Sequence[int], limit: int) -> list[int]:
    """Choose among hits, given by their turns and best first, the places of at most `limit`: at most three of a turn.

    A long turn on the subject would leave no room for the other sessions that speak of it. Where there are none, so that not even
    half of `limit` would be found, further passages of the same turns fill that half.
    """
    taken: Counter[int] = Counter()
    first: list[int] = []
    further: list[int] = []
    for place, turn in enumerate(turns):
        taken[turn] += 1
        (first if taken[turn] <= _OF_ONE_TURN else further).append(place)
        if len(first) == limit:
            break
    return [*first, *further[: max(limit // 2 - len(first), 0)]]


class CachedScope:
    """The passages of one scope: keys `(n, 3)` of turn, start and end; vectors `(n, d)`, and those of their turns; terms.

    The keys ascend.
    """

    def __init__(self, keys: NDArray[np.int64], vectors: Halves, turn_vectors: Halves, postings: Postings) -> None:
        self._count = len(keys)
        self._keys = keys
        self._vectors = vectors
        self._turn_vectors = turn_vectors
        self._postings = postings
        self._hidden: NDArray[np.int64] = np.zeros(0, np.int64)

    @classmethod
    def empty(cls, dimension: int) -> "CachedScope":
        """Return a scope of which nothing is indexed."""
        none = np.zeros((0, dimension), np.float16)
        return cls(np.zeros((0, 3), np.int64), none, none, Postings(pa.chunked_array([[]], type=pa.string())))

    @property
    def bytes(self) -> int:
        """The memory it takes."""
        return self._keys.nbytes + self._vectors.nbytes + self._turn_vectors.nbytes + self._postings.bytes

    def without(self, turns: Sequence[TurnPk]) -> "CachedScope":
        """Return this scope as it is now, searched as if these turns were not here. Copies nothing."""
        hidden = np.array(self._rows_of(turns), np.int64)
        if not len(hidden):
            return self
        postings = self._postings.without(hidden)  # first: the copy of the scope has all rows that it knows
        shown = copy(self)
        shown._postings, shown._hidden = postings, hidden
        return shown

    def nearest(self, vector: Vector, limit: int) -> list[EncodedPassage]:
        """Find the passages with the greatest dot product with `vector`, best first; `spread` chooses `limit` of them.

        All are compared in half precision, and what may be among the best by that is compared again in single precision. So the
        order is exact, and does not depend on how a library shares out the work.
        """
        count = self._count  # first: an append may put longer arrays in place meanwhile
        vectors = self._vectors[:count]
        with computing_with(min(usual_threads(), _MOST_THREADS)):
            rough = torch.mv(torch.from_numpy(vectors), torch.from_numpy(vector.astype(np.float16))).float()
        sums: NDArray[np.float32] = rough.numpy()
        sums[self._hidden] = -np.inf  # and so in `rough`, whose memory it is
        shown = len(sums) - len(self._hidden)

        def best(count: int) -> NDArray[np.int64]:
            count = min(count, shown)
            if not count:
                return np.zeros(0, np.int64)
            least = float(torch.topk(rough, count, sorted=False).values.min())
            rows = np.flatnonzero(sums >= least - _ROUNDING)
            exact = _products(vectors, rows, vector)
            return rows[np.argsort(-exact, kind="stable")[:count]]

        return self._spread(best, limit)

    def lexical(self, terms: Sequence[str], limit: int) -> list[EncodedPassage]:
        """Find the passages with the best BM25 for `terms`, best first; `spread` chooses `limit` of them."""
        return self._spread(lambda count: np.array(self._postings.best(terms, count), dtype=np.int64), limit)

    def statistics(self, terms: Sequence[str], beside: Sequence[Sequence[str]] = ()) -> TermStatistics:
        """Return how rare each term is among these passages and the texts `beside` them, by which `lexical` and BM25 order."""
        return self._postings.statistics(terms, beside)

    def of_turns(self, turns: Sequence[TurnPk]) -> list[EncodedPassage]:
        """Return all passages of these turns, hidden ones too, in the order of their keys."""
        return self._passages(self._rows_of(turns))

    def holds(self, turn: TurnPk) -> bool:
        """Return whether a passage of this turn is here."""
        return bool(self._rows_of([turn]))

    def precedes(self, passages: Sequence[EncodedPassage]) -> bool:
        """Return whether these passages, in their order, may be appended: their keys ascend behind those that are here."""
        keys = [(one.turn_pk, one.passage.start) for one in passages]
        if self._count:
            turn, start, _ = self._keys[self._count - 1].tolist()
            keys.insert(0, (turn, start))
        return keys == sorted(keys)

    def append(self, passages: Sequence[EncodedPassage], terms: Sequence[Sequence[str]]) -> None:
        """Add passages that this scope `precedes`, and the terms of each; room grows by a quarter at a time: few appends copy."""
        count = self._count + len(passages)
        if count > len(self._keys):
            room = int(count * _GROWTH)
            self._keys = _grown(self._keys, room)
            self._vectors = _grown(self._vectors, room)
            self._turn_vectors = _grown(self._turn_vectors, room)
        rows = slice(self._count, count)
        self._keys[rows] = [(one.turn_pk, one.passage.start, one.passage.end) for one in passages]
        self._vectors[rows] = [one.vector for one in passages]
        self._turn_vectors[rows] = [one.turn_vector for one in passages]
        self._postings.append(terms)
        self._count = count  # last: a search in another thread looks no further

    def _rows_of(self, turns: Sequence[TurnPk]) -> list[int]:
        held = self._keys[: self._count, 0]
        wanted = np.unique(np.array(turns, dtype=np.int64))
        spans = zip(np.searchsorted(held, wanted), np.searchsorted(held, wanted, side="right"), strict=True)
        return [row for first, end in spans for row in range(first, end)]

    def _spread(self, best: Callable[[int], NDArray[np.int64]], limit: int) -> list[EncodedPassage]:
        rows = best(limit * _LOOKED_AT)
        turns = self._keys[rows, 0]
        if len(rows) == limit * _LOOKED_AT and len(np.unique(turns)) * _OF_ONE_TURN < limit:
            rows = best(self._count)  # a very long turn holds all that was looked at
            turns = self._keys[rows, 0]
        return self._passages(rows[spread(turns.tolist(), limit)])

    def _passages(self, rows: Sequence[int] | NDArray[np.int64]) -> list[EncodedPassage]:
        keys = self._keys[rows].tolist()
        vectors, turn_vectors = self._vectors[rows], self._turn_vectors[rows]
        return [
            EncodedPassage(
                turn_pk=TurnPk(turn), passage=Passage(start=start, end=end), vector=vector, turn_vector=turn_vector
            )
            for (turn, start, end), vector, turn_vector in zip(keys, vectors, turn_vectors, strict=True)
        ]


class ScopeCache:
    """Scopes in memory, of `limit_bytes` together at most."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._scopes: OrderedDict[ScopeId, CachedScope] = OrderedDict()
        self._order = Lock()

    def get(self, scope: ScopeId) -> CachedScope | None:
        """Return a scope if it is here, and note that it was asked about."""
        with self._order:
            found = self._scopes.get(scope)
            if found is not None:
                self._scopes.move_to_end(scope)
        return found

    def put(self, scope: ScopeId, cached: CachedScope) -> None:
        """Keep a scope; those asked about least recently make room. One that is larger than the limit is not kept."""
        with self._order:
            self._scopes.pop(scope, None)
            if cached.bytes > self._limit:
                return
            self._scopes[scope] = cached
            while sum(one.bytes for one in self._scopes.values()) > self._limit:
                self._scopes.popitem(last=False)

    def append(self, scope: ScopeId, passages: Sequence[EncodedPassage], terms: Sequence[Sequence[str]]) -> None:
        """Add new passages to a scope, if it is here; if they do not come behind its own, it goes, and is read anew when needed."""
        kept = self._scopes.get(scope)
        if kept is None or kept.holds(passages[0].turn_pk):  # it was read after they had come
            return
        if kept.precedes(passages):
            kept.append(passages, terms)
            self.put(scope, kept)
        else:
            self.drop(scope)

    def size(self) -> tuple[int, int]:
        """Return how many scopes are here, and the bytes that they take together."""
        with self._order:
            return len(self._scopes), sum(one.bytes for one in self._scopes.values())

    def drop(self, scope: ScopeId) -> None:
        """Drop one scope, if it is here."""
        with self._order:
            self._scopes.pop(scope, None)


def _products(vectors: Halves, rows: NDArray[np.int64], vector: Vector) -> NDArray[np.float32]:
    """Return the dot product of each of these rows with `vector` in single precision; a row's is the same among whatever others."""
    parts = [rows[first : first + _ROWS_AT_ONCE] for first in range(0, len(rows), _ROWS_AT_ONCE)]
    products = [np.einsum("ij,j->i", vectors[part].astype(np.float32), vector) for part in parts]
    return np.concatenate(products)


def _grown(array: NDArray[T], room: int) -> NDArray[T]:
    larger = np.empty((room, *array.shape[1:]), dtype=array.dtype)
    larger[: len(array)] = array
    return larger
