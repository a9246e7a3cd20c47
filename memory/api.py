"""Memory: remember, recall and forget over one data folder; the package's face.

Joins the store, the index, the encoder and the indexer. Behind it everything blocks: a request crosses to a thread once, and
does all its SQL and LanceDB there. Questions have threads of their own, so that writers do not wait for them.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

import anyio
import anyio.to_thread
import numpy as np
from numpy.typing import NDArray

from language import forget_texts
from memory.encoding.encoder import Encoder
from memory.errors import IndexDamaged
from memory.index.indexer import Indexer
from memory.index.lance import PassageIndex
from memory.instructions import Instructions
from memory.model import (
    Bounds,
    Counts,
    Extent,
    Follow,
    Followed,
    Load,
    Placed,
    Receipt,
    Recollection,
    Remember,
    Restore,
    Restored,
    Scope,
    ScopeId,
    SessionSummary,
    Turn,
    TurnCursor,
    UserSummary,
)
from memory.questions import Questions, threads_of
from memory.recall.features import Found
from memory.recall.pipeline import Recall
from memory.recall.reranker import RecallModels
from memory.settings import MemorySettings
from memory.storage.forgetting import Forgotten
from memory.storage.store import TurnStore
from memory.tenants import TenantMemory
from memory.wiping import Wiping
from memory.writes import Writes, and_then

__all__ = ["Memory", "MemorySettings"]

_STORE_THREADS = 8
_EMBEDDINGS_AT_ONCE = 1  # so that guards cannot take the threads of the store
_CHANGES_AT_ONCE = 2  # of the index, which wait for one another

T = TypeVar("T")


class Memory:
    """An open memory. Get one from `memory.opening.open_memory`."""

    def __init__(
        self,
        *,
        store: TurnStore,
        index: PassageIndex,
        encoder: Encoder,
        indexer: Indexer,
        models: RecallModels,
        settings: MemorySettings,
    ) -> None:
        self._store = store
        self._index = index
        self._encoder = encoder
        self._indexer = indexer
        self._index_timeout_s = settings.index_timeout_s
        self._precedence = indexer.precedence
        self._recall = Recall(store=store, index=index, encoder=encoder, models=models, recognise=indexer.recognise)
        self._questions = Questions(self._recall, index, most_waiting=settings.max_waiting_questions)
        self.tenants = TenantMemory(store.tenants, wake=indexer.wake)
        self._requests = anyio.CapacityLimiter(_STORE_THREADS)
        self._writes = Writes(indexer, self._requests, index_timeout_s=settings.index_timeout_s)
        self.instructions = Instructions(store, self._recall.standing, self._requests)
        self._probes = anyio.CapacityLimiter(1)
        self._embeddings = anyio.CapacityLimiter(_EMBEDDINGS_AT_ONCE)
        self._changes = anyio.CapacityLimiter(_CHANGES_AT_ONCE)
        self._wiping = Wiping(store, self._changes)

    # remembering

    async def remember(
        self,
        request: Remember,
        *,
        most_turns: int | None = None,
        then: Callable[[Receipt], None] | None = None,
    ) -> Receipt:
        """Store new turns of one session; durable on return.

        Args:
            request: the scope, the session and the turns.
            most_turns: how many turns the tenant may have in all; None for any number.
            then: called with the receipt in the same thread, once the turns are stored.

        Raises:
            TurnConflict: an id is used again for another text; then nothing was stored.
            IndexBehind: `max_tail_turns` turns of the scope wait for the index, or more; then nothing was stored.
            TenantFull, TenantClosed: the tenant takes no more; then nothing was stored.
            StoreUnavailable: the database cannot be written; then nothing was stored.
        """
        return await self._writes.live(and_then(self._store.remember, then), request, most_turns)

    async def follow(
        self,
        request: Follow,
        *,
        most_turns: int | None = None,
        then: Callable[[Followed], None] | None = None,
    ) -> Followed:
        """Keep up with a conversation that is sent whole: store what is new, and flag as `replaced` what was edited away.

        A flagged turn is no evidence from then on. Arguments and errors are those of `remember`; no id is in conflict, for the
        turns have none.
        """
        return await self._writes.live(and_then(self._store.follow, then), request, most_turns)

    async def place(self, request: Follow) -> Placed:
        """Return what `follow` would do, and store nothing. Raises StoreUnavailable."""
        return await self._in_thread(self._store.place, request)

    async def remember_many(
        self,
        requests: Sequence[Remember],
        *,
        most_turns: int | None = None,
        then: Callable[[list[Receipt]], None] | None = None,
    ) -> list[Receipt]:
        """Store turns of many sessions in one transaction; conflicts are left out and named in the receipts.

        Arguments are those of `remember`. While `max_tail_turns` turns of one of the scopes wait for the index, this waits, too,
        before anything is stored.

        Raises:
            TenantFull, TenantClosed: the tenant takes no more; then nothing was stored.
            IndexBehind: the index failed for `index_timeout_s`, or stood still for ten minutes; then nothing was stored.
            StoreUnavailable: the database cannot be written; then nothing was stored.
        """
        store = and_then(self._store.remember_many, then)
        return await self._writes.once_there_is_room(lambda: store(requests, most_turns))

    async def restore(self, requests: Sequence[Restore], *, most_turns: int | None = None) -> list[Restored]:
        """Store archived turns as they stood, in one transaction; waits and raises as `remember_many` does."""
        return await self._writes.once_there_is_room(lambda: self._store.restore(requests, most_turns))

    async def compare(self, requests: Sequence[Restore]) -> list[Restored]:
        """Return what `restore` would do, and store nothing. Raises StoreUnavailable."""
        return await self._in_thread(self._store.compare, requests)

    async def until_indexed(self, receipt: Receipt) -> bool:
        """Wait until the index holds the turns of `receipt`, new or known; False after `index_timeout_s`."""
        return await self._indexer.until_indexed(receipt, timeout_s=self._index_timeout_s)

    async def drain(self, progress: Callable[[Counts], None] | None = None) -> None:
        """Wait until the index holds every turn; `progress` hears of the turns held and waiting."""
        await self._indexer.drain(progress)

    async def optimise(self) -> None:
        """Fold what was indexed into the index's files, for a smaller and faster index."""
        await self._indexer.optimise()

    # recalling

    async def recall(
        self,
        scope: Scope,
        question: str,
        asked_at: datetime,
        *,
        until: datetime | None = None,
        exclude: frozenset[tuple[str, str]] = frozenset(),
        exclude_session_id: str | None = None,
    ) -> Recollection:
        """Find the evidence of `scope` on `question`, best first, as if what is left out did not exist.

        Tenants take turns.

        Args:
            scope: whose memory is searched.
            question: what is asked, in any words.
            asked_at: when it is asked, which "last week" in it is resolved by.
            until: leave out what was said after this moment.
            exclude: leave out these turns, by (session id, turn id): a prompt holds them already.
            exclude_session_id: leave out the turns of this session, for the same reason.

        Raises:
            StoreUnavailable: the database or the index cannot be read.
            TooManyQuestions: too many questions of the tenant wait.
        """
        bounds = Bounds(until=until, exclude=exclude, exclude_session_id=exclude_session_id)
        with self._precedence.live():
            found = await self._questions.recall(scope, question, asked_at, bounds)
        self._repair_index()
        return found

    async def recall_session(
        self, scope: Scope, session_id: str, question: str, asked_at: datetime, *, until: datetime | None = None
    ) -> Recollection:
        """Find the evidence of one session of `scope` on `question`, best first. The other arguments and errors are `recall`'s."""
        found = await self._questions.in_turn(
            scope, self._recall.recall_session, scope, session_id, question, asked_at, until
        )
        self._repair_index()
        return found

    async def find(self, scope: Scope, question: str, asked_at: datetime) -> Found:
        """Gather what `recall` would score, for those who score it otherwise. Raises as `recall` does."""
        return await self._questions.in_turn(scope, self._recall.find, scope, question, asked_at)

    async def warm(self, scope: Scope) -> None:
        """Bring a scope into memory as its first question would, which then need not."""

        def load() -> None:
            known = self._store.scope(scope)
            if known is not None:
                self._index.scope(known[0])

        await anyio.to_thread.run_sync(load, limiter=self._changes)

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts, each on its own: `(len(texts), dimension) float32`, unit length."""
        return await anyio.to_thread.run_sync(self._encoder.encode_texts, list(texts), limiter=self._embeddings)

    @property
    def embedding_model(self) -> str:
        """The name of the model that embeds, and the dimension of its vectors."""
        return f"{self._encoder.name}, {self._encoder.dimension} dimensions"

    # reading

    async def epoch(self, scope: Scope) -> int:
        """Return the scope's epoch, which every change raises; 0 if nothing was ever remembered in it."""
        known = await self._in_thread(self._store.scope, scope)
        return known[1] if known else 0

    async def extent(self, scope: Scope) -> Extent:
        """Return the scope's epoch, its turns and their characters, as they are at one moment."""
        return await self._in_thread(self._store.extent, scope)

    async def turn(self, scope: Scope, session_id: str, turn_id: str) -> Turn | None:
        """Read one turn; None if `scope` does not hold it."""
        return await self._of_scope(scope, lambda pk: self._store.turn(pk, session_id, turn_id), None)

    async def turns_named(self, scope: Scope, turn_id: str, *, limit: int = 2) -> list[Turn]:
        """Read the turns of `scope` that have this id, of whatever session: two, if only one may be meant, show that more are."""
        return await self._of_scope(scope, lambda pk: self._store.turns_named(pk, turn_id, limit=limit), [])

    async def turns(
        self, scope: Scope, *, session_id: str | None = None, after: TurnCursor | None = None, limit: int = 100
    ) -> list[Turn]:
        """Read a page of the turns of `scope`, in the order they were said.

        Args:
            scope: whose turns are read.
            session_id: read the turns of this session only.
            after: begin after this place, (said_at, primary key): that of the last turn of the page before.
            limit: the most turns of a page.
        """
        return await self._of_scope(
            scope, lambda pk: self._store.page(pk, session_id=session_id, after=after, limit=limit), []
        )

    async def history(self, scope: Scope, *, until: datetime | None = None) -> list[Turn]:
        """Read everything of `scope` that was said until then, in the order it was said."""
        turns: list[Turn] = await self._of_scope(scope, self._store.history, [])
        return [turn for turn in turns if until is None or turn.said_at <= until]

    async def sessions(self, scope: Scope, *, limit: int, after: TurnCursor | None = None) -> list[SessionSummary]:
        """List sessions of `scope` by when they began, from after the place `after` (`started_at`, `first_pk`)."""
        return await self._of_scope(scope, lambda pk: self._store.sessions(pk, limit=limit, after=after), [])

    async def users(
        self, tenant: str, *, limit: int, after: str | None = None, only: str | None = None
    ) -> list[UserSummary]:
        """List the users of `tenant` of whom something is remembered, by name.

        Args:
            tenant: whose users are listed.
            limit: the most users of a page.
            after: begin after this name: the last one of the page before.
            only: list this user only.
        """
        return await self._in_thread(lambda: self._store.users(tenant, limit=limit, after=after, only=only))

    async def agents(self, tenant: str, user_id: str) -> list[str | None]:
        """Return the agents that have a memory of the user, None for the user's own."""
        return await self._in_thread(self._store.agents, tenant, user_id)

    async def counts(self) -> Counts:
        """Count the turns held over all scopes, and those that wait for the index."""
        return await self._in_thread(self._store.counts)

    async def ping(self, tenant: str | None = None) -> Counts:
        """Make sure that turns can be stored and found; returns the counts, of one tenant or of all. Raises StoreUnavailable."""

        def try_both() -> Counts:
            self._store.ping()
            if self._index.damage:
                raise IndexDamaged(self._index.damage)
            self._index.count()
            return self._store.counts(tenant)

        try:
            return await anyio.to_thread.run_sync(try_both, limiter=self._probes)  # others may all wait for a lock
        finally:
            self._repair_index()

    def load(self) -> Load:
        """Return what this memory is busy with just now."""
        others = {"store": threads_of(self._requests), "embeddings": threads_of(self._embeddings)}
        hot_scopes, hot_bytes = self._index.kept()
        return Load(threads=self._questions.load() | others, hot_scopes=hot_scopes, hot_bytes=hot_bytes)

    # forgetting

    async def forget(
        self, scope: Scope, *, session_id: str | None = None, turn_id: str | None = None
    ) -> Forgotten | None:
        """Remove a turn of a session, a session, or everything of `scope`, beyond recall; `wipe` removes its copies.

        Args:
            scope: whose turns are removed: all of them, if nothing else is given.
            session_id: remove this session only.
            turn_id: remove the turns of this id only.

        Returns:
            What was removed; None if the scope is unknown.

        Raises:
            StoreUnavailable: the database cannot be written; then nothing was removed.
        """

        def remove() -> Forgotten | None:
            known = self._store.scope(scope)
            if known is None:
                return None
            return self._store.forget(known[0], session_id=session_id, turn_id=turn_id)

        forgotten = await anyio.to_thread.run_sync(remove, limiter=self._changes)
        if forgotten and forgotten.pks:
            self._indexer.wake()  # whatever becomes of the caller, the index forgets
        return forgotten

    async def wipe(self) -> None:
        """Remove what was forgotten from the index's files, the database's files and the texts that are kept.

        If a reader of the database stands in the way, its files are tried again after a growing pause, for ten minutes at most,
        then at the next call, and when the memory is closed or opened. Raises StoreUnavailable; what is left to do stays noted.
        """

        def work() -> bool:
            forget_texts()
            self._recall.forget_texts()
            self._indexer.forget()
            return self._store.wipe()

        if not await anyio.to_thread.run_sync(work, limiter=self._changes):
            self._wiping.put_off()

    async def close(self) -> None:
        """Do now what `wipe` put off, if nothing stands in the way any more."""
        await self._wiping.close()

    def _repair_index(self) -> None:
        """Let the indexer see to an index that turned out damaged."""
        if self._index.damage:
            self._indexer.wake()

    async def _of_scope(self, scope: Scope, read: Callable[[ScopeId], T], nothing: T) -> T:
        def look() -> T:
            known = self._store.scope(scope)
            return read(known[0]) if known else nothing

        return await self._in_thread(look)

    async def _in_thread(self, work: Callable[..., T], *args: object) -> T:
        return await anyio.to_thread.run_sync(work, *args, limiter=self._requests)
