"""The passage index: LanceDB over the passages of all scopes, dense vectors and BM25 in one table.

An index only: SQL holds the truth and this can be rebuilt from it. Every search is bound to one scope by a prefilter on
an indexed column; there is no unscoped read. One process writes; rows come in batches, and `optimise` folds them
into the indexes and drops old versions, because LanceDB slows down and bloats under many small appends otherwise. Every method
blocks and may be called from any thread.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import Any

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.index import FTS, BTree
from numpy.typing import NDArray

from language import Passage
from memory.errors import IndexMismatch, StoreUnavailable
from memory.index.bm25 import Postings
from memory.index.scope_cache import LOOKED_AT, CachedScope, ScopeCache, spread
from memory.model import EncodedPassage, ScopeId, TurnPk, Vector

__all__ = ["IndexRow", "PassageIndex", "ScopeOnDisk"]

log = logging.getLogger(__name__)

_TABLE = "passage"
_KEEP_VERSIONS = timedelta(minutes=5)  # a slow reader may still stand on an old version
_COLUMNS = ["turn", "start", "end", "vector", "turn_vector"]
_KEYS_PER_FILTER = 1_000
_SOURCE_PLACES = re.compile(
    r"(?:, \S+\.rs:\d+:\d+)+$"
)  # where in LanceDB's own code an error arose; of no use in a log

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRow:
    """A passage on its way into the index, with its terms (white space between) and the fingerprint that copies share."""

    scope: ScopeId
    encoded: EncodedPassage
    terms: str
    fingerprint: str


class PassageIndex:
    """The table of passages in `folder`, made for vectors of `model`; `cache_bytes` of the scopes asked about are kept in memory.

    Raises:
        IndexMismatch: it holds vectors of another model.
        StoreUnavailable: the folder cannot be read or written.
    """

    def __init__(self, folder: Path, *, model: str, dimension: int, cache_bytes: int = 0) -> None:
        self._model = model
        self._dimension = dimension
        with _index_faults():
            self._table = _open_table(folder, model, dimension)
            self._searchable = "terms" in self._indexed_columns()
            if not self._searchable and self._table.count_rows():  # a crash came between the first rows and the indexes
                self._build_indexes()
        self._cache = ScopeCache(cache_bytes)
        self._changing = Lock()
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="tirtha-scope-loader")
        self._loading: dict[ScopeId, Future[None]] = {}
        self._closed = False

    def add(self, rows: Sequence[IndexRow]) -> None:
        """Append passages, all or none. Raises StoreUnavailable."""
        if not rows:
            return
        with self._changing:
            with _index_faults():
                self._table.add(_batch(rows, self._model, self._dimension))
                if not self._searchable:
                    self._build_indexes()
            for scope in {row.scope for row in rows}:
                own = [row for row in rows if row.scope == scope]
                self._cache.append(scope, [row.encoded for row in own], [row.terms.split() for row in own])

    def remove_turns(self, scope: ScopeId, turns: Sequence[TurnPk]) -> None:
        """Delete every passage of these turns of `scope`; unknown turns are no error. Raises StoreUnavailable."""
        if not turns:
            return
        with self._changing:
            self._cache.drop(scope)
            with _index_faults():
                for start in range(0, len(turns), _KEYS_PER_FILTER):
                    chunk = turns[start : start + _KEYS_PER_FILTER]
                    self._table.delete(f"scope = {int(scope)} AND {_in('turn', chunk)}")

    def scope(self, scope: ScopeId) -> "CachedScope | ScopeOnDisk":
        """Return one scope to search: as it is held in memory, or else on disk."""
        return self._cache.get(scope) or ScopeOnDisk(self, scope)

    def nearest(self, scope: ScopeId, vector: Vectors, limit: int) -> list[EncodedPassage]:
        """Find on disk the passages of `scope` that are nearest to `vector`, exactly, best first, as `spread` chooses `limit`.

        The scope begins to come into memory; the question at hand does not wait for it.
        """
        self._load_soon(scope)
        with _index_faults():
            search = self._table.search(vector, vector_column_name="vector", query_type="vector").distance_type("dot")
            query = search.where(f"scope = {int(scope)}", prefilter=True).select([*_COLUMNS, "_distance"])
            return _hits(_spread(query.limit(limit * LOOKED_AT).to_arrow(), limit))

    def lexical(self, scope: ScopeId, terms: Sequence[str], limit: int) -> list[EncodedPassage]:
        """Find on disk the passages of `scope` with the best BM25 for `terms`, best first, as `spread` chooses `limit`."""
        if not terms or not self._searchable:
            return []
        with _index_faults():
            search = self._table.search(" ".join(terms), query_type="fts", fts_columns="terms")
            query = search.where(f"scope = {int(scope)}", prefilter=True).select([*_COLUMNS, "_score"])
            return _hits(_spread(query.limit(limit * LOOKED_AT).to_arrow(), limit))

    def passages(self, scope: ScopeId, turns: Sequence[TurnPk]) -> list[EncodedPassage]:
        """Read from disk all indexed passages of these turns of `scope`."""
        return _hits(self._select(scope, _COLUMNS, _in("turn", turns))) if turns else []

    def warm(self, scope: ScopeId) -> None:
        """Bring a scope into memory if there is room for it, before it is asked about."""
        self._load_soon(scope)
        loading = self._loading.get(scope)
        if loading is not None:
            wait([loading])

    def first_turns(self, scope: ScopeId, fingerprints: Sequence[str]) -> dict[str, TurnPk]:
        """Return, for each of these fingerprints (hexadecimal) that `scope` knows, the oldest turn with such a passage."""
        if not fingerprints or not self._searchable:
            return {}
        listed = ", ".join(f"'{fingerprint}'" for fingerprint in fingerprints)
        found = self._select(scope, ["fingerprint", "turn"], f"fingerprint IN ({listed})")
        first: dict[str, TurnPk] = {}
        for mark, turn in zip(found.column("fingerprint").to_pylist(), found.column("turn").to_pylist(), strict=True):
            first[mark] = min(TurnPk(turn), first.get(mark, TurnPk(turn)))
        return first

    def optimise(self) -> None:
        """Merge small files, fold new rows into the indexes and drop old versions. Raises StoreUnavailable."""
        with self._changing, _index_faults():  # beside a deletion it would fail, and be tried again
            try:
                self._table.optimize(cleanup_older_than=_KEEP_VERSIONS)
            except RuntimeError:
                # Another writer came first: without a look at what it did, the next try would fail alike.
                self._table.checkout_latest()
                raise

    def count(self) -> int:
        """Count the passages of all scopes."""
        with _index_faults():
            return int(self._table.count_rows())

    @classmethod
    def discard(cls, folder: Path) -> None:
        """Drop whatever index lies in `folder`, of any model; the next one opened there is new."""
        with _index_faults():
            connection = lancedb.connect(folder)
            if _TABLE in connection.list_tables().tables:
                connection.drop_table(_TABLE)

    def close(self) -> None:
        """Wait for a scope that is being loaded, and load no other."""
        self._closed = True
        self._loader.shutdown(cancel_futures=True)

    def _select(self, scope: ScopeId, columns: Sequence[str], condition: str) -> pa.Table:
        with _index_faults():
            query = self._table.search().where(f"{condition} AND scope = {int(scope)}")
            return query.select(list(columns)).limit(None).to_arrow()

    def _load_soon(self, scope: ScopeId) -> None:
        if not self._closed and scope not in self._loading and self._cache.get(scope) is None:
            self._loading[scope] = loading = self._loader.submit(self._load, scope)
            loading.add_done_callback(lambda done: self._loaded(scope, done))

    def _loaded(self, scope: ScopeId, done: Future[None]) -> None:
        self._loading.pop(scope, None)
        fault = None if done.cancelled() else done.exception()
        if fault:
            log.warning(
                "scope %d stays on disk: %s",
                scope,
                fault,
                exc_info=None if isinstance(fault, StoreUnavailable) else fault,
            )

    def _load(self, scope: ScopeId) -> None:
        bytes_each = 2 * self._dimension * np.float16().nbytes + 3 * np.int64().nbytes
        with self._changing:  # what is added meanwhile would be missing
            if self._cache.get(scope) is not None:
                return
            with _index_faults():
                size = self._table.count_rows(f"scope = {int(scope)}") * bytes_each
            if not size or not self._cache.room_for(scope, size):
                return
            found = self._select(scope, [*_COLUMNS, "terms"], "true")
            keys = [found.column(name).to_numpy().astype(np.int64) for name in ("turn", "start", "end")]
            vectors, turn_vectors = (_matrix(found, name).copy() for name in ("vector", "turn_vector"))
            postings = Postings(found.column("terms"))
            self._cache.put(scope, CachedScope(np.stack(keys, axis=1), vectors, turn_vectors, postings))

    def _indexed_columns(self) -> set[str]:
        return {column for index in self._table.list_indices() for column in index.columns}

    def _build_indexes(self) -> None:
        there = self._indexed_columns()
        for column in {"scope", "turn", "fingerprint"} - there:
            self._table.create_index(column, config=BTree())
        terms = FTS(
            base_tokenizer="whitespace", max_token_length=None, lower_case=False, stem=False, remove_stop_words=False,
            ascii_folding=False,
        )  # fmt: skip
        self._table.create_index("terms", config=terms)
        self._searchable = True


class ScopeOnDisk:
    """One scope of the index on disk, searched as `CachedScope` is."""

    def __init__(self, index: PassageIndex, scope: ScopeId) -> None:
        self._index = index
        self._scope = scope

    def nearest(self, vector: Vectors, limit: int) -> list[EncodedPassage]:
        """Find passages as `PassageIndex.nearest` does."""
        return self._index.nearest(self._scope, vector, limit)

    def lexical(self, terms: Sequence[str], limit: int) -> list[EncodedPassage]:
        """Find passages as `PassageIndex.lexical` does."""
        return self._index.lexical(self._scope, terms, limit)

    def of_turns(self, turns: Sequence[TurnPk]) -> list[EncodedPassage]:
        """Read all indexed passages of these turns."""
        return self._index.passages(self._scope, turns)


def _open_table(folder: Path, model: str, dimension: int) -> Any:
    connection = lancedb.connect(folder)
    if _TABLE not in connection.list_tables().tables:
        return connection.create_table(_TABLE, schema=_schema(model, dimension))
    table = connection.open_table(_TABLE)
    _check_model(table.schema, model, dimension)
    if table.schema.field("vector").type != _halves(dimension):  # an older index
        table.alter_columns({"path": "vector", "data_type": _halves(dimension)})
    return table


@contextmanager
def _index_faults() -> Iterator[None]:
    """Map the errors of LanceDB and Arrow to ours; their first line says what is wrong, a full disk may be named below it."""
    try:
        yield
    except (RuntimeError, OSError, pa.ArrowInvalid) as fault:
        reason = _SOURCE_PLACES.sub("", (str(fault) or type(fault).__name__).partition("\n")[0])
        if "no space left" in str(fault).lower():
            reason = f"no space left ({reason})"
        raise StoreUnavailable(f"the passage index: {reason}") from fault


def _schema(model: str, dimension: int) -> pa.Schema:
    return pa.schema(
        [
            pa.field("scope", pa.int64(), nullable=False),
            pa.field("turn", pa.int64(), nullable=False),
            pa.field("start", pa.int32(), nullable=False),
            pa.field("end", pa.int32(), nullable=False),
            pa.field("fingerprint", pa.string(), nullable=False),
            pa.field("terms", pa.string(), nullable=False),
            pa.field("vector", _halves(dimension), nullable=False),
            pa.field("turn_vector", _halves(dimension), nullable=False),
        ],
        metadata={"tirtha.model": model, "tirtha.dimension": str(dimension)},
    )


def _halves(dimension: int) -> pa.DataType:
    """Return the type of vectors: half precision moves a cosine by less than 0.0005, at half the bytes."""
    return pa.list_(pa.float16(), dimension)


def _check_model(schema: pa.Schema, model: str, dimension: int) -> None:
    metadata = schema.metadata or {}
    stored = metadata.get(b"tirtha.model", b"an unknown model").decode()
    width = metadata.get(b"tirtha.dimension", b"?").decode()
    if (stored, width) != (model, str(dimension)):
        raise IndexMismatch(stored=f"{stored} ({width} dimensions)", configured=f"{model} ({dimension} dimensions)")


def _batch(rows: Sequence[IndexRow], model: str, dimension: int) -> pa.Table:
    return pa.table(
        {
            "scope": pa.array([row.scope for row in rows], pa.int64()),
            "turn": pa.array([row.encoded.turn_pk for row in rows], pa.int64()),
            "start": pa.array([row.encoded.passage.start for row in rows], pa.int32()),
            "end": pa.array([row.encoded.passage.end for row in rows], pa.int32()),
            "fingerprint": pa.array([row.fingerprint for row in rows], pa.string()),
            "terms": pa.array([row.terms for row in rows], pa.string()),
            "vector": _column([row.encoded.vector for row in rows]),
            "turn_vector": _column([row.encoded.turn_vector for row in rows]),
        },
        schema=_schema(model, dimension),
    )


def _column(vectors: Sequence[Vector]) -> pa.FixedSizeListArray:
    halves = np.stack(vectors).astype(np.float16)
    return pa.FixedSizeListArray.from_arrays(pa.array(halves.ravel()), halves.shape[1])


def _spread(found: pa.Table, limit: int) -> pa.Table:
    return found.take(pa.array(spread(found.column("turn").to_pylist(), limit), pa.int64()))


def _hits(found: pa.Table) -> list[EncodedPassage]:
    if not found.num_rows:
        return []
    vectors, turn_vectors = (_matrix(found, name) for name in ("vector", "turn_vector"))
    turns, starts, ends = (found.column(name).to_pylist() for name in ("turn", "start", "end"))
    return [
        EncodedPassage(
            turn_pk=TurnPk(turn),
            passage=Passage(start=start, end=end),
            vector=vectors[row],
            turn_vector=turn_vectors[row],
        )
        for row, (turn, start, end) in enumerate(zip(turns, starts, ends, strict=True))
    ]


def _matrix(found: pa.Table, column: str) -> NDArray[np.float16]:
    values: NDArray[np.float16] = found.column(column).combine_chunks().values.to_numpy(zero_copy_only=False)
    return values.reshape(found.num_rows, -1)


def _in(column: str, keys: Sequence[TurnPk]) -> str:
    return f"{column} IN ({', '.join(str(int(key)) for key in keys)})"
