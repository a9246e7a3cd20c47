"""Forget: a turn, a session or everything of a user, with every copy in answers, decision records and caches.

Or keep a turn, and follow none of its standing instructions any more.
"""

from dataclasses import dataclass

from cascade.storage.ledger import Ledger
from compaction import forget_rows
from memory import Scope
from memory.api import Memory
from tirtha.audit.entries import What
from tirtha.audit.log import AuditLog
from tirtha.caller import Caller
from tirtha.operations.answering import owner_of
from tirtha.operations.under_way import UnderWay

__all__ = ["Forget", "ForgetRequest", "Forgot", "SwitchOffInstructions", "SwitchedOff"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetRequest:
    """What to forget of a user: a turn of a session, a session, or, without either, everything.

    Without `agent_id`, everything of a user means what every agent remembers of them, too.
    """

    user_id: str
    agent_id: str | None = None
    session_id: str | None = None
    turn_id: str | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for a turn without its session: turns are named within one."""
        if self.turn_id is not None and self.session_id is None:
            raise ValueError("a turn is named by its session and its own id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgot:
    """How much was forgotten: turns, sessions that are empty now, and decisions that rested on them; the epoch after it."""

    turns: int
    sessions: int
    decisions: int
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forget:
    """Remove for good. Raises StoreUnavailable and LedgerUnavailable; what is done by then stays done, and a new try goes on.

    First the truth, so that no new question finds it; then decisions and cached answers, those under way too; then, of a user, the
    name in the audit log; then the copies in the files of the index and the database, and in this process.
    """

    memory: Memory
    ledger: Ledger
    under_way: UnderWay
    audit: AuditLog

    async def __call__(self, caller: Caller, request: ForgetRequest) -> Forgot:
        """Forget what the request names; what is not there is no error."""
        caller.require("write")
        scopes = [caller.scope(request.user_id, request.agent_id)]
        if request.session_id is None and request.agent_id is None:
            agents = {*await self.memory.agents(caller.tenant, request.user_id), None}
            agents |= await self.ledger.agents(caller.tenant, request.user_id)  # of those that were only asked, too
            scopes = [caller.scope(request.user_id, agent) for agent in agents]
        each = [await self._forget(scope, request.session_id, request.turn_id) for scope in scopes]
        forgot = Forgot(
            turns=sum(one.turns for one in each),
            sessions=sum(one.sessions for one in each),
            decisions=sum(one.decisions for one in each),
            epoch=max((one.epoch for one in each), default=0),
        )
        await self._note(caller, request, forgot)
        forget_rows()
        await self.memory.wipe()
        return forgot

    async def _note(self, caller: Caller, request: ForgetRequest, forgot: Forgot) -> None:
        """Note it in the audit log, and name there no more whom all of was forgotten, by whatever number of tries."""
        user_id, agent_id = request.user_id, request.agent_id
        if forgot.turns or forgot.decisions:
            await self.audit.record(caller, what=_what(request), user_id=user_id, agent_id=agent_id, count=forgot.turns)
        if request.session_id is None and agent_id is None:
            await self.audit.forget_user(caller.tenant, user_id)

    async def _forget(self, scope: Scope, session_id: str | None, turn_id: str | None) -> Forgot:
        forgotten = await self.memory.forget(scope, session_id=session_id, turn_id=turn_id)
        owner = owner_of(scope)
        async with self.under_way.recording:
            self.under_way.note(owner, session_id=session_id, turn_id=turn_id)
            # By name and not by what was found: an earlier try may have got as far as the turns themselves.
            if session_id is None:
                emptied = await self.ledger.forget(owner, None)
            elif turn_id is None:
                emptied = await self.ledger.forget_session(owner, session_id)
            else:
                emptied = await self.ledger.forget(owner, [(session_id, turn_id)])
        return Forgot(
            turns=len(forgotten.turns) if forgotten else 0,
            sessions=len(forgotten.sessions) if forgotten else 0,
            decisions=emptied,
            epoch=forgotten.epoch if forgotten else 0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchedOff:
    """How many instructions of a turn are off now, and the scope's epoch."""

    instructions: int
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchOffInstructions:
    """Follow no instruction of a turn any more, without forgetting it. Raises StoreUnavailable.

    The epoch rises, so no stored answer from before is served again.
    """

    memory: Memory
    audit: AuditLog

    async def __call__(self, caller: Caller, request: ForgetRequest) -> SwitchedOff | None:
        """Switch off those of the turn that the request names; None if no such turn is remembered, or it gives none.

        Raises:
            ValueError: the request names no turn of a session.
            StoreUnavailable: the database cannot be written.
        """
        caller.require("write")
        if request.session_id is None or request.turn_id is None:
            raise ValueError("instructions are switched off by the turn that tells them")
        done = await self.memory.instructions.switch_off(
            caller.scope(request.user_id, request.agent_id), session_id=request.session_id, turn_id=request.turn_id
        )
        if done is None:
            return None
        count, epoch = done
        await self.audit.record(
            caller, what="instructions.off", user_id=request.user_id, agent_id=request.agent_id, count=count
        )
        return SwitchedOff(instructions=count, epoch=epoch)


def _what(request: ForgetRequest) -> What:
    if request.session_id is None:
        return "forget.user"
    return "forget.session" if request.turn_id is None else "forget.turn"
