"""From turns to index rows, and the worker that brings every turn into the index.

The worker reads what SQL says is not indexed yet, oldest first, so whatever a crash interrupted is resumed at the next
start; rows that a crash left behind are removed before they are written again. Recall uses the same preparation for the
turns the worker has not reached.
"""

import logging
from collections.abc import Sequence
from itertools import accumulate

import anyio
from tenacity import AsyncRetrying, RetryCallState, before_sleep_log, retry_if_exception_type, wait_random_exponential

from memory.echo import fingerprint, fresh, suspicions
from memory.encoder import Encoder
from memory.index import IndexRow, PassageIndex
from memory.store import TurnStore
from memory.turns import EncodedPassage, ScopeId, Turn, TurnPk
from memory.words import content_terms

__all__ = ["Indexer", "prepare_rows"]

log = logging.getLogger(__name__)
_log_failure = before_sleep_log(log, logging.ERROR, exc_info=True)

_BATCH_TURNS = 512  # enough to sort by length: windows of one length need no padding
_BATCH_CHARS = 250_000  # long turns come in smaller batches, so that none waits minutes behind them
_APPENDS_BEFORE_OPTIMISE = 32
_ROWS_BEFORE_OPTIMISE = 4_096
_LONGEST_PAUSE_S = 60
_POLL_S = 1.0


async def prepare_rows(
    index: PassageIndex, encoder: Encoder, scope: ScopeId, turns: Sequence[Turn], *, urgent: bool = False
) -> list[IndexRow]:
    """Encode the passages of `turns` (oldest first, one scope), without those that only echo what the scope already holds."""
    encoded = await encoder.encode_turns(turns, urgent=urgent)
    suspected = {
        mark
        for turn, passages in zip(turns, encoded, strict=True)
        for one in passages
        for mark in suspicions(turn, one.passage)
    }
    first = await index.first_bearers(scope, sorted(suspected))
    rows: list[IndexRow] = []
    for turn, passages in zip(turns, encoded, strict=True):
        # Only what older turns say counts: after a crash the index may hold rows of this very turn.
        known = {mark for mark, bearer in first.items() if bearer < turn.pk}
        kept = fresh(turn, [one.passage for one in passages], known)
        new = [_row(scope, turn, one) for one in passages if one.passage in kept]
        first |= {row.fingerprint: turn.pk for row in new if row.fingerprint not in first}
        rows += new
    return rows


def _row(scope: ScopeId, turn: Turn, encoded: EncodedPassage) -> IndexRow:
    text = turn.text[encoded.passage.start : encoded.passage.end]
    return IndexRow(scope=scope, encoded=encoded, terms=" ".join(content_terms(text)), fingerprint=fingerprint(text))


class Indexer:
    """The one writer of the index. `run` works until it is cancelled; `wake` tells it that there is something to do.

    Turns up to `leftover` may have rows already, from a run that was cut short between the index and the store.
    """

    def __init__(self, *, store: TurnStore, index: PassageIndex, encoder: Encoder, leftover: TurnPk) -> None:
        self._store = store
        self._index = index
        self._encoder = encoder
        self._leftover = leftover
        self._work = anyio.Event()
        self._progress = anyio.Event()
        self._failing = False
        self._appends = 0
        self._rows = 0

    def wake(self) -> None:
        """Say that turns wait for the index."""
        self._work.set()

    async def run(self) -> None:
        """Index whatever waits, now and whenever woken; failures are logged and tried again after a growing pause."""
        while True:
            self._work = anyio.Event()
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(Exception),
                wait=wait_random_exponential(multiplier=0.5, max=_LONGEST_PAUSE_S),
                before_sleep=self._note_failure,
            ):
                with attempt:
                    await self.drain()
            await self._work.wait()

    async def drain(self) -> None:
        """Index every waiting turn."""
        while waiting := _bounded(await self._store.unindexed(_BATCH_TURNS)):
            pks = [turn.pk for _, turn in waiting]
            rows: list[IndexRow] = []
            for scope in dict.fromkeys(scope for scope, _ in waiting):
                turns = [turn for owner, turn in waiting if owner == scope]
                rows += await prepare_rows(self._index, self._encoder, scope, turns)
            await self._index.remove_turns([pk for pk in pks if pk <= self._leftover])
            await self._index.add(rows)
            await self._store.mark_indexed(pks)
            await self._index.remove_turns(await self._store.missing(pks))  # forgotten while they were encoded
            self._note(rows=len(rows))
            if self._appends >= _APPENDS_BEFORE_OPTIMISE or self._rows >= _ROWS_BEFORE_OPTIMISE:
                await self.optimise()

    async def optimise(self) -> None:
        """Fold what was appended into the index's files."""
        await self._index.optimise()
        self._appends = self._rows = 0

    async def until_indexed(self, scope: ScopeId, pks: Sequence[TurnPk], *, timeout_s: float) -> bool:
        """Wait until the index holds these turns; False if it does not within `timeout_s`."""
        with anyio.move_on_after(timeout_s):
            while True:
                progress = self._progress
                if not {turn.pk for turn in await self._store.tail(scope)} & set(pks):
                    return True
                await progress.wait()
        return False

    async def until_tail_below(self, scope: ScopeId, turns: int) -> None:
        """Wait until fewer than `turns` turns of the scope wait for the index, or until the index fails."""
        while True:
            progress = self._progress
            if self._failing or await self._store.tail_length(scope) < turns:
                return
            await progress.wait()

    async def next_batch(self) -> None:
        """Wait until the next batch is in the index."""
        progress = self._progress
        with anyio.move_on_after(_POLL_S):
            await progress.wait()

    def _note(self, *, rows: int) -> None:
        self._appends += 1
        self._rows += rows
        self._failing = False
        self._announce()

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
