"""The passage index: LanceDB over the passages of all scopes, dense vectors and BM25 in one table.

An index only: SQL holds the truth and this can be rebuilt from it. Every search is bound to one scope by a prefilter on
an indexed column; there is no unscoped read. One process writes; rows come in batches, and `optimise` folds them
into the indexes and drops old versions, because LanceDB slows down and bloats under many small appends otherwise.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import lancedb
import numpy as np
import pyarrow as pa
from lancedb.index import FTS, BTree
from numpy.typing import NDArray

from memory.errors import IndexMismatch, StoreUnavailable
from memory.hot_scopes import LOOKED_AT, HotScope, HotScopes, spread
from memory.postings import Postings
from memory.turns import EncodedPassage, Passage, ScopeId, TurnPk, Vector

__all__ = ["IndexRow", "PassageIndex", "ScopeOnDisk"]

log = logging.getLogger(__name__)

_TABLE = "passage"
_KEEP_VERSIONS = timedelta(minutes=5)  # a slow reader may still stand on an old version
_COLUMNS = ["turn", "start", "end", "vector", "turn_vector"]

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRow:
    """A passage on its way into the index, with its terms (white space between) and the fingerprint that copies share."""

    scope: ScopeId
    encoded: EncodedPassage
    terms: str
    fingerprint: str


class PassageIndex:
    """The table of passages. Open it with `PassageIndex.open`."""

    def __init__(self, connection: Any, table: Any, *, model: str, dimension: int, hot_bytes: int = 0) -> None:
        self._connection = connection
        self._table = table
        self._model = model
        self._dimension = dimension
        self._searchable = False
        self._hot = HotScopes(hot_bytes)
        self._changing = asyncio.Lock()
        self._warming: dict[ScopeId, asyncio.Task[None]] = {}

    @classmethod
    async def open(cls, folder: Path, *, model: str, dimension: int, hot_bytes: int = 0) -> "PassageIndex":
        """Open the index in `folder`, or found it for vectors of `model`; `hot_bytes` of vectors are kept in memory.

        Raises:
            IndexMismatch: it holds vectors of another model.
            StoreUnavailable: the folder cannot be read or written.
        """
        with _index_faults():
            connection = await lancedb.connect_async(folder)
            if _TABLE in (await connection.list_tables()).tables:
                table = await connection.open_table(_TABLE)
            else:
                table = await connection.create_table(_TABLE, schema=_schema(model, dimension))
            schema = await table.schema()
            _check_model(schema, model, dimension)
            if schema.field("vector").type != _halves(dimension):  # an older index
                await table.alter_columns({"path": "vector", "data_type": _halves(dimension)})
            index = cls(connection, table, model=model, dimension=dimension, hot_bytes=hot_bytes)
            index._searchable = bool(await table.list_indices())
        return index

    async def add(self, rows: Sequence[IndexRow]) -> None:
        """Append passages, all or none. Raises StoreUnavailable."""
        if not rows:
            return
        async with self._changing:
            with _index_faults():
                await self._table.add(_batch(rows, self._model, self._dimension))
                if not self._searchable:
                    await self._build_indexes()
            for scope in {row.scope for row in rows}:
                own = [row for row in rows if row.scope == scope]
                self._hot.append(scope, [row.encoded for row in own], [row.terms.split() for row in own])

    async def remove_turns(self, turns: Sequence[TurnPk]) -> None:
        """Delete every passage of these turns; unknown turns are no error. Raises StoreUnavailable."""
        if not turns:
            return
        async with self._changing:
            self._hot.clear()
            with _index_faults():
                await self._table.delete(_in("turn", turns))

    def scope(self, scope: ScopeId) -> "HotScope | ScopeOnDisk":
        """Give one scope to search in a worker thread: as it is held in memory, or else on disk."""
        return self._hot.get(scope) or ScopeOnDisk(self, scope)

    async def nearest(self, scope: ScopeId, vector: Vectors, limit: int) -> list[EncodedPassage]:
        """Find on disk the passages of `scope` that are nearest to `vector`, exactly, best first, as `spread` chooses `limit`."""
        self._warm_up(scope)
        with _index_faults():
            search = self._table.vector_search(vector).column("vector").distance_type("dot")
            query = search.where(f"scope = {int(scope)}")
            found = await query.select([*_COLUMNS, "_distance"]).limit(limit * LOOKED_AT).to_arrow()
        return _hits(_spread(found, limit))

    async def lexical(self, scope: ScopeId, terms: Sequence[str], limit: int) -> list[EncodedPassage]:
        """Find on disk the passages of `scope` with the best BM25 for `terms`, best first, as `spread` chooses `limit`."""
        if not terms or not self._searchable:
            return []
        with _index_faults():
            query = (
                self._table.query().nearest_to_text(" ".join(terms), columns=["terms"]).where(f"scope = {int(scope)}")
            )
            found = await query.select([*_COLUMNS, "_score"]).limit(limit * LOOKED_AT).to_arrow()
        return _hits(_spread(found, limit))

    async def passages(self, scope: ScopeId, turns: Sequence[TurnPk]) -> list[EncodedPassage]:
        """Read from disk all indexed passages of these turns of `scope`."""
        if not turns:
            return []
        with _index_faults():
            query = self._table.query().where(f"{_in('turn', turns)} AND scope = {int(scope)}")
            return _hits(await query.select(_COLUMNS).to_arrow())

    async def warm(self, scope: ScopeId) -> None:
        """Bring a scope into memory if there is room for it, before it is asked about."""
        self._warm_up(scope)
        if scope in self._warming:
            await asyncio.wait([self._warming[scope]])

    async def first_bearers(self, scope: ScopeId, fingerprints: Sequence[str]) -> dict[str, TurnPk]:
        """Give, for each of these fingerprints (hexadecimal) that `scope` knows, the oldest turn with such a passage."""
        if not fingerprints or not self._searchable:
            return {}
        listed = ", ".join(f"'{fingerprint}'" for fingerprint in fingerprints)
        with _index_faults():
            query = self._table.query().where(f"fingerprint IN ({listed}) AND scope = {int(scope)}")
            found = await query.select(["fingerprint", "turn"]).to_arrow()
        first: dict[str, TurnPk] = {}
        for mark, turn in zip(found.column("fingerprint").to_pylist(), found.column("turn").to_pylist(), strict=True):
            first[mark] = min(TurnPk(turn), first.get(mark, TurnPk(turn)))
        return first

    async def optimise(self) -> None:
        """Merge small files, fold new rows into the indexes and drop old versions. Raises StoreUnavailable."""
        with _index_faults():
            await self._table.optimize(cleanup_older_than=_KEEP_VERSIONS)

    async def count(self) -> int:
        """Count the passages of all scopes."""
        with _index_faults():
            return int(await self._table.count_rows())

    async def clear(self) -> None:
        """Throw the table away and found it anew for the configured model."""
        async with self._changing:
            self._hot.clear()
            with _index_faults():
                self._table = await self._connection.create_table(
                    _TABLE, schema=_schema(self._model, self._dimension), mode="overwrite"
                )
            self._searchable = False

    @classmethod
    async def discard(cls, folder: Path) -> None:
        """Drop whatever index lies in `folder`, of any model; the next `open` founds a new one."""
        with _index_faults():
            connection = await lancedb.connect_async(folder)
            if _TABLE in (await connection.list_tables()).tables:
                await connection.drop_table(_TABLE)

    def close(self) -> None:
        """Release the table and the connection."""
        for task in self._warming.values():
            task.cancel()
        self._table.close()
        self._connection.close()

    def _warm_up(self, scope: ScopeId) -> None:
        """Begin to bring a scope into memory; the question at hand does not wait for it."""
        if scope not in self._warming and self._hot.get(scope) is None:
            self._warming[scope] = asyncio.create_task(self._load(scope))
            self._warming[scope].add_done_callback(lambda task: self._warmed(scope, task))

    def _warmed(self, scope: ScopeId, task: asyncio.Task[None]) -> None:
        self._warming.pop(scope, None)
        if not task.cancelled() and task.exception():
            log.warning("scope %d stays on disk", scope, exc_info=task.exception())

    async def _load(self, scope: ScopeId) -> None:
        bytes_each = 2 * self._dimension * np.float16().nbytes + 3 * np.int64().nbytes
        async with self._changing:  # what is added meanwhile would be missing
            size = await self._table.count_rows(f"scope = {int(scope)}") * bytes_each
            if not self._hot.room_for(scope, size):
                return
            found = await self._table.query().where(f"scope = {int(scope)}").select([*_COLUMNS, "terms"]).to_arrow()
            if not found.num_rows:
                return
            keys = [found.column(name).to_numpy().astype(np.int64) for name in ("turn", "start", "end")]
            vectors, turn_vectors = (_matrix(found, name).copy() for name in ("vector", "turn_vector"))
            postings = await asyncio.to_thread(Postings, found.column("terms"))
            self._hot.put(scope, HotScope(np.stack(keys, axis=1), vectors, turn_vectors, postings))

    async def _build_indexes(self) -> None:
        for column in ("scope", "turn", "fingerprint"):
            await self._table.create_index(column, config=BTree())
        terms = FTS(
            base_tokenizer="whitespace", max_token_length=None, lower_case=False, stem=False, remove_stop_words=False,
            ascii_folding=False,
        )  # fmt: skip
        await self._table.create_index("terms", config=terms)
        self._searchable = True


class ScopeOnDisk:
    """One scope of the index on disk, for a worker thread: a search crosses to the event loop, to which LanceDB belongs."""

    def __init__(self, index: PassageIndex, scope: ScopeId) -> None:
        self._index = index
        self._scope = scope

    def nearest(self, vector: Vectors, limit: int) -> list[EncodedPassage]:
        """Find passages as `PassageIndex.nearest` does; the scope begins to come into memory."""
        return anyio.from_thread.run(self._index.nearest, self._scope, vector, limit)

    def lexical(self, terms: Sequence[str], limit: int) -> list[EncodedPassage]:
        """Find passages as `PassageIndex.lexical` does."""
        return anyio.from_thread.run(self._index.lexical, self._scope, terms, limit)

    def of_turns(self, turns: Sequence[TurnPk]) -> list[EncodedPassage]:
        """Read all indexed passages of these turns."""
        return anyio.from_thread.run(self._index.passages, self._scope, turns)


@contextmanager
def _index_faults() -> Iterator[None]:
    """Map LanceDB's errors, which are RuntimeError, ValueError and OSError, to ours."""
    try:
        yield
    except (RuntimeError, OSError) as fault:
        reason = str(fault).splitlines()[0]
        full = "No space left" in str(fault) or "os error 28" in str(fault)
        raise StoreUnavailable(f"the passage index: {reason}", full=full) from fault


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
    """The type of vectors: half precision moves a cosine by less than 0.0005, and is half the bytes to keep and to search."""
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
