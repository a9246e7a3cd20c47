"""From turns to index rows, and the worker that brings every turn into the index.

The worker reads what SQL says is not indexed yet, as `Rotation` shares it among the scopes. So whatever a crash interrupted is
resumed at the next start. Rows that a crash left behind are removed before they are written again. Recall uses the same preparation
for the turns the worker has not reached.

What is forgotten leaves the index by `forget`: SQL notes each forgetting until its turns have left, so that one that failed, or
that a crash cut short, is made good before anything else is indexed. Adding rows and marking their turns is one step beside it.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from math import ceil
from sys import maxsize
from threading import Lock
from time import perf_counter
from typing import TypeVar

import anyio
import anyio.to_thread
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from language import Passage, forget_texts, said_in
from language.words import content_terms
from memory.encoding.encoder import Encoder
from memory.errors import IndexDamaged, StorageFault
from memory.index.echoes import fingerprint, fresh, suspicions
from memory.index.lance import PassageIndex
from memory.index.precedence import Precedence
from memory.index.rotation import BATCH_TURNS, Rotation
from memory.index.rows import IndexRow
from memory.model import Counts, EncodedPassage, Receipt, ScopeId, Turn, TurnPk
from memory.storage.store import TurnStore

__all__ = ["Indexer", "Recognise", "prepare_rows"]

T = TypeVar("T")
Recognise = Callable[
    [Turn, Sequence[Passage]], list[Passage]
]  # where in these passages of a turn an instruction stands
log = logging.getLogger(__name__)

_SMALL_BATCH_TURNS = 32
_APPENDS_BEFORE_OPTIMISE = 32
_ROWS_BEFORE_OPTIMISE = 4_096
_LONGEST_PAUSE_S = 60
_POLL_S = 1.0
_READS_AT_ONCE = 2
_STANDSTILL_S = 600
_FIRST_PACE = 100.0  # turns a second, until one was measured
_NEWEST_SHARE = 0.3  # of the last batch in the pace
_TIMES_ANEW = 2  # in the life of a process: an index that is damaged again has a cause that rebuilding does not remove


def prepare_rows(
    index: PassageIndex,
    scope: ScopeId,
    turns: Sequence[Turn],
    encoded: Sequence[Sequence[EncodedPassage]],
    between: Callable[[], None] = lambda: None,
) -> list[IndexRow]:
    """Make rows of the encoded passages of `turns` (oldest first, one scope), but of none that only echo what the scope holds.

    `between` is called before the work on each turn, and may wait.
    """
    suspected: set[str] = set()
    for turn, passages in zip(turns, encoded, strict=True):
        between()
        suspected.update(mark for one in passages for mark in suspicions(turn, one.passage))
    first = index.first_turns(scope, sorted(suspected))
    rows: list[IndexRow] = []
    for turn, passages in zip(turns, encoded, strict=True):
        between()
        # Only what older turns say counts: after a crash the index may hold rows of this very turn.
        known = {mark for mark, holder in first.items() if holder < turn.pk}
        kept = fresh(turn, [one.passage for one in passages], known)
        new = [_row(scope, turn, one) for one in passages if one.passage in kept]
        first |= {row.fingerprint: turn.pk for row in new if row.fingerprint not in first}
        rows += new
    return rows


def _row(scope: ScopeId, turn: Turn, encoded: EncodedPassage) -> IndexRow:
    terms = " ".join(content_terms(said_in(turn.text, encoded.passage)))
    text = turn.text[encoded.passage.start : encoded.passage.end]
    return IndexRow(scope=scope, encoded=encoded, terms=terms, fingerprint=fingerprint(text))


class _Stopped(Exception):
    """The indexer was stopped while it prepared a batch."""


class Indexer:
    """The one writer of the index. `run` works until `stop`; `wake` says that there is something to do.

    What turns tell to be followed always, as `recognise` says, is noted when they are marked as indexed.

    Turns up to `leftover` may have rows already, from a run that was cut short between the index and the store. Live requests
    that `precedence` knows of go before the work on a batch.
    """

    def __init__(
        self, *, store: TurnStore, index: PassageIndex, encoder: Encoder, recognise: Recognise, leftover: TurnPk
    ) -> None:
        self.precedence = Precedence()
        self._store = store
        self._rotation = Rotation(store)
        self._index = index
        self._encoder = encoder
        self.recognise = recognise
        self._leftover = leftover
        self._reached: dict[ScopeId, TurnPk] = {}
        self._changing = Lock()  # what the index holds, and what SQL says of it
        self._batch_turns = BATCH_TURNS
        self._forgotten: set[ScopeId] = set()  # scopes of which something left the index since the batch began
        self._thread = anyio.CapacityLimiter(1)
        self._reads = anyio.CapacityLimiter(_READS_AT_ONCE)
        self._life = anyio.CancelScope()
        self._work = anyio.Event()
        self._progress = anyio.Event()
        self._failing = False
        self._stopping = False
        self._appends = 0
        self._rows = 0
        self._pace = _FIRST_PACE
        self._sharing = 1
        self._times_anew = 0

    def wake(self) -> None:
        """Note that turns wait for the index."""
        self._work.set()

    async def run(self) -> None:
        """Index whatever waits, now and whenever woken; failures are logged and tried again after a growing pause.

        Returns once it is stopped and its thread is idle: that cannot be interrupted, and would write on.
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

    def forget(self) -> None:
        """Remove from the index's files all that was forgotten; blocks. Raises StoreUnavailable, and then it is tried again.

        What SQL does not know as indexed is removed, whoever left it there. So are turns that are no evidence any more; they stay
        in the database, so the files are not written anew for them.
        """
        with self._changing:
            forgettings = self._store.forgettings()
            if not forgettings:
                return
            scopes = {one.scope for one in forgettings.values()}
            self._forgotten |= scopes
            try:
                for scope in scopes:
                    self._index.remove_turns(scope, self._store.not_indexed(self._index.turns_held(scope)))
                if not all(one.stays for one in forgettings.values()):
                    self._index.purge()
            except IndexDamaged:
                if not self._throw_away():  # with all that was to be removed
                    raise
            self._store.left_index(forgettings)

    async def until_indexed(self, receipt: Receipt, *, timeout_s: float) -> bool:
        """Wait until the index holds the turns of `receipt`, new or known; False if it does not within `timeout_s`."""
        with anyio.move_on_after(timeout_s):
            while True:
                progress = self._progress
                waits = await self._read(
                    self._store.any_waiting, receipt.scope_id, receipt.session_id, receipt.turn_ids
                )
                if not waits:
                    return True
                await progress.wait()
        return False

    async def until_room(self, scope: ScopeId, turns: int, *, timeout_s: float) -> bool:
        """Wait until fewer than `turns` turns of the scope wait for the index.

        False if it takes none of them for ten minutes, or, where it fails and is tried again, for `timeout_s`. A busy machine may
        take a minute for one batch, which is no reason to give an import up.
        """
        least, since_s = maxsize, perf_counter()
        while True:
            progress = self._progress
            waiting = await self._read(self._store.number_waiting, scope)
            if waiting < turns:
                return True
            if waiting < least:
                least, since_s = waiting, perf_counter()
            patience_s = since_s + (timeout_s if self._failing else _STANDSTILL_S) - perf_counter()
            if patience_s <= 0:
                return False
            with anyio.move_on_after(patience_s):
                await progress.wait()

    def seconds_for(self, turns: int) -> int:
        """Estimate the time until so many more turns of one scope are indexed: at the pace of late, shared with those that wait."""
        return _LONGEST_PAUSE_S if self._failing else max(ceil(turns * self._sharing / self._pace), 1)

    def _index_batch(self) -> bool:
        """Bring the next waiting turns into the index; False if none waits, once stopped, or if the index is damaged for good."""
        started_s = perf_counter()
        if self._index.damage and not self._begin_anew():
            return False
        self.forget()
        self._forgotten.clear()
        by_scope = self._rotation.next_batch(self._batch_turns)
        try:
            rows = self._prepare(by_scope)
            instructions = self._instructions(by_scope, rows)
        except _Stopped:
            return False
        if by_scope and not self._add(
            rows, instructions, {scope: [turn.pk for turn in turns] for scope, turns in by_scope.items()}
        ):
            # They are forgotten, or were compared with what is. A small batch is done before the next thing is forgotten.
            self._batch_turns = _SMALL_BATCH_TURNS
            forget_texts()
            return True
        self._batch_turns = BATCH_TURNS
        if by_scope:
            self._note_pace(sum(map(len, by_scope.values())) / (perf_counter() - started_s), len(by_scope))
        self._appends += bool(by_scope)
        self._rows += len(rows)
        due = self._appends >= _APPENDS_BEFORE_OPTIMISE or self._rows >= _ROWS_BEFORE_OPTIMISE
        if due and not self._stopping:
            self._optimise()  # also if an earlier try failed
        return bool(by_scope)

    def _prepare(self, by_scope: Mapping[ScopeId, Sequence[Turn]]) -> list[IndexRow]:
        """Make the rows of a batch, encoded at once; what is no evidence has none. Raises _Stopped soon after it is stopped."""
        evidence = {scope: [turn for turn in turns if turn.flag is None] for scope, turns in by_scope.items()}
        encoded = self._encoder.encode_turns([turn for turns in evidence.values() for turn in turns], self._between)
        rows: list[IndexRow] = []
        done = 0
        for scope, turns in evidence.items():
            rows += prepare_rows(self._index, scope, turns, encoded[done : done + len(turns)], self._between)
            done += len(turns)
        return rows

    def _instructions(
        self, by_scope: Mapping[ScopeId, Sequence[Turn]], rows: Sequence[IndexRow]
    ) -> dict[TurnPk, list[Passage]]:
        """Find what the turns of a batch tell to be followed always: not in what only echoes other turns, which has no rows."""
        passages: dict[TurnPk, list[Passage]] = {}
        for row in rows:
            passages.setdefault(row.encoded.turn_pk, []).append(row.encoded.passage)
        found: dict[TurnPk, list[Passage]] = {}
        for turn in (turn for turns in by_scope.values() for turn in turns if turn.pk in passages):
            self._between()
            found[turn.pk] = self.recognise(turn, passages[turn.pk])
        return found

    def _between(self) -> None:
        if self._stopping:
            raise _Stopped
        self.precedence.give_way()

    def _note_pace(self, turns_per_s: float, scopes: int) -> None:
        self._pace += _NEWEST_SHARE * (turns_per_s - self._pace)
        self._sharing = scopes

    def _add(
        self,
        rows: Sequence[IndexRow],
        instructions: Mapping[TurnPk, Sequence[Passage]],
        turns: Mapping[ScopeId, Sequence[TurnPk]],
    ) -> bool:
        """Add the rows of these turns and mark them; False if something of their scopes was forgotten meanwhile."""
        with self._changing:
            if self._forgotten & turns.keys():
                return False
            for scope, pks in turns.items():
                # If a later step fails, the next try finds rows of these turns.
                before, self._reached[scope] = max(self._reached.get(scope, 0), self._leftover), pks[-1]
                self._index.remove_turns(scope, [pk for pk in pks if pk <= before])
            self._index.add(rows)
            return self._store.mark_indexed(turns, instructions)

    def _begin_anew(self) -> bool:
        """Throw the damaged index away, once every turn is marked to be indexed; False if that was done too often already."""
        with self._changing:
            return not self._index.damage or self._throw_away()

    def _throw_away(self) -> bool:
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
        self._reached.clear()
        log.warning("the passage index is rebuilt from the stored turns: %d turns", turns)
        return True

    def _optimise(self) -> None:
        self._index.optimise()
        self._appends = self._rows = 0

    async def _read(self, read: Callable[..., T], *args: object) -> T:
        return await anyio.to_thread.run_sync(read, *args, limiter=self._reads)

    def _note_failure(self, state: RetryCallState) -> None:
        fault = state.outcome.exception() if state.outcome else None
        pause_s = state.next_action.sleep if state.next_action else 0.0
        if isinstance(fault, StorageFault):  # a conflict of the index, a full disk: one line
            log.warning("indexing is tried again in %.1f s: %s", pause_s, fault)
        else:  # a fault of ours: where it came from, without its message, which may quote a turn
            log.error(
                "indexing broke (%s), and is tried again in %.1f s", type(fault).__name__, pause_s, exc_info=fault
            )
        self._failing = True
        self._announce()

    def _announce(self) -> None:
        """Let everybody look again who waits for the index."""
        self._progress.set()
        self._progress = anyio.Event()
