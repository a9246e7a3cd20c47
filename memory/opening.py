"""Opening a memory in a data folder, and what is done with one that is closed: examining it, building its index anew."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import anyio.to_thread

from memory.api import Memory, MemorySettings
from memory.encoding.encoder import Encoder
from memory.errors import IndexDamaged, IndexOutdated, ModelUnusable
from memory.index.faults import discard
from memory.index.indexer import Indexer
from memory.index.lance import PassageIndex
from memory.index.soundness import check_all, check_quickly
from memory.model import Counts, TurnPk
from memory.recall.related_terms import term_vectors
from memory.recall.reranker import RecallModels
from memory.recall.standing.recognition import Recogniser
from memory.storage.database import Database, store_faults
from memory.storage.inventory import Inventory
from memory.storage.store import TurnStore

__all__ = ["examine_database", "examine_memory", "open_memory", "rebuild_index"]

log = logging.getLogger(__name__)

_INDEX = "index"  # the folder of the index, in the data folder


@asynccontextmanager
async def open_memory(
    settings: MemorySettings, database: Database, *, encoder: Encoder | None = None
) -> AsyncIterator[Memory]:
    """Open the memory in the folder of `database`, resume interrupted indexing, and stop it at the end.

    An `encoder` that is loaded already may be shared; otherwise the configured model is loaded. The caller closes the database.

    Raises:
        IndexMismatch: the index was built with another model.
        DatabaseBehind: the index holds turns that the database never had.
        StoreUnavailable: the folder or the database cannot be used.
        ModelUnusable: the embedding model, or the folder of recall's models, cannot be used.
    """
    store = TurnStore(database, most_waiting=settings.max_tail_turns)
    await anyio.to_thread.run_sync(term_vectors)  # now, so that the first question does not wait for it
    if encoder is None:
        encoder = await anyio.to_thread.run_sync(Encoder, settings.embedding_model)
    models = _models_of(settings, encoder)
    index, leftover = await anyio.to_thread.run_sync(_open_index, settings, database, store, encoder)
    recognise = Recogniser.load()
    indexer = Indexer(store=store, index=index, encoder=encoder, recognise=recognise, leftover=leftover)
    work = asyncio.create_task(indexer.run())
    memory = Memory(
        store=store,
        index=index,
        encoder=encoder,
        indexer=indexer,
        models=models,
        settings=settings,
    )
    try:
        yield memory
    finally:
        indexer.stop()
        await asyncio.wait([work])
        with anyio.CancelScope(shield=True):
            await memory.close()


def _models_of(settings: MemorySettings, encoder: Encoder) -> RecallModels:
    try:
        return RecallModels.load(encoder.name, settings.recall_models)
    except ValueError as fault:
        raise ModelUnusable(str(fault)) from fault


def _open_index(
    settings: MemorySettings, database: Database, store: TurnStore, encoder: Encoder
) -> tuple[PassageIndex, TurnPk]:
    try:
        index = _index_of(settings, database, encoder)
        store.mark_unindexed(check_quickly(index, Inventory(database)))
    except IndexDamaged as fault:
        if isinstance(fault, IndexOutdated):
            log.warning("the passage index is of another version of Tirtha: it is filled anew from the stored turns")
        else:
            log.warning(
                "the passage index is damaged (%s): it is thrown away and filled from the stored turns", fault.damage
            )
        discard(database.home / _INDEX)
        index = _index_of(settings, database, encoder)
    if not index.count():
        store.mark_all_unindexed()  # a new or lost index is filled from the truth
    return index, store.newest_pk()


def _index_of(settings: MemorySettings, database: Database, encoder: Encoder) -> PassageIndex:
    return PassageIndex(
        database.home / _INDEX,
        model=encoder.name,
        dimension=encoder.dimension,
        cache_bytes=settings.hot_vectors_mb * 2**20,
    )


def examine_database(database: Database) -> None:
    """Read all of the database, for as long as it takes. Raises StoreDamaged."""
    with store_faults():
        database.examine()


async def examine_memory(settings: MemorySettings, database: Database) -> int:
    """Read all of the database and of the index, and compare them; returns the number of passages. Changes nothing.

    Raises:
        StoreDamaged: the database is damaged.
        IndexDamaged: the index is, or does not hold what the database says.
        DatabaseBehind, IndexMismatch: they do not belong together.
    """

    def examine() -> int:
        examine_database(database)
        if not (database.home / _INDEX).exists():
            return 0
        encoder = Encoder(settings.embedding_model)
        return check_all(_index_of(settings, database, encoder), Inventory(database))

    return await anyio.to_thread.run_sync(examine)


async def rebuild_index(settings: MemorySettings, database: Database, progress: Callable[[Counts], None]) -> int:
    """Throw the index away, of whatever model, and index every stored turn anew; returns their number.

    `progress` hears of the turns held and waiting. A crash loses nothing: the next start goes on. Raises as `open_memory` does.
    """
    await anyio.to_thread.run_sync(discard, database.home / _INDEX)
    async with open_memory(settings, database) as memory:
        await memory.drain(progress)
        await memory.optimise()
        counts = await memory.counts()
    progress(counts)
    return counts.turns
