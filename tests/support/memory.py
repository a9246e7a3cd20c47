"""A memory alone, over a folder: its own tables in SQLite, the real index and encoder."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from memory.api import Memory, MemorySettings
from memory.encoding.encoder import Encoder
from memory.index.indexer import Indexer
from memory.index.lance import PassageIndex
from memory.opening import open_memory
from memory.recall.reranker import RecallModels
from memory.recall.standing.recognition import Recogniser
from memory.storage.database import Database
from memory.storage.opening import open_database
from memory.storage.store import TurnStore
from tests.support.databases import new_home
from tirtha.wiring.database import MIGRATIONS

__all__ = ["database_in", "memory_in", "memory_over"]


@contextmanager
def database_in(home: Path, url: str | None = None) -> Iterator[Database]:
    """Open the database of a folder, with every package's tables."""
    with open_database(home if url else new_home(home), url, migrations=MIGRATIONS) as database:
        yield database


@asynccontextmanager
async def memory_in(home: Path, encoder: Encoder, settings: MemorySettings | None = None) -> AsyncIterator[Memory]:
    """Open the memory in a folder."""
    with database_in(home) as database:
        async with open_memory(settings or MemorySettings(), database, encoder=encoder) as memory:
            yield memory


@asynccontextmanager
async def memory_over(
    index: PassageIndex, database: Database, encoder: Encoder, settings: MemorySettings | None = None
) -> AsyncIterator[Memory]:
    """Open a memory whose index is given, such as one that a test lets fail."""
    settings = settings or MemorySettings()
    store = TurnStore(database, most_waiting=settings.max_tail_turns)
    indexer = Indexer(
        store=store, index=index, encoder=encoder, recognise=Recogniser.load(), leftover=store.newest_pk()
    )
    work = asyncio.create_task(indexer.run())
    models = RecallModels.load(encoder.name)
    try:
        yield Memory(store=store, index=index, encoder=encoder, indexer=indexer, models=models, settings=settings)
    finally:
        indexer.stop()
        await asyncio.wait([work])
