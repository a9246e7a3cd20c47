"""The passage index: LanceDB over the passages of all scopes, dense vectors and BM25 in one table.

An index only: SQL holds the truth and this can be rebuilt from it. Every search is bound to one scope by a prefilter on
an indexed column; there is no unscoped read. One process writes; rows come in batches, and `optimise` folds them
into the indexes and drops old versions, because LanceDB slows down and bloats under many small appends otherwise. A row that is
deleted stays in its file, and its terms in the index of terms, until `purge` writes them anew. Every method blocks and may be
called from any thread.

An index that turns out damaged says so from then on (`damage`) and is empty for whoever searches it, until it is begun anew.
"""

import logging
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.index import FTS, BTree
from numpy.typing import NDArray

from memory.errors import IndexDamaged, StoreUnavailable
from memory.index.bm25 import Postings
from memory.index.faults import damaged_rows, discard, index_fault, is_of_lance
from memory.index.rows import (
    IndexRow,
    check_schema,
    halves,
    spread_rows,
    table_schema,
    to_matrix,
    to_passages,
    to_table,
)
from memory.index.scope_cache import LOOKED_AT, CachedScope, ScopeCache
from memory.model import EncodedPassage, ScopeId, TurnPk

__all__ = ["PassageIndex", "ScopeOnDisk"]

log = logging.getLogger(__name__)

_TABLE = "passage"
_KEEP_VERSIONS = timedelta(minutes=5)  # a slow reader may still stand on an old version
_COLUMNS = ["turn", "start", "end", "vector", "turn_vector"]
_KEYS_PER_FILTER = 1_000
_SOURCE_PLACES = re.compile(
    r"(?:, \S+\.rs:\d+:\d+)+$"
)  # where in LanceDB's own code an error arose; of no use in a log

T = TypeVar("T")
Vectors = NDArray[np.float32]


class PassageIndex:
    """The table of passages in `folder`, made for vectors of `model`; `cache_bytes` of the scopes asked about are kept in memory.

    `damage` says what is wrong with it, if anything is; `generation` rises when it is found damaged and when it is begun anew.

    Raises:
        IndexMismatch: it holds vectors of another model.
        IndexDamaged: it cannot be opened as what it should be.
        StoreUnavailable: the folder cannot be read or written.
    """

    def __init__(self, folder: Path, *, model: str, dimension: int, cache_bytes: int = 0) -> None:
        self._folder = folder
        self._model = model
        self._dimension = dimension
        self._cache_bytes = cache_bytes
        self.damage: str | None = None
        self.generation = 0
        self._open()
        self._cache = ScopeCache(cache_bytes)
        self._changing = RLock()
        self._purges = 0
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="tirtha-scope-loader")
        self._loading: dict[ScopeId, Future[None]] = {}
        self._closed = False

    def begin_anew(self) -> None:
        """Throw everything away, damaged or not, and begin with an empty index. Raises StoreUnavailable."""
        with self._changing:
            discard(self._folder)
            self._open()
            self._cache = ScopeCache(self._cache_bytes)
            self.damage = None
            self.generation += 1

    def add(self, rows: Sequence[IndexRow]) -> None:
        """Append passages, all or none. Raises StoreUnavailable."""
        if not rows:
            return
        with self._changing:
            with self._faults():
                self._table.add(to_table(rows, self._model, self._dimension))
                if not self._searchable:
                    self._build_indexes()
            for scope in {row.scope for row in rows}:
                own = [row for row in rows if row.scope == scope]
                self._cache.append(scope, [row.encoded for row in own], [row.terms.split() for row in own])

    def remove_turns(self, scope: ScopeId, turns: Sequence[TurnPk]) -> None:
        """Delete every passage of these turns of `scope`; unknown turns are no error. Raises StoreUnavailable."""
        if not turns or self.damage:  # a damaged index is thrown away whole
            return
        with self._changing:
            self._cache.drop(scope)
            with self._faults():
                for start in range(0, len(turns), _KEYS_PER_FILTER):
                    chunk = turns[start : start + _KEYS_PER_FILTER]
                    self._table.delete(f"scope = {int(scope)} AND {_in('turn', chunk)}")

    def turns_held(self, scope: ScopeId) -> list[TurnPk]:
        """Return the turns of `scope` that have passages here. Raises StoreUnavailable."""
        return [TurnPk(pk) for pk in self._select(scope, ["turn"], "true").column("turn").unique().to_pylist()]

    def purge(self) -> None:
        """Write every file anew without what was deleted, and remove all others: 1 s for 100,000 passages. Raises StoreUnavailable.

        LanceDB only notes deletions beside the file of the rows, and its indexes keep the terms of deleted rows. The steps may be
        cut short anywhere: the rows are replaced in one commit, and so is each index.
        """
        with self._changing:
            try:
                with self._faults():
                    self._write_anew()
            finally:
                self._purges += 1

    def scope(self, scope: ScopeId) -> "CachedScope | ScopeOnDisk":
        """Return one scope to search: as it is held in memory, or else on disk."""
        if self.damage:
            return CachedScope.empty(self._dimension)
        return self._cache.get(scope) or ScopeOnDisk(self, scope)

    def nearest(self, scope: ScopeId, vector: Vectors, limit: int) -> list[EncodedPassage]:
        """Find on disk the passages of `scope` that are nearest to `vector`, exactly, best first, as `spread` chooses `limit`.

        The scope begins to come into memory; the question at hand does not wait for it.
        """
        self._load_soon(scope)

        def search() -> pa.Table:
            found = self._table.search(vector, vector_column_name="vector", query_type="vector").distance_type("dot")
            query = found.where(f"scope = {int(scope)}", prefilter=True).select([*_COLUMNS, "_distance"])
            return query.limit(limit * LOOKED_AT).to_arrow()

        return to_passages(spread_rows(self._read(search), limit))

    def lexical(self, scope: ScopeId, terms: Sequence[str], limit: int) -> list[EncodedPassage]:
        """Find on disk the passages of `scope` with the best BM25 for `terms`, best first, as `spread` chooses `limit`."""
        if not terms or not self._searchable:
            return []

        def search() -> pa.Table:
            found = self._table.search(" ".join(terms), query_type="fts", fts_columns="terms")
            query = found.where(f"scope = {int(scope)}", prefilter=True).select([*_COLUMNS, "_score"])
            return query.limit(limit * LOOKED_AT).to_arrow()

        return to_passages(spread_rows(self._read(search), limit))

    def passages(self, scope: ScopeId, turns: Sequence[TurnPk]) -> list[EncodedPassage]:
        """Read from disk all indexed passages of these turns of `scope`."""
        return to_passages(self._select(scope, _COLUMNS, _in("turn", turns))) if turns else []

    def warm(self, scope: ScopeId) -> None:
        """Bring a scope into memory if there is room for it, before it is asked about."""
        self._load_soon(scope)
        loading = self._loading.get(scope)
        if loading is not None:
            wait([loading])

    def first_turns(self, scope: ScopeId, fingerprints: Sequence[str]) -> dict[str, TurnPk]:
        """Return, for each of these fingerprints (hexadecimal) that `scope` knows, the oldest turn with such a passage."""
        if not fingerprints or not self._searchable or self.damage:
            return {}
        listed = ", ".join(f"'{fingerprint}'" for fingerprint in fingerprints)
        found = self._select(scope, ["fingerprint", "turn"], f"fingerprint IN ({listed})")
        first: dict[str, TurnPk] = {}
        with self._faults():
            marks, turns = (found.column(name).to_pylist() for name in ("fingerprint", "turn"))
        for mark, turn in zip(marks, turns, strict=True):
            first[mark] = min(TurnPk(turn), first.get(mark, TurnPk(turn)))
        return first

    def optimise(self) -> None:
        """Merge small files, fold new rows into the indexes and drop old versions. Raises StoreUnavailable."""
        with self._changing, self._faults():  # beside a deletion it would fail, and be tried again
            try:
                self._table.optimize(cleanup_older_than=_KEEP_VERSIONS)
            except RuntimeError:
                # Another writer came first: without a look at what it did, the next try would fail alike.
                self._table.checkout_latest()
                raise

    def count(self) -> int:
        """Count the passages of all scopes."""
        with self._faults():
            return int(self._table.count_rows())

    def keys(self) -> pa.Table:
        """Read the `scope` and the `turn` of every passage: of each data file something."""
        with self._faults():
            return self._table.search().select(["scope", "turn"]).limit(None).to_arrow()

    def read(self, columns: Sequence[str], condition: str = "true") -> pa.Table:
        """Read columns of the passages that meet a condition, of all scopes: for checks."""
        with self._faults():
            return self._table.search().where(condition).select(list(columns)).limit(None).to_arrow()

    def decoded(self, rows: pa.Table) -> list[dict[str, Any]]:
        """Return rows that were read as values; texts of a damaged file may be none."""
        with self._faults():
            values: list[dict[str, Any]] = rows.to_pylist()
            return values

    def finds(self, scope: ScopeId, turn: TurnPk, term: str) -> bool:
        """Return whether the search for words finds a passage of this turn by one of its terms."""
        with self._faults():
            search = self._table.search(term, query_type="fts", fts_columns="terms")
            query = search.where(f"scope = {int(scope)} AND turn = {int(turn)}", prefilter=True)
            return bool(query.select(["turn", "_score"]).limit(1).to_arrow().num_rows)

    def number(self, condition: str) -> int:
        """Count the passages that meet a condition, by the indexes of its columns."""
        with self._faults():
            return int(self._table.count_rows(condition))

    def load_indexes(self) -> None:
        """Read every file of every index of the table."""
        with self._faults():
            for index in self._table.list_indices():
                self._table.prewarm_index(index.name)

    def mark_damaged(self, damage: str) -> IndexDamaged:
        """Note what was found wrong, and return the error that says so."""
        if self.damage is None:
            self.damage = damage
            self.generation += 1
            log.error("the passage index is damaged: %s", damage)
        return IndexDamaged(damage)

    def close(self) -> None:
        """Wait for a scope that is being loaded, and load no other."""
        self._closed = True
        self._loader.shutdown(cancel_futures=True)

    def _open(self) -> None:
        with self._faults():
            self._table = _open_table(self._folder, self._model, self._dimension)
            self._searchable = "terms" in self._indexed_columns()
            if not self._searchable and self._table.count_rows():  # a crash came between the first rows and the indexes
                self._build_indexes()

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Map what LanceDB and Arrow raise to our errors; one that tells of damage marks the whole index."""
        try:
            yield
        except BaseException as fault:
            if not is_of_lance(fault):
                raise
            mapped = index_fault(fault)
            raise (self.mark_damaged(mapped.damage) if isinstance(mapped, IndexDamaged) else mapped) from fault

    def _select(self, scope: ScopeId, columns: Sequence[str], condition: str) -> pa.Table:
        def select() -> pa.Table:
            query = self._table.search().where(f"{condition} AND scope = {int(scope)}")
            return query.select(list(columns)).limit(None).to_arrow()

        return self._read(select)

    def _read(self, search: Callable[[], T]) -> T:
        """Search, and once again if a purge meanwhile removed the files that the first search stood on, which is no damage."""
        purges = self._purges
        try:
            return search()
        except BaseException as fault:
            if not is_of_lance(fault):
                raise
            with self._changing, self._faults():  # a purge that is under way has ended
                if purges == self._purges:
                    raise
                return search()

    def _write_anew(self) -> None:
        if self._table.count_rows():
            self._table.update(where="true", values_sql={"scope": "scope"})  # every row moves to a new file
            self._build_indexes()
        else:
            for index in self._table.list_indices():
                self._table.drop_index(index.name)
            self._searchable = False
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"optimize\(cleanup_older_than=0\)")  # `_read` minds the readers
            self._table.optimize(cleanup_older_than=timedelta(0), delete_unverified=True)

    def _load_soon(self, scope: ScopeId) -> None:
        if not self._closed and not self.damage and scope not in self._loading and self._cache.get(scope) is None:
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
            with self._faults():
                size = self._table.count_rows(f"scope = {int(scope)}") * bytes_each
            if not size or not self._cache.room_for(scope, size):
                return
            found = self._select(scope, [*_COLUMNS, "terms"], "true")
            keys = [found.column(name).to_numpy().astype(np.int64) for name in ("turn", "start", "end")]
            vectors, turn_vectors = (to_matrix(found, name).copy() for name in ("vector", "turn_vector"))
            if damage := damaged_rows(keys[1], keys[2], (vectors, turn_vectors)):
                raise self.mark_damaged(damage)
            with self._faults():
                postings = Postings(found.column("terms"))
            self._cache.put(scope, CachedScope(np.stack(keys, axis=1), vectors, turn_vectors, postings))

    def _indexed_columns(self) -> set[str]:
        return {column for index in self._table.list_indices() for column in index.columns}

    def _build_indexes(self) -> None:
        """Build the index of every column, instead of the one that may be there."""
        for column in ("scope", "turn", "fingerprint"):
            self._table.create_index(column, config=BTree(), replace=True)
        terms = FTS(
            base_tokenizer="whitespace", max_token_length=None, lower_case=False, stem=False, remove_stop_words=False,
            ascii_folding=False,
        )  # fmt: skip
        self._table.create_index("terms", config=terms, replace=True)
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
        return connection.create_table(_TABLE, schema=table_schema(model, dimension))
    table = connection.open_table(_TABLE)
    check_schema(table.schema, model, dimension)
    if table.schema.field("vector").type != halves(dimension):  # an older index
        table.alter_columns({"path": "vector", "data_type": halves(dimension)})
    return table


def _in(column: str, keys: Sequence[TurnPk]) -> str:
    return f"{column} IN ({', '.join(str(int(key)) for key in keys)})"
