"""Restoring: archived decisions and answers put back, those that are there already left alone.

An id is one decision in the whole ledger. So a decision keeps its id where it is free, or its owner's already; where somebody else
has a decision of that id, it gets one derived of its owner and its id, the same each time. One that was emptied because what it
rested on was forgotten is filled again. Of what was said of an answer the last word counts, here and in the archive.

What an archive says is not trusted: a record must be a decision that can be read back, forgotten and added up. What it cost was
spent elsewhere, and is marked so. What an emptied decision has cost was spent here: that stays, and a record that cost something
else, or was made at another time, is not the one that was emptied.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Literal

import anyio
from pydantic import ValidationError
from sqlalchemy import Connection, Row, delete, insert, select, update

from cascade.decision import Decision, Hashes
from cascade.errors import UnsoundRecord
from cascade.storage.archive import ArchivedAnswer, ArchivedDecision
from cascade.storage.ledger import ASKED_IN, Owner, Shadow, decode_decision, row_of
from cascade.storage.schema import CACHED, DECISION, DECISION_TURN, FEEDBACK, SHADOW
from cascade.storage.transactions import Database, Transactions

__all__ = ["AnswerFate", "DecisionFate", "Restoring"]

DecisionFate = Literal["stored", "duplicate", "conflict"] | UnsoundRecord
AnswerFate = Literal["stored", "duplicate", "expired", "undecided", "too large"]

_LONGEST_ID = 256
_MOST = 2**31 - 1  # of what databases keep as an integer
_MOST_NANOUSD = 10**12  # 1,000 dollars: far above any decision, and millions of such can be added up
_CALENDAR = (datetime(1900, 1, 1, tzinfo=UTC), datetime(9998, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoring:
    """Puts decisions and answers back into a database that is handed in. Every method raises LedgerUnavailable.

    Answers above `max_bytes` are left out, and none is kept for longer than `longest` from now.
    """

    database: Database
    longest: timedelta
    max_bytes: int

    async def decisions(
        self, owner: Owner, archived: Sequence[ArchivedDecision], *, dry_run: bool = False
    ) -> list[DecisionFate]:
        """Store what is new, in one transaction, and say what became of each; with `dry_run`, only say it."""

        def work() -> list[DecisionFate]:
            transactions = Transactions(self.database)
            with transactions.reading() if dry_run else transactions.writing() as connection:
                return [_restore(connection, owner, one, dry_run=dry_run) for one in archived]

        return await anyio.to_thread.run_sync(work)

    async def answers(
        self, owner: Owner, archived: Sequence[ArchivedAnswer], key_of: Callable[[Mapping[str, Any], Hashes], str]
    ) -> list[AnswerFate]:
        """Store answers under the keys that `key_of` makes of their requests, in one transaction; say what became of each."""

        def work() -> list[AnswerFate]:
            with Transactions(self.database).writing() as connection:
                return [self._answer(connection, owner, one, key_of) for one in archived]

        return await anyio.to_thread.run_sync(work)

    def _answer(
        self,
        connection: Connection,
        owner: Owner,
        answer: ArchivedAnswer,
        key_of: Callable[[Mapping[str, Any], Hashes], str],
    ) -> AnswerFate:
        now = datetime.now(UTC)
        if answer.expires_at <= now:
            return "expired"
        found = _own(connection, owner, answer.decision_id)
        decision = decode_decision(found.record) if found and found.record else None
        if found is None or decision is None or not decision.verified:
            return "undecided"
        if len(found.record) > self.max_bytes:
            return "too large"
        key = key_of(answer.request, decision.hashes)
        if connection.execute(select(CACHED.c.key).where(CACHED.c.key == key, CACHED.c.expires_at > now)).first():
            return "duplicate"
        connection.execute(delete(CACHED).where(CACHED.c.key == key))
        row = {
            "key": key,
            "tenant_id": owner.tenant,
            "decision_id": found.id,
            "request": _json(answer.request),
            "bytes": len(found.record),
            "stored_at": min(answer.stored_at, now),
            "expires_at": min(answer.expires_at, now + self.longest),
        }
        connection.execute(insert(CACHED), row)
        return "stored"


def _checked(archived: ArchivedDecision) -> Decision:
    """Return the decision of an archived record. Raises UnsoundRecord, which says what in it cannot be."""
    try:
        record = _json(archived.record)
        record.encode()
        decision = decode_decision(record)
    except ValidationError as fault:
        first = fault.errors()[0]
        raise UnsoundRecord(at=".".join(str(step) for step in first["loc"]), why=first["msg"]) from None
    except UnicodeEncodeError:
        raise UnsoundRecord(at="record", why="holds half a surrogate pair, which is no character") from None
    for at, name in [("id", decision.id), *(("quotes", name) for quote in _used(decision) for name in quote)]:
        if not 0 < len(name) <= (_LONGEST_ID if at == "quotes" else 32) or "\x00" in name:
            raise UnsoundRecord(at=at, why="has an id that is empty, too long, or holds NUL")
    if decision.decided_at.tzinfo is None or not _CALENDAR[0] <= decision.decided_at <= _CALENDAR[1]:
        raise UnsoundRecord(at="decided_at", why="must be a time with a zone, from 1900 on")
    costs = [call.cost_nanousd for call in decision.calls]
    if not 0 <= decision.latency_ms <= _MOST or any(cost < 0 for cost in costs) or sum(costs) > _MOST_NANOUSD:
        raise UnsoundRecord(at="calls", why="has a time or a cost that is negative or too large")
    if any(not 0 <= attempt.context < len(decision.contexts) for attempt in decision.attempts):
        raise UnsoundRecord(at="attempts", why="names a context that the record does not have")
    return decision


def _restore(connection: Connection, owner: Owner, archived: ArchivedDecision, *, dry_run: bool) -> DecisionFate:
    try:
        decision = _checked(archived)
    except UnsoundRecord as unsound:
        return unsound
    found = _own(connection, owner, decision.id)
    if found is not None and found.record:
        known = json.loads(found.record) == {**archived.record, "id": found.id}
        return _judge(connection, owner, archived, found.id, dry_run=dry_run) if known else "conflict"
    if found is not None and (found.cost_nanousd, found.decided_at) != (decision.cost_nanousd, decision.decided_at):
        return "conflict"
    if not dry_run:
        name = found.id if found else _free_id(connection, owner, decision.id)
        _write(connection, owner, archived, replace(decision, id=name), anew=found is None)
    return "stored"


def _write(connection: Connection, owner: Owner, archived: ArchivedDecision, decision: Decision, *, anew: bool) -> None:
    """Write a decision's rows; of one that is not `anew`, fill those that forgetting has emptied, but for what they cost."""
    row = row_of(decision, owner, archived.frontier_nanousd)
    row["record"] = _json({**archived.record, "id": decision.id})
    if anew:
        connection.execute(insert(DECISION), row | {"imported": True})
    else:
        connection.execute(update(DECISION).where(DECISION.c.id == decision.id).values(row))
    used = dict.fromkeys(_used(decision))
    if archived.session_id is not None:
        used[archived.session_id, ASKED_IN] = None
    turns = [{"decision_id": decision.id, "session_key": session, "turn_key": turn} for session, turn in used]
    if turns:
        connection.execute(insert(DECISION_TURN), turns)
    if archived.shadow:
        _write_shadow(connection, owner, archived.shadow, decision.id)
    _judge(connection, owner, archived, decision.id, dry_run=False)


def _write_shadow(connection: Connection, owner: Owner, shadow: Shadow, decision_id: str) -> None:
    row = _shadow_row(shadow, decision_id, owner)
    outcome = {name: row[name] for name in ("agrees", "overlap", "answer")}
    if not connection.execute(update(SHADOW).where(SHADOW.c.decision_id == decision_id).values(outcome)).rowcount:
        connection.execute(insert(SHADOW), row)


def _judge(
    connection: Connection, owner: Owner, archived: ArchivedDecision, decision_id: str, *, dry_run: bool
) -> Literal["stored", "duplicate"]:
    """Store what was said of a decision that is here, unless something was said later."""
    said = archived.feedback
    if said is None:
        return "duplicate"
    own = FEEDBACK.c.decision_id == decision_id
    given_at = connection.execute(select(FEEDBACK.c.given_at).where(own)).scalar()
    if given_at is not None and given_at >= said.given_at:
        return "duplicate"
    if not dry_run:
        connection.execute(delete(FEEDBACK).where(own))
        row = {"tenant_id": owner.tenant, "correct": said.correct, "given_at": said.given_at}
        connection.execute(insert(FEEDBACK), row | {"decision_id": decision_id})
    return "stored"


def _shadow_row(shadow: Shadow, decision_id: str, owner: Owner) -> dict[str, Any]:
    return asdict(shadow) | {"decision_id": decision_id, "tenant_id": owner.tenant}


def _own(connection: Connection, owner: Owner, decision_id: str) -> Row[str, str, int, datetime] | None:
    """Return the row that this decision has, or would have, with this owner, under its own id or the derived one."""
    query = select(DECISION.c.id, DECISION.c.record, DECISION.c.cost_nanousd, DECISION.c.decided_at).where(
        DECISION.c.id.in_([decision_id, _derived(owner, decision_id)]),
        DECISION.c.tenant_id == owner.tenant,
        DECISION.c.user_id == owner.user_id,
        DECISION.c.agent_id == owner.agent_id,
    )
    return connection.execute(query).first()


def _free_id(connection: Connection, owner: Owner, decision_id: str) -> str:
    taken = connection.execute(select(DECISION.c.id).where(DECISION.c.id == decision_id)).first()
    return _derived(owner, decision_id) if taken else decision_id


def _derived(owner: Owner, decision_id: str) -> str:
    parts = json.dumps([owner.tenant, owner.user_id, owner.agent_id, decision_id])
    return blake2b(parts.encode(), digest_size=16).hexdigest()


def _used(decision: Decision) -> list[tuple[str, str]]:
    """Return the turns that a decision holds words of, so that forgetting them finds it; early records have no contexts."""
    quotes = [quote for brief in (decision.brief, *decision.contexts) for quote in brief.quotes]
    return [(quote.session_id, quote.turn_id) for quote in (*quotes, *decision.citations)]


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
