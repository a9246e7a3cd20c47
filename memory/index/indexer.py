"""From turns to index rows, and the worker that brings every turn into the index.

The worker reads what SQL says is not indexed yet, oldest first. So whatever a crash interrupted is resumed at the next start.
Rows that a crash left behind are removed before they are written again. Recall uses the same preparation for the
turns the worker has not reached.
"""

import logging
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import TypeVar

import anyio
import anyio.to_thread
from tenacity import AsyncRetrying, RetryCallState, before_sleep_log, retry_if_exception_type, wait_random_exponential

from language import forget_texts
from language.words import content_terms
from memory.encoding.encoder import Encoder
from memory.index.echoes import fingerprint, fresh, suspicions
from memory.index.lance import PassageIndex
from memory.index.rows import IndexRow
from memory.model import Counts, EncodedPassage, ScopeId, Turn, TurnPk
from memory.storage.store import TurnStore

__all__ = ["Indexer", "prepare_rows"]

T = TypeVar("T")
log = logging.getLogger(__name__)
_log_failure = before_sleep_log(log, logging.ERROR, exc_info=True)

_BATCH_TURNS = 512  # enough to sort by length: windows of one length need no padding
_BATCH_CHARS = 250_000  # long turns come in smaller batches, so that none waits minutes behind them
_APPENDS_BEFORE_OPTIMISE = 32
_ROWS_BEFORE_OPTIMISE = 4_096
_LONGEST_PAUSE_S = 60
_POLL_S = 1.0
_READS_AT_ONCE = 2
_TIMES_ANEW = 2  # in the life of a process: an index that is damaged again has a cause that rebuilding does not remove


def prepare_rows(index: PassageIndex, encoder: Encoder, scope: ScopeId, turns: Sequence[Turn]) -> list[IndexRow]:
    """Encode the passages of `turns` (oldest first, one scope), without those that only echo what the scope already holds."""
    encoded = encoder.encode_turns(turns)
    suspected = {
        mark
        for turn, passages in zip(turns, encoded, strict=True)
        for one in passages
        for mark in suspicions(turn, one.passage)
    }
    first = index.first_turns(scope, sorted(suspected))
    rows: list[IndexRow] = []
    for turn, passages in zip(turns, encoded, strict=True):
        # Only what older turns say counts: after a crash the index may hold rows of this very turn.
        known = {mark for mark, holder in first.items() if holder < turn.pk}
        kept = fresh(turn, [one.passage for one in passages], known)
        new = [_row(scope, turn, one) for one in passages if one.passage in kept]
        first |= {row.fingerprint: turn.pk for row in new if row.fingerprint not in first}
        rows += new
    return rows


def _row(scope: ScopeId, turn: Turn, encoded: EncodedPassage) -> IndexRow:
    text = turn.text[encoded.passage.start : encoded.passage.end]
    return IndexRow(scope=scope, encoded=encoded, terms=" ".join(content_terms(text)), fingerprint=fingerprint(text))


class Indexer:
    """The one writer of the index. `run` works until `stop`; `wake` tells it that there is something to do.

    Turns up to `leftover` may have rows already, from a run that was cut short between the index and the store.
    """

    def __init__(self, *, store: TurnStore, index: PassageIndex, encoder: Encoder, leftover: TurnPk) -> None:
        self._store = store
        self._index = index
        self._encoder = encoder
        self._leftover = leftover
        self._thread = anyio.CapacityLimiter(1)
        self._reads = anyio.CapacityLimiter(_READS_AT_ONCE)
        self._life = anyio.CancelScope()
        self._work = anyio.Event()
        self._progress = anyio.Event()
        self._failing = False
        self._stopping = False
        self._appends = 0
        self._rows = 0
        self._times_anew = 0

    def wake(self) -> None:
        """Note that turns wait for the index."""
        self._work.set()

    async def run(self) -> None:
        """Index whatever waits, now and whenever woken; failures are logged and tried again after a growing pause.

        Returns once it is stopped and the batch under way is in the index: its thread cannot be interrupted, and would write on.
        """
        with self._life:
            while True:
                self._work = anyio.Event()
                async for attempt in AsyncRetrying(
                    retry=retry_if_exception_type(Exception),
                    wait=wait_random_exponential(multiplier=0.5, max=_LONGEST_PAUSE_S),
                    before_sleep=self._note_failure,
                ):
                    with attempt:
                        while await anyio.to_thread.run_sync(self._index_batch, limiter=self._thread):
                            self._failing = False
                            self._announce()
                await self._work.wait()

    def stop(self) -> None:
        """End `run` soon: what is being encoded is left for the next start."""
        self._stopping = True
        self._life.cancel()

    async def drain(self, progress: Callable[[Counts], None] | None = None) -> None:
        """Wait until the index holds every turn; `progress` hears of the turns held and waiting."""
        while (counts := await self._read(self._store.counts)).waiting:
            if progress:
                progress(counts)
            with anyio.move_on_after(_POLL_S):
                await self._progress.wait()

    async def optimise(self) -> None:
        """Fold what was appended into the index's files."""
        await anyio.to_thread.run_sync(self._optimise, limiter=self._thread)

    async def until_indexed(self, pks: Sequence[TurnPk], *, timeout_s: float) -> bool:
        """Wait until the index holds these turns; False if it does not within `timeout_s`."""
        with anyio.move_on_after(timeout_s):
            while True:
                progress = self._progress
                if not await self._read(self._store.any_waiting, pks):
                    return True
                await progress.wait()
        return False

    async def until_tail_below(self, scope: ScopeId, turns: int) -> None:
        """Wait until fewer than `turns` turns of the scope wait for the index, or until the index fails."""
        while True:
            progress = self._progress
            if self._failing or await self._read(self._store.tail_length, scope) < turns:
                return
            await progress.wait()

    def _index_batch(self) -> bool:
        """Bring the oldest waiting turns into the index; False if none waits, or if the index is damaged again and again."""
        if self._index.damage and not self._begin_anew():
            return False
        waiting = _bounded(self._store.unindexed(_BATCH_TURNS))
        by_scope: dict[ScopeId, list[Turn]] = {}
        for scope, turn in waiting:
            by_scope.setdefault(scope, []).append(turn)
        rows: list[IndexRow] = []
        for scope, turns in by_scope.items():
            if self._stopping:
                return False
            rows += prepare_rows(self._index, self._encoder, scope, turns)
        for scope, turns in by_scope.items():
            self._index.remove_turns(scope, [turn.pk for turn in turns if turn.pk <= self._leftover])
        # If a later step fails, the next try finds rows of these turns.
        self._leftover = max([self._leftover, *(turn.pk for _, turn in waiting)])
        self._index.add(rows)
        self._store.mark_indexed([turn.pk for _, turn in waiting])
        for scope, turns in by_scope.items():  # those that were forgotten while they were encoded
            missing = self._store.missing([turn.pk for turn in turns])
            self._index.remove_turns(scope, missing)
            if missing:
                forget_texts()
        self._appends += bool(waiting)
        self._rows += len(rows)
        due = self._appends >= _APPENDS_BEFORE_OPTIMISE or self._rows >= _ROWS_BEFORE_OPTIMISE
        if due and not self._stopping:
            self._optimise()
        return bool(waiting)

    def _begin_anew(self) -> bool:
        """Throw the damaged index away, once every turn is marked to be indexed; False if that was done too often already."""
        if self._times_anew == _TIMES_ANEW:
            if not self._failing:
                log.error(
                    "the passage index is damaged again after it was rebuilt: check the disk, then run `tirtha reindex`"
                )
            self._failing = True
            return False
        turns = self._store.mark_all_unindexed()
        self._index.begin_anew()
        self._times_anew += 1
        self._leftover = TurnPk(0)
        log.warning("the passage index is rebuilt from the stored turns: %d turns", turns)
        return True

    def _optimise(self) -> None:
        self._index.optimise()
        self._appends = self._rows = 0

    async def _read(self, read: Callable[..., T], *args: object) -> T:
        return await anyio.to_thread.run_sync(read, *args, limiter=self._reads)

    def _note_failure(self, state: RetryCallState) -> None:
        _log_failure(state)
        self._failing = True
        self._announce()

    def _announce(self) -> None:
        """Let everybody look again who waits for the index."""
        self._progress.set()
        self._progress = anyio.Event()


def _bounded(waiting: list[tuple[ScopeId, Turn]]) -> list[tuple[ScopeId, Turn]]:
    """Keep the first turns whose texts together stay within a batch; at least one."""
    ends = accumulate(len(turn.text) for _, turn in waiting)
    return [
        one for number, (one, end) in enumerate(zip(waiting, ends, strict=True)) if not number or end <= _BATCH_CHARS
    ]
