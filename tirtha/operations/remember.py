"""Remember: keep turns of a session, verbatim and durable."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import uuid4

from memory import NewTurn, Receipt, Remember
from memory.api import Memory
from tirtha.audit.log import AuditLog, Change
from tirtha.caller import Caller
from tirtha.observation.observer import Observer
from tirtha.operations.limits import Limits
from tirtha.tenants.admission import Admission

__all__ = ["RememberRequest", "RememberTurns", "Remembered"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberRequest:
    """Turns of one session of a user, in the order they were said; a new session by default.

    `wait`: until they are durable, or until the index holds them. Either way the next query finds them. `text_fields` says, for
    errors, in which field of the caller's request the text of each turn was sent; `text` by default.
    """

    user_id: str
    agent_id: str | None = None
    session_id: str | None = None
    turns: Sequence[NewTurn]
    wait: Literal["durable", "indexed"] = "durable"
    text_fields: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What became of each turn, and whether the index holds them already."""

    receipt: Receipt
    indexed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberTurns:
    """Store the turns that are new.

    Raises TooLarge, TurnConflict, IndexBehind, TenantFull, RateLimited, AboveRate, StoreUnavailable; then nothing was stored.
    """

    memory: Memory
    limits: Limits
    admission: Admission
    audit: AuditLog
    observer: Observer

    async def __call__(self, caller: Caller, request: RememberRequest) -> Remembered:
        """Remember turns of one session."""
        caller.require("write")
        self.limits.check_turns(request.turns, request.text_fields)
        terms = await self.admission.storing(caller.tenant, request.user_id, len(request.turns))
        receipt = await self.memory.remember(
            _turns_of(caller, request),
            most_turns=terms.stored_turns,
            then=lambda receipt: self._note(caller, [request], [receipt]),
        )
        indexed = request.wait == "indexed" and await self.memory.until_indexed(receipt)
        return Remembered(receipt=receipt, indexed=indexed)

    async def many(self, caller: Caller, requests: Sequence[RememberRequest]) -> list[Receipt]:
        """Remember turns of many sessions in one transaction; a turn in conflict is left out and named in its receipt.

        The caller has checked each turn against the limits. While too many turns of a scope wait for the index, this waits, too;
        and where turns come faster than the tenant may store them.
        """
        caller.require("write")
        turns: Counter[str] = Counter()
        for request in requests:
            turns[request.user_id] += len(request.turns)
        terms = await self.admission.storing_in_bulk(caller.tenant, turns)
        return await self.memory.remember_many(
            [_turns_of(caller, request) for request in requests],
            most_turns=terms.stored_turns,
            then=lambda receipts: self._note(caller, requests, receipts),
        )

    def _note(self, caller: Caller, requests: Sequence[RememberRequest], receipts: Sequence[Receipt]) -> None:
        """Count what was stored, and note it in the audit log, an entry a scope; in the thread that stored it."""
        stored: Counter[tuple[str, str | None]] = Counter()
        for request, receipt in zip(requests, receipts, strict=True):
            stored[request.user_id, request.agent_id] += len(receipt.stored)
        self.observer.metrics.remembered(stored.total())
        self.audit.write([self._change(caller, user, agent, turns) for (user, agent), turns in stored.items() if turns])

    def _change(self, caller: Caller, user_id: str, agent_id: str | None, turns: int) -> Change:
        return self.audit.change(caller, what="remember", user_id=user_id, agent_id=agent_id, count=turns)


def _turns_of(caller: Caller, request: RememberRequest) -> Remember:
    scope = caller.scope(request.user_id, request.agent_id)
    return Remember(scope=scope, session_id=request.session_id or uuid4().hex, turns=request.turns)
