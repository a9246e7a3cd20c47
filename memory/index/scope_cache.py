"""The scopes that are asked about, kept in memory, so that a question costs one matrix product and a few postings.

LanceDB reads a scope's rows from its files for every query; at 100,000 passages that is most of a query's time. Kept here
all of them are compared, at the speed of memory: half-precision vectors, as the index has them, are half the bytes to read.
A cache only: whole scopes, the least recently asked one goes first, what it holds is what the index holds. Changed by one thread
at a time (the index sees to that); looked up and searched in any.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TypeVar

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from language import Passage
from memory.index.bm25 import Postings
from memory.model import EncodedPassage, ScopeId, TurnPk, Vector

__all__ = ["LOOKED_AT", "CachedScope", "ScopeCache", "spread"]

LOOKED_AT = 6  # hits that a search looks at for each that it may give
_OF_ONE_TURN = 3
_GROWTH = 1.25
_THREADS = min(torch.get_num_threads(), 4)  # more do not read memory faster

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
    """The passages of one scope: keys `(n, 3)` of turn, start and end; vectors `(n, d)`, and those of their turns; terms."""

    def __init__(self, keys: NDArray[np.int64], vectors: Halves, turn_vectors: Halves, postings: Postings) -> None:
        self._count = len(keys)
        self._keys = keys
        self._in_order = bool((np.diff(keys[:, 0]) >= 0).all())
        self._vectors = vectors
        self._turn_vectors = turn_vectors
        self._postings = postings

    @classmethod
    def empty(cls, dimension: int) -> "CachedScope":
        """Return a scope of which nothing is indexed."""
        none = np.zeros((0, dimension), np.float16)
        return cls(np.zeros((0, 3), np.int64), none, none, Postings(pa.chunked_array([[]], type=pa.string())))

    @property
    def bytes(self) -> int:
        """The memory it takes."""
        return self._keys.nbytes + self._vectors.nbytes + self._turn_vectors.nbytes + self._postings.bytes

    def nearest(self, vector: Vector, limit: int) -> list[EncodedPassage]:
        """Find the passages with the greatest dot product with `vector`, best first; `spread` chooses `limit` of them.

        All are compared. Products are rounded to half precision, so that an order is exact to 0.0005.
        """
        torch.set_num_threads(_THREADS)
        count = self._count  # first: an append may put longer arrays in place meanwhile
        halves = torch.from_numpy(self._vectors[:count])
        scores = torch.mv(halves, torch.from_numpy(vector.astype(np.float16))).float()

        def best(count: int) -> NDArray[np.int64]:
            return torch.topk(scores, min(count, len(scores))).indices.numpy()

        return self._spread(best, limit)

    def lexical(self, terms: Sequence[str], limit: int) -> list[EncodedPassage]:
        """Find the passages with the best BM25 for `terms`, best first; `spread` chooses `limit` of them."""
        return self._spread(lambda count: np.array(self._postings.best(terms, count), dtype=np.int64), limit)

    def of_turns(self, turns: Sequence[TurnPk]) -> list[EncodedPassage]:
        """Return all passages of these turns."""
        count = self._count
        held = self._keys[:count, 0]
        wanted = np.unique(np.array(turns, dtype=np.int64))
        if not self._in_order:  # turns are indexed in the order of their keys, unless one had to wait for another try
            return self._passages(np.flatnonzero(np.isin(held, wanted)).tolist())
        spans = zip(np.searchsorted(held, wanted), np.searchsorted(held, wanted, side="right"), strict=True)
        return self._passages([row for first, end in spans for row in range(first, end)])

    def append(self, passages: Sequence[EncodedPassage], terms: Sequence[Sequence[str]]) -> None:
        """Add passages and the terms of each; room grows by a quarter at a time, so that few appends copy."""
        count = self._count + len(passages)
        if count > len(self._keys):
            room = int(count * _GROWTH)
            self._keys = _grown(self._keys, room)
            self._vectors = _grown(self._vectors, room)
            self._turn_vectors = _grown(self._turn_vectors, room)
        rows = slice(self._count, count)
        before = max(self._count - 1, 0)
        self._keys[rows] = [(one.turn_pk, one.passage.start, one.passage.end) for one in passages]
        self._vectors[rows] = [one.vector for one in passages]
        self._turn_vectors[rows] = [one.turn_vector for one in passages]
        self._in_order = self._in_order and bool((np.diff(self._keys[before:count, 0]) >= 0).all())
        self._postings.append(terms)
        self._count = count  # last: a search in another thread looks no further

    def _spread(self, best: Callable[[int], NDArray[np.int64]], limit: int) -> list[EncodedPassage]:
        rows = best(limit * LOOKED_AT)
        turns = self._keys[rows, 0]
        if len(rows) == limit * LOOKED_AT and len(np.unique(turns)) * _OF_ONE_TURN < limit:
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
        self._too_large: set[ScopeId] = set()

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
                self._too_large.add(scope)
                return
            self._scopes[scope] = cached
            while sum(one.bytes for one in self._scopes.values()) > self._limit:
                self._scopes.popitem(last=False)

    def room_for(self, scope: ScopeId, size: int) -> bool:
        """Return whether a scope of at least `size` bytes may be kept: one that turned out too large is not tried again."""
        return scope not in self._too_large and size <= self._limit

    def append(self, scope: ScopeId, passages: Sequence[EncodedPassage], terms: Sequence[Sequence[str]]) -> None:
        """Add new passages to a scope, if it is here."""
        if scope in self._scopes:
            self._scopes[scope].append(passages, terms)
            self.put(scope, self._scopes[scope])

    def drop(self, scope: ScopeId) -> None:
        """Drop one scope, if it is here."""
        with self._order:
            self._scopes.pop(scope, None)
        self._too_large.discard(scope)


def _grown(array: NDArray[T], room: int) -> NDArray[T]:
    larger = np.empty((room, *array.shape[1:]), dtype=array.dtype)
    larger[: len(array)] = array
    return larger
