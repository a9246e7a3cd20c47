"""Import: lines of an archive stored as they come, in batches, with a report of what became of each.

Each batch is durable before the next one is begun, and what is there already is left alone. So an import that broke off is simply
sent again. The lines may be of our own exports or of files of other products: whatever reads those makes the same lines.

A stored answer is true of one memory only. So it is taken over where the memory holds the archive's turns and no other, and it is
stored for the memory as it is then: the first change makes it unreachable, as it does any other.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from cascade.errors import LedgerUnavailable, UnsoundRecord
from cascade.storage.archive import ArchivedAnswer, ArchivedDecision
from cascade.storage.restoring import AnswerFate, Restoring
from memory import ArchivedTurn, Restore, Restored, Scope
from memory.api import Memory
from memory.errors import IndexBehind, StoreUnavailable
from tirtha.audit.log import AuditLog
from tirtha.caller import Caller
from tirtha.errors import TooLarge
from tirtha.operations.answering import key_of, owner_of
from tirtha.operations.limits import Limits
from tirtha.operations.moving.lines import FileLine, Held, Kind, Report, Unreadable, kind_of
from tirtha.tenants.admission import Admission

__all__ = ["ImportMemory", "ImportRequest"]

# Stored in one transaction, for which everybody else who writes waits.
_BATCH_LINES: dict[Kind, int] = {"turn": 128, "decision": 32, "answer": 32}
_TURN_CONFLICT = "is the id of another turn of the session; a turn is never altered"
_DECISION_CONFLICT = "is the id of another decision; a decision is never altered"
_SKIPPED: dict[AnswerFate, tuple[str, str]] = {
    "expired": ("expires_at", "has passed, so the answer is not served any more"),
    "undecided": ("decision_id", "is of no accepted decision here"),
    "too large": ("decision_id", "is of a decision that is larger than the cache may be"),
}
_OTHER_MEMORY = "is an answer from the archive's memory, and here the memory holds other turns"
_NO_CACHE = "is a stored answer, and no cache is kept here"

_Whose = tuple[str, str | None]  # user and agent
_Entry = tuple[int, Held]  # a line's number, and what it holds


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """The lines, as they come. With `dry_run` nothing is stored. `whole_tenant`: they may be of any user, and of none."""

    lines: AsyncIterator[FileLine]
    whole_tenant: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportMemory:
    """Store archived lines. What was stored before an error stays, and the error says how much that is.

    `restoring` is how answers and decisions are put back; without `keeps_answers` there is no cache to put answers into.
    """

    memory: Memory
    restoring: Restoring
    limits: Limits
    admission: Admission
    audit: AuditLog
    keeps_answers: bool

    async def __call__(self, caller: Caller, request: ImportRequest) -> Report:
        """Store every good line, and say what became of all.

        Raises:
            IndexBehind: the index does not go on.
            TenantFull, TenantClosed: the tenant may not have so many turns.
            StoreUnavailable, LedgerUnavailable: storing fails.
        """
        caller.require("write")
        if request.whole_tenant:
            caller.require("admin")
            caller.require_whole_tenant()
        under_way = _Import(operation=self, caller=caller, dry_run=request.dry_run)
        async for line in request.lines:
            await under_way.take(line)
        await under_way.store()
        return under_way.report


@dataclass(slots=True, kw_only=True)
class _Import:
    """One import under way: the batch at hand, all of one kind, and what became of the lines before it.

    `turns` counts the turns of `whose` that the lines of late have held.
    """

    operation: ImportMemory
    caller: Caller
    dry_run: bool
    report: Report = field(default_factory=Report)
    batch: list[_Entry] = field(default_factory=list)
    kind: Kind = "turn"
    whose: _Whose | None = None
    turns: int = 0

    async def take(self, line: FileLine) -> None:
        """Take a line into the batch, or leave it out; store the batch before it, if they do not go together."""
        self.report.received += 1
        if isinstance(line.content, Unreadable):
            self.report.reject(line.number, line.content.at, line.content.why)
            return
        held, kind, whose = line.content, kind_of(line.content.item), (line.content.user_id, line.content.agent_id)
        if kind != self.kind or (kind != "turn" and whose != self.whose):
            await self.store()
        if whose != self.whose:
            self.whose, self.turns = whose, 0
        self.kind = kind
        if isinstance(held.item, ArchivedTurn):
            self.turns += 1
            try:
                self.operation.limits.check_turn(held.item.new, "text")
            except TooLarge as fault:
                self.report.reject(line.number, fault.at, str(fault))
                return
        self.batch.append((line.number, held))
        if len(self.batch) == _BATCH_LINES[kind]:
            await self.store()

    async def store(self) -> None:
        """Store the batch: turns in one transaction, whosever they are; of decisions and answers all have one owner."""
        batch, self.batch = self.batch, []
        if not batch:
            return
        try:
            match self.kind:
                case "turn":
                    await self._store_turns(batch)
                case "decision":
                    await self._store_decisions(batch)
                case "answer":
                    await self._store_answers(batch)
        except (StoreUnavailable, LedgerUnavailable, IndexBehind) as fault:
            raise _with_stored(
                fault, f"{self.report.stored_text} of this import are stored, and will not be doubled"
            ) from fault

    async def _store_turns(self, batch: Sequence[_Entry]) -> None:
        requests = [
            Restore(
                scope=self.caller.scope(*whose),
                turns=[held.item for _, held in entries if isinstance(held.item, ArchivedTurn)],
            )
            for whose, entries in groupby(batch, key=lambda entry: (entry[1].user_id, entry[1].agent_id))
        ]
        restored = await self._restored(requests)
        outcomes = [outcome for one in restored for outcome in one.outcomes]
        for (number, _), outcome in zip(batch, outcomes, strict=True):
            self._count(number, outcome, at="id", why=_TURN_CONFLICT)

    async def _restored(self, requests: Sequence[Restore]) -> list[Restored]:
        memory = self.operation.memory
        if self.dry_run:
            return await memory.compare(requests)
        turns: Counter[str] = Counter()
        for request in requests:
            turns[request.scope.user_id] += len(request.turns)
        terms = await self.operation.admission.storing_in_bulk(self.caller.tenant, turns)
        restored = await memory.restore(requests, most_turns=terms.stored_turns)
        audit = self.operation.audit
        await audit.record_all(
            [
                audit.change(
                    self.caller,
                    what="import",
                    user_id=request.scope.user_id,
                    agent_id=request.scope.agent_id,
                    count=stored,
                )
                for request, one in zip(requests, restored, strict=True)
                if (stored := one.outcomes.count("stored"))
            ]
        )
        return restored

    async def _store_decisions(self, batch: Sequence[_Entry]) -> None:
        archived = [held.item for _, held in batch if isinstance(held.item, ArchivedDecision)]
        owner = owner_of(_scope(self.caller, batch))
        fates = await self.operation.restoring.decisions(owner, archived, dry_run=self.dry_run)
        for (number, _), fate in zip(batch, fates, strict=True):
            if isinstance(fate, UnsoundRecord):
                self.report.reject(number, f"record.{fate.at}", fate.why)
            else:
                self._count(number, fate, at="record.id", why=_DECISION_CONFLICT)

    async def _store_answers(self, batch: Sequence[_Entry]) -> None:
        scope = _scope(self.caller, batch)
        extent = await self.operation.memory.extent(scope)
        same = self.dry_run or (extent.turns == self.turns and not self.report.rejected_lines)
        usable: list[tuple[int, ArchivedAnswer]] = []
        for number, held in batch:
            assert isinstance(held.item, ArchivedAnswer)  # noqa: S101 - all of a batch are of one kind
            if not self.operation.keeps_answers:
                self.report.skip(number, "line", _NO_CACHE)
            elif not same and held.item.request["task"] != "code":
                self.report.skip(number, "line", _OTHER_MEMORY)
            else:
                usable.append((number, held.item))
        if self.dry_run:
            self.report.stored["answer"] += len(usable)
            return
        owner = owner_of(scope)
        fates = await self.operation.restoring.answers(
            owner,
            [answer for _, answer in usable],
            lambda request, hashes: key_of(request, owner=owner, epoch=extent.epoch, hashes=hashes),
        )
        for (number, _), fate in zip(usable, fates, strict=True):
            if fate in _SKIPPED:
                self.report.skip(number, *_SKIPPED[fate])
            else:
                self._count(number, fate)

    def _count(self, number: int, outcome: str, *, at: str = "", why: str = "") -> None:
        if outcome == "conflict":
            self.report.reject(number, at, why)
        else:
            (self.report.stored if outcome == "stored" else self.report.duplicates)[self.kind] += 1


def _scope(caller: Caller, batch: Sequence[_Entry]) -> Scope:
    held = batch[0][1]
    return caller.scope(held.user_id, held.agent_id)


def _with_stored(fault: StoreUnavailable | LedgerUnavailable | IndexBehind, stored: str) -> Exception:
    """Return a fault that says what is stored all the same."""
    match fault:
        case IndexBehind():
            return IndexBehind(
                scope_id=fault.scope_id,
                waiting=fault.waiting,
                limit=fault.limit,
                retry_after_s=fault.retry_after_s,
                stored=stored,
            )
        case StoreUnavailable():
            return StoreUnavailable(f"{fault.reason} ({stored})")
        case LedgerUnavailable():
            return LedgerUnavailable(f"{fault.reason} ({stored})")
