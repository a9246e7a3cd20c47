"""Bulk remembering: NDJSON in, one turn a line, stored in batches as it streams in; bad lines are named and left out.

Memory holds one batch at a time, whatever the length of the stream. The answer comes when all is durable.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import uuid4

from pydantic import ValidationError

from memory import NewTurn, Remember, Scope
from memory.errors import StoreUnavailable
from tirtha.api.problems import located, why
from tirtha.api.requests import BulkLine
from tirtha.api.responses import BulkOut, Rejected
from tirtha.errors import TooLarge
from tirtha.service import Service

__all__ = ["remember_stream"]

_BATCH_TURNS = 512
_LISTED = 1_000
_BYTES_PER_CHARACTER = 12  # a character escaped as a surrogate pair, the longest JSON form
_LINE_OVERHEAD_BYTES = 65_536


@dataclass(slots=True)
class _Tally:
    received: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected_lines: int = 0
    rejected: list[Rejected] = field(default_factory=list)

    def reject(self, line: int, at: str, reason: str) -> None:
        self.rejected_lines += 1
        if len(self.rejected) < _LISTED:
            self.rejected.append(Rejected(line=line, at=at, why=reason))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    line: int
    scope: Scope
    session_id: str
    turn: NewTurn


async def remember_stream(service: Service, chunks: AsyncIterator[bytes], *, tenant: str) -> BulkOut:
    """Remember every good line of a stream; raises StoreUnavailable if storing fails (what was stored before stays)."""
    tally = _Tally()
    new_sessions: dict[Scope, str] = {}
    batch: list[_Entry] = []
    limit = service.settings.max_turn_chars * _BYTES_PER_CHARACTER + _LINE_OVERHEAD_BYTES
    number = 0
    async for line in _lines(chunks, limit):
        number += 1
        if not line.strip():
            continue
        tally.received += 1
        entry = _read(service, line, number, tenant, new_sessions, tally, limit)
        if entry:
            batch.append(entry)
        if len(batch) == _BATCH_TURNS:
            await _store(service, batch, tally)
            batch.clear()
    await _store(service, batch, tally)
    return BulkOut(
        received=tally.received,
        stored=tally.stored,
        duplicates=tally.duplicates,
        rejected_lines=tally.rejected_lines,
        rejected=tally.rejected,
    )


async def _lines(chunks: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    """Cut a stream at its line breaks; of a line above `limit` bytes only the first `limit` + 1 are kept."""
    pending = bytearray()
    async for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for part in ended:
            pending += part[: max(limit + 1 - len(pending), 0)]
            yield bytes(pending)
            pending.clear()
        pending += rest[: max(limit + 1 - len(pending), 0)]
    if pending:
        yield bytes(pending)


def _read(  # noqa: PLR0913 - one line and all that judges it
    service: Service, line: bytes, number: int, tenant: str, new_sessions: dict[Scope, str], tally: _Tally, limit: int
) -> _Entry | None:
    if len(line) > limit:
        tally.reject(number, "line", f"has more than {limit:,} bytes")
        return None
    try:
        read = BulkLine.model_validate_json(line)
        turn = read.turn()
        service.check_turn(turn, "text")
    except ValidationError as error:
        first = error.errors()[0]
        tally.reject(number, located(first["loc"]) if first["loc"] else "line", why(dict(first)))
        return None
    except TooLarge as error:
        tally.reject(number, error.at, str(error))
        return None
    scope = read.scope(tenant)
    session_id = read.session_id or new_sessions.setdefault(scope, uuid4().hex)
    return _Entry(line=number, scope=scope, session_id=session_id, turn=turn)


async def _store(service: Service, batch: list[_Entry], tally: _Tally) -> None:
    grouped: dict[tuple[Scope, str], list[_Entry]] = {}
    for entry in batch:
        grouped.setdefault((entry.scope, entry.session_id), []).append(entry)
    wishes = [
        Remember(scope=scope, session_id=session_id, turns=[entry.turn for entry in entries])
        for (scope, session_id), entries in grouped.items()
    ]
    if not wishes:
        return
    try:
        receipts = await service.remember_many(wishes)
    except StoreUnavailable as fault:
        safe = f"{tally.stored} turns of this bulk are stored; send it again when the memory is back, they will not be doubled"
        raise StoreUnavailable(f"{fault.reason} ({safe})", full=fault.full) from fault
    for entries, receipt in zip(grouped.values(), receipts, strict=True):
        tally.stored += receipt.outcomes.count("stored")
        tally.duplicates += receipt.outcomes.count("duplicate")
        for entry, outcome in zip(entries, receipt.outcomes, strict=True):
            if outcome == "conflict":
                tally.reject(entry.line, "id", "is the id of another turn of the session; a turn is never altered")
