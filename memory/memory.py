"""Memory: remember and recall over one data folder; the package's front door.

Joins the store, the index, the encoder and the indexer; owns the folder's lock, since LanceDB wants a single writer.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import anyio
from filelock import FileLock, Timeout

from memory.database import open_database, store_faults
from memory.encoder import BUNDLED_MODEL, Encoder
from memory.errors import HomeInUse
from memory.forgetting import Forgotten
from memory.index import PassageIndex
from memory.indexing import Indexer
from memory.ranking import Found
from memory.recall import Recall
from memory.store import Remember, TurnStore
from memory.turns import Receipt, Recollection, Scope, SessionSummary, Turn

__all__ = ["Memory", "MemorySettings", "database_url", "open_memory", "rebuild_index"]

_QUESTIONS_AT_ONCE = 2  # while one encodes or reads SQL, another may use Python


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySettings:
    """Where memory lives and how it embeds.

    `database_url` defaults to SQLite inside `home`. `max_tail_turns` bounds how many turns of a scope may wait for
    the index; a writer that is further ahead waits. `hot_vectors_mb` of vectors and words are kept in memory (1.7 kB a passage).
    """

    home: Path
    database_url: str | None = None
    embedding_model: str = BUNDLED_MODEL
    max_tail_turns: int = 4_096
    index_timeout_s: float = 60.0
    hot_vectors_mb: int = 512


class Memory:
    """An open memory. Get one from `open_memory`."""

    def __init__(
        self, *, store: TurnStore, index: PassageIndex, encoder: Encoder, indexer: Indexer, settings: MemorySettings
    ) -> None:
        self.store = store
        self.index = index
        self.encoder = encoder
        self.indexer = indexer
        self._settings = settings
        self._recall = Recall(store=store, index=index, encoder=encoder)
        self._questions = anyio.CapacityLimiter(_QUESTIONS_AT_ONCE)

    async def remember(self, wish: Remember) -> Receipt:
        """Store new turns of one session durably; raises TurnConflict or StoreUnavailable, and then nothing was stored."""
        receipt = await self.store.remember(wish)
        await self._hand_over([wish])
        return receipt

    async def remember_many(self, wishes: Sequence[Remember]) -> list[Receipt]:
        """Store turns of many sessions in one transaction; conflicts are left out and named in the receipts."""
        receipts = await self.store.remember_many(wishes)
        await self._hand_over(wishes)
        return receipts

    async def until_indexed(self, scope: Scope, receipt: Receipt) -> bool:
        """Wait until the index holds the stored turns of `receipt`; False if it takes too long."""
        known = await self.store.scope(scope)
        if known is None:
            return True
        return await self.indexer.until_indexed(known[0], receipt.stored, timeout_s=self._settings.index_timeout_s)

    async def warm(self, scope: Scope) -> None:
        """Bring a scope into memory as its first question would, so that the second finds what the first does."""
        known = await self.store.scope(scope)
        if known is not None:
            await self.index.warm(known[0])

    async def recall(self, scope: Scope, question: str, asked_at: datetime) -> Recollection:
        """Find the evidence of `scope` on `question`, best first. Raises StoreUnavailable."""
        return await anyio.to_thread.run_sync(self._recall.recall, scope, question, asked_at, limiter=self._questions)

    async def find(self, scope: Scope, question: str, asked_at: datetime) -> Found:
        """Gather what `recall` would judge, for those who judge otherwise. Raises StoreUnavailable."""
        return await anyio.to_thread.run_sync(self._recall.find, scope, question, asked_at, limiter=self._questions)

    async def history(self, scope: Scope) -> list[Turn]:
        """Read everything of `scope`, in the order it was said."""
        known = await self.store.scope(scope)
        return await self.store.history(known[0]) if known else []

    async def forget(
        self, scope: Scope, *, session_id: str | None = None, turn_id: str | None = None
    ) -> Forgotten | None:
        """Remove a turn of a session, a session, or everything of `scope`, from the truth and from the index.

        None if the scope is unknown. Raises StoreUnavailable; if only the index failed, what is gone cannot be recalled anyway.
        """
        known = await self.store.scope(scope)
        if known is None:
            return None
        forgotten = await self.store.forget(known[0], session_id=session_id, turn_id=turn_id)
        await self.index.remove_turns([*forgotten.pks, *forgotten.repeats])
        if forgotten.repeats:
            self.indexer.wake()
        return forgotten

    async def sessions(self, scope: Scope, *, limit: int, after: str | None = None) -> list[SessionSummary]:
        """List sessions of `scope`, oldest first."""
        known = await self.store.scope(scope)
        return await self.store.sessions(known[0], limit=limit, after=after) if known else []

    async def _hand_over(self, wishes: Sequence[Remember]) -> None:
        self.indexer.wake()
        for scope in dict.fromkeys(wish.scope for wish in wishes):
            known = await self.store.scope(scope)
            if known:
                await self.indexer.until_tail_below(known[0], self._settings.max_tail_turns)


@asynccontextmanager
async def open_memory(settings: MemorySettings, *, encoder: Encoder | None = None) -> AsyncIterator[Memory]:
    """Open the memory in `settings.home`, resume interrupted indexing, and close everything at the end.

    An `encoder` that is loaded already may be shared; otherwise the configured model is loaded.

    Raises:
        HomeInUse: another process has the folder open.
        IndexMismatch: the index was built with another model.
        StoreUnavailable: the folder or the database cannot be used.
    """
    with _locked(settings.home), closing(TurnStore(open_database(database_url(settings)))) as store:
        shared = encoder or await _load(settings.embedding_model)
        folder = settings.home / "index"
        hot_bytes = settings.hot_vectors_mb * 2**20
        with closing(
            await PassageIndex.open(folder, model=shared.name, dimension=shared.dimension, hot_bytes=hot_bytes)
        ) as index:
            if not await index.count():
                await store.mark_all_unindexed()  # a new or lost index is filled from the truth
            indexer = Indexer(store=store, index=index, encoder=shared, leftover=await store.newest_pk())
            work = asyncio.create_task(indexer.run())
            try:
                yield Memory(store=store, index=index, encoder=shared, indexer=indexer, settings=settings)
            finally:
                work.cancel()
                await asyncio.wait([work])


async def _load(model: str) -> Encoder:
    return await anyio.to_thread.run_sync(Encoder, model)


async def rebuild_index(settings: MemorySettings, progress: Callable[[int, int], None]) -> int:
    """Throw the index away, of whatever model, and index every stored turn anew; gives their number.

    `progress` hears of the turns done and of all. A crash loses nothing: the next start goes on. Raises as `open_memory` does.
    """
    with _locked(settings.home):
        await PassageIndex.discard(settings.home / "index")
    async with open_memory(settings) as memory:
        turns = await memory.store.count()
        while waiting := await memory.store.count(indexed=False):
            progress(turns - waiting, turns)
            await memory.indexer.next_batch()
        await memory.indexer.optimise()
    progress(turns, turns)
    return turns


def database_url(settings: MemorySettings) -> str:
    """Give the database's URL: the configured one, or SQLite in the data folder."""
    return settings.database_url or f"sqlite:///{settings.home / 'memory.sqlite3'}"


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    lock = FileLock(home / "lock", blocking=False)
    with store_faults():
        home.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except Timeout:
            raise HomeInUse(home) from None
    try:
        yield
    finally:
        lock.release()
