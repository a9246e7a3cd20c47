"""The passage index: LanceDB over the passages of all scopes, their vectors and terms in one table.

An index only: SQL holds the truth and this can be rebuilt from it. A question searches its scope in memory (`scope_cache`). A scope
that is not there is read first, by the question that asks, by its number, an indexed column; there is no unscoped search. One
process writes; rows come in batches, and `optimise` folds them into the indexes and drops old versions, because LanceDB slows down
and bloats under many small appends otherwise. A row that is deleted stays in its file until `purge` writes it anew. Every method
blocks and may be called from any thread.

An index that turns out damaged says so from then on (`damage`) and is empty for who searches it, until it is begun anew. One
whose passages or terms another version made is `outdated`: it is only of use to compare it with the database.
"""

import logging
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Lock, RLock
from typing import Any, TypeVar

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.index import BTree

from memory.errors import IndexDamaged
from memory.index.bm25 import Postings
from memory.index.faults import damaged_rows, discard, index_fault, is_of_lance
from memory.index.loading import Loading
from memory.index.rows import IndexRow, check_schema, halves, is_outdated, table_schema, to_matrix, to_table
from memory.index.scope_cache import CachedScope, ScopeCache
from memory.model import ScopeId, TurnPk

__all__ = ["PassageIndex"]

log = logging.getLogger(__name__)

_TABLE = "passage"
_KEEP_VERSIONS = timedelta(minutes=5)  # a slow reader may still stand on an old version
_INDEXED = ("scope", "turn", "fingerprint")
_COLUMNS = ["turn", "start", "end", "vector", "turn_vector", "terms"]
_KEYS_PER_FILTER = 1_000
_TRIES = 2
_SOURCE_PLACES = re.compile(
    r"(?:, \S+\.rs:\d+:\d+)+$"
)  # where in LanceDB's own code an error arose; of no use in a log

T = TypeVar("T")


class PassageIndex:
    """The table of passages in `folder`, made for vectors of `model`; `cache_bytes` of the scopes asked about are kept in memory.

    A larger scope is read by every question that asks about it, and let go of. `damage` says what is wrong with the index, if
    anything is; `generation` rises when it is found damaged and when it is begun anew.

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
        self._purges = 0  # how often files went that a reader may stand on
        self._loading: dict[ScopeId, Loading] = {}
        self._keeping = Lock()  # held for moments, also inside `_changing`: what is kept, and what is on its way there

    def begin_anew(self) -> None:
        """Throw everything away, damaged or not, and begin with an empty index. Raises StoreUnavailable."""
        with self._changing:
            self._purges += 1
            discard(self._folder)
            self._open()
            with self._keeping:
                self._cache = ScopeCache(self._cache_bytes)
                for loading in self._loading.values():
                    loading.remove()
            self.damage = None
            self.generation += 1

    def add(self, rows: Sequence[IndexRow]) -> None:
        """Append passages, all or none. Raises StoreUnavailable."""
        if not rows:
            return
        table = to_table(rows, self._model, self._dimension)  # what goes wrong here is no damage
        with self._changing:
            with self._faults():
                self._table.add(table)
                if not self._indexed:
                    self._build_indexes()
            for scope in {row.scope for row in rows}:
                own = [row for row in rows if row.scope == scope]
                passages, terms = [row.encoded for row in own], [row.terms.split() for row in own]
                with self._keeping:
                    self._cache.append(scope, passages, terms)
                    if loading := self._loading.get(scope):
                        loading.add(passages, terms)

    def kept(self) -> tuple[int, int]:
        """Return how many scopes are kept in memory, and the bytes that they take together."""
        return self._cache.size()

    def remove_turns(self, scope: ScopeId, turns: Sequence[TurnPk]) -> None:
        """Delete every passage of these turns of `scope`; unknown turns are no error. Raises StoreUnavailable."""
        if not turns or self.damage:  # a damaged index is thrown away whole
            return
        with self._changing:
            try:
                with self._faults():
                    for start in range(0, len(turns), _KEYS_PER_FILTER):
                        chunk = turns[start : start + _KEYS_PER_FILTER]
                        self._table.delete(f"scope = {int(scope)} AND {_in('turn', chunk)}")
            finally:
                with self._keeping:  # after the deletion: who begins to read now does not see the rows
                    self._cache.drop(scope)
                    if loading := self._loading.get(scope):
                        loading.remove()

    def turns_held(self, scope: ScopeId) -> list[TurnPk]:
        """Return the turns of `scope` that have passages here. Raises StoreUnavailable."""
        return [TurnPk(pk) for pk in self._select(scope, ["turn"], "true").column("turn").unique().to_pylist()]

    def purge(self) -> None:
        """Write every file anew without what was deleted, and remove all others: 1 s for 100,000 passages. Raises StoreUnavailable.

        LanceDB only notes deletions beside the file of the rows. The steps may be cut short anywhere: the rows are replaced in one
        commit, and so is each index.
        """
        with self._changing:
            try:
                with self._faults():
                    self._write_anew()
            finally:
                self._purges += 1

    def scope(self, scope: ScopeId) -> CachedScope:
        """Return one scope to search; if it is not in memory, it is read first, by one of the questions that ask for it at once.

        Raises StoreUnavailable.
        """
        return self.scope_in_memory(scope) or self._loaded(scope)

    def scope_in_memory(self, scope: ScopeId) -> CachedScope | None:
        """Return one scope to search, if it is in memory; of a damaged index an empty one."""
        return CachedScope.empty(self._dimension) if self.damage else self._cache.get(scope)

    def first_turns(self, scope: ScopeId, fingerprints: Sequence[str]) -> dict[str, TurnPk]:
        """Return, for each of these fingerprints (hexadecimal) that `scope` knows, the oldest turn with such a passage."""
        if not fingerprints or not self._indexed or self.damage:
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

    def _open(self) -> None:
        with self._faults():
            self._table = _open_table(self._folder, self._model, self._dimension)
            self.outdated = is_outdated(self._table.schema)
            self._indexed = {column for index in self._table.list_indices() for column in index.columns} >= {*_INDEXED}
            if not self._indexed and self._table.count_rows():  # a crash came between the first rows and the indexes
                self._build_indexes()

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Map what LanceDB and Arrow raise to our errors; one that means damage marks the whole index."""
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
        """Search, and once again if the files that the first search stood on were removed meanwhile, which is no damage."""
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
            self._indexed = False
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"optimize\(cleanup_older_than=0\)")  # `_read` minds the readers
            self._table.optimize(cleanup_older_than=timedelta(0), delete_unverified=True)

    def _loaded(self, scope: ScopeId) -> CachedScope:
        """Return a scope that was not in memory: read now, or by another question that is about to."""
        with self._keeping:
            if (found := self._cache.get(scope)) is not None:
                return found
            loading = self._loading.get(scope)
            if own := loading is None:
                loading = self._loading[scope] = Loading()
        if not own:
            return loading.done.result()
        try:
            held = self._load(scope, loading)
        except BaseException as fault:
            with self._keeping:
                del self._loading[scope]
            loading.done.set_exception(fault)
            raise
        loading.done.set_result(held)
        return held

    def _load(self, scope: ScopeId, loading: Loading) -> CachedScope:
        for _ in range(_TRIES):
            held = self._read_scope(scope)
            if self._keep(scope, held, loading):
                return held
        with self._changing:  # things are removed faster than they are read
            loading.begin()
            held = self._read_scope(scope)
            self._keep(scope, held, loading)
        return held

    def _keep(self, scope: ScopeId, held: CachedScope, loading: Loading) -> bool:
        """Keep a scope that was read, if it can be brought up to date; who comes then finds it, or reads it anew."""
        with self._keeping:
            if not loading.catch_up(held):
                loading.begin()
                return False
            self._cache.put(scope, held)
            del self._loading[scope]
            return True

    def _read_scope(self, scope: ScopeId) -> CachedScope:
        """Read a scope from the table, its passages in the order of their turns."""
        found = self._select(scope, _COLUMNS, "true")
        keys = np.stack([found.column(name).to_numpy().astype(np.int64) for name in ("turn", "start", "end")], axis=1)
        vectors, turn_vectors = (to_matrix(found, name) for name in ("vector", "turn_vector"))
        if damage := damaged_rows(keys[:, 1], keys[:, 2], (vectors, turn_vectors)):
            raise self.mark_damaged(damage)
        order = np.lexsort((keys[:, 1], keys[:, 0]))
        with self._faults():
            postings = Postings(found.column("terms").take(pa.array(order)))
        return CachedScope(keys[order], vectors[order], turn_vectors[order], postings)

    def _build_indexes(self) -> None:
        """Build the index of every column, instead of the one that may be there."""
        for column in _INDEXED:
            self._table.create_index(column, config=BTree(), replace=True)
        self._indexed = True


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
