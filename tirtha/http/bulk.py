"""Bulk remembering: NDJSON in, one turn a line, stored in batches as it streams in; bad lines are named and left out.

Memory holds one batch at a time, whatever the length of the stream. The answer comes when all is durable. Where a scope's turns
come faster than they are indexed, the bulk waits for the index between two batches; no other request does. If the client goes away,
the batch at hand is stored or not, as a whole, and no other (`spool` notices).
"""

from codecs import BOM_UTF8
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import uuid4

import anyio.lowlevel
from pydantic import ValidationError

from memory import NewTurn, Receipt
from memory.errors import IndexBehind, StoreUnavailable, TenantFull
from tirtha.caller import Caller
from tirtha.errors import OtherUser, TooLarge
from tirtha.http.bodies import BadBody, check_encoding, read_json
from tirtha.http.errors import located, why
from tirtha.http.schemas.requests import BulkLine
from tirtha.http.schemas.responses import BulkOut, Rejected
from tirtha.operations.remember import RememberRequest
from tirtha.service import Service

__all__ = ["cut_lines", "remember_stream"]

_BATCH_TURNS = 128  # stored in one transaction, for which everybody else who writes waits
_LINES_AT_ONCE = 32  # read before other requests may be
_LISTED = 1_000

_Owner = tuple[str, str | None]  # user and agent


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    line: int
    owner: _Owner
    session_id: str
    turn: NewTurn


async def remember_stream(
    service: Service, caller: Caller, chunks: AsyncIterator[bytes], *, max_line_bytes: int
) -> BulkOut:
    """Remember every good line of a stream; what was stored before an error stays.

    When the client goes away, reading its next chunk raises ClientDisconnect: the lines at hand are not stored.

    Raises:
        BadBody: the stream is UTF-16 or UTF-32, which has no lines for us; nothing was stored.
        StoreUnavailable: storing fails.
        IndexBehind: the index does not go on.
        TenantFull: the tenant may not have so many turns.
    """
    caller.require("write")  # before a line is read, and if there is none
    bulk = _Bulk(service=service, caller=caller)
    number = 0
    async for line, size in cut_lines(chunks, max_line_bytes):
        number += 1
        if number == 1:
            check_encoding(line)
        if number % _LINES_AT_ONCE == 0:
            await anyio.lowlevel.checkpoint()
        if not line.removeprefix(BOM_UTF8).strip():
            continue
        bulk.received += 1
        if size > max_line_bytes:
            bulk.reject(number, "line", f"has {size:,} bytes; at most {max_line_bytes:,} are allowed")
        else:
            bulk.read(line, number)
        if len(bulk.batch) == _BATCH_TURNS:
            await bulk.store()
    await bulk.store()
    return bulk.report()


@dataclass(slots=True, kw_only=True)
class _Bulk:
    """One bulk on its way: the batch at hand, and the counts so far."""

    service: Service
    caller: Caller
    batch: list[_Entry] = field(default_factory=list)
    new_sessions: dict[_Owner, str] = field(default_factory=dict)
    received: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected_lines: int = 0
    rejected: list[Rejected] = field(default_factory=list)

    def read(self, line: bytes, number: int) -> None:
        """Take a line into the batch, or reject it."""
        try:
            read = BulkLine.model_validate(read_json(line))
            turn = read.turn()
            self.service.limits.check_turn(turn, read.text_field)
            self.caller.scope(read.user_id, read.agent_id)
        except BadBody as error:
            self.reject(number, "line" if error.at == "body" else error.at, error.why)
            return
        except ValidationError as error:
            first = error.errors()[0]
            self.reject(number, located(first["loc"]) if first["loc"] else "line", why(dict(first)))
            return
        except TooLarge as error:
            self.reject(number, error.at, str(error))
            return
        except OtherUser as error:
            self.reject(number, "user_id", str(error))
            return
        owner = (read.user_id, read.agent_id)
        session_id = read.session_id or self.new_sessions.setdefault(owner, uuid4().hex)
        self.batch.append(_Entry(line=number, owner=owner, session_id=session_id, turn=turn))

    async def store(self) -> None:
        """Store the batch, a request for each session in it, in one transaction."""
        grouped: dict[tuple[_Owner, str], list[_Entry]] = {}
        for entry in self.batch:
            grouped.setdefault((entry.owner, entry.session_id), []).append(entry)
        requests = [
            RememberRequest(
                user_id=user_id, agent_id=agent_id, session_id=session_id, turns=[entry.turn for entry in entries]
            )
            for ((user_id, agent_id), session_id), entries in grouped.items()
        ]
        self.batch.clear()
        if requests:
            receipts = await self._remembered(requests)
            for entries, receipt in zip(grouped.values(), receipts, strict=True):
                self._count(entries, receipt)

    def reject(self, line: int, at: str, reason: str) -> None:
        """Count a line that is not stored, and list it unless too many are."""
        self.rejected_lines += 1
        if len(self.rejected) < _LISTED:
            self.rejected.append(Rejected(line=line, at=at, why=reason))

    def report(self) -> BulkOut:
        """Return the counts, and the rejected lines."""
        return BulkOut(
            received=self.received,
            stored=self.stored,
            duplicates=self.duplicates,
            rejected_lines=self.rejected_lines,
            rejected=self.rejected,
        )

    async def _remembered(self, requests: list[RememberRequest]) -> list[Receipt]:
        try:
            return await self.service.remember.many(self.caller, requests)
        except StoreUnavailable as fault:
            safe = f"{self.stored} turns of this bulk are stored; send it again when the memory is back, they will not be doubled"
            raise StoreUnavailable(f"{fault.reason} ({safe})") from fault
        except TenantFull as full:
            raise TenantFull(
                tenant=full.tenant,
                turns=full.turns,
                new=full.new,
                limit=full.limit,
                stored=f"{self.stored} turns of this bulk are stored, and will not be doubled",
            ) from full
        except IndexBehind as behind:
            raise IndexBehind(
                scope_id=behind.scope_id,
                waiting=behind.waiting,
                limit=behind.limit,
                retry_after_s=behind.retry_after_s,
                stored=f"{self.stored} turns of this bulk are stored, and will not be doubled",
            ) from behind

    def _count(self, entries: list[_Entry], receipt: Receipt) -> None:
        self.stored += receipt.outcomes.count("stored")
        self.duplicates += receipt.outcomes.count("duplicate")
        for entry, outcome in zip(entries, receipt.outcomes, strict=True):
            if outcome == "conflict":
                self.reject(entry.line, "id", "is the id of another turn of the session; a turn is never altered")


async def cut_lines(chunks: AsyncIterator[bytes], limit: int) -> AsyncIterator[tuple[bytes, int]]:
    """Cut a stream at its line breaks into lines and their sizes; of a line above `limit` bytes only so many are kept."""
    pending, size = bytearray(), 0
    async for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for part in ended:
            yield bytes(pending + part[: limit - len(pending)]), size + len(part)
            pending, size = bytearray(), 0
        pending += rest[: limit - len(pending)]
        size += len(rest)
    if size:
        yield bytes(pending), size
