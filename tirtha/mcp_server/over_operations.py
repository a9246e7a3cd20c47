"""The memory behind the operations of an open service, as one caller may use it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from memory import NewTurn
from tirtha.caller import Caller
from tirtha.http.cursors import SESSIONS, TURNS
from tirtha.http.errors import OUR_FAULTS, answer_of
from tirtha.http.schemas.answers import AskOut
from tirtha.http.schemas.responses import ContextOut, ForgotOut, RememberOut, SessionOut, TurnOut
from tirtha.mcp_server.arguments import TurnArgument
from tirtha.mcp_server.errors import Refused
from tirtha.mcp_server.ports import Owner
from tirtha.mcp_server.results import (
    AskResult,
    ForgetResult,
    RecallResult,
    RememberResult,
    Session,
    SessionsResult,
    Turn,
    TurnsResult,
)
from tirtha.operations.ask import AskRequest
from tirtha.operations.context import ContextRequest
from tirtha.operations.forget import ForgetRequest
from tirtha.operations.listing import SessionsRequest, TurnsRequest
from tirtha.operations.remember import RememberRequest
from tirtha.service import Service

__all__ = ["MemoryOverOperations"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryOverOperations:
    """A memory whose every method is one operation of `service`, called by `caller`, whose rights it checks."""

    service: Service
    caller: Caller

    async def remember(self, owner: Owner, turns: Sequence[TurnArgument], session_id: str | None) -> RememberResult:
        """Keep turns of a conversation; of a new one by default."""
        said = [NewTurn(id=t.id, role=t.role, speaker=t.speaker, text=t.text, said_at=t.said_at) for t in turns]
        request = RememberRequest(user_id=owner.user_id, agent_id=owner.agent_id, session_id=session_id, turns=said)
        with _refusals():
            stored = RememberOut.of(await self.service.remember(self.caller, request))
        return RememberResult.model_validate(stored.model_dump())

    async def recall(self, owner: Owner, question: str, *, budget: int) -> RecallResult:
        """Return what was said on a question, within a budget of tokens."""
        request = ContextRequest(user_id=owner.user_id, agent_id=owner.agent_id, question=question, budget=budget)
        with _refusals():
            found = ContextOut.of(await self.service.context(self.caller, request))
        return RecallResult.model_validate(found.model_dump())

    async def ask(self, owner: Owner, question: str) -> AskResult:
        """Answer a question, or abstain."""
        request = AskRequest(user_id=owner.user_id, agent_id=owner.agent_id, question=question)
        with _refusals():
            answered = await self.service.ask(self.caller, request)
        return AskResult.model_validate(AskOut.of(answered.decision).model_dump())

    async def forget(self, owner: Owner, *, session_id: str | None, turn_id: str | None) -> ForgetResult:
        """Forget a turn, a conversation or, without either, everything of the owner."""
        request = ForgetRequest(user_id=owner.user_id, agent_id=owner.agent_id, session_id=session_id, turn_id=turn_id)
        with _refusals():
            forgot = ForgotOut.of(await self.service.forget(self.caller, request))
        return ForgetResult.model_validate(forgot.model_dump())

    async def sessions(self, owner: Owner, *, limit: int, cursor: str | None) -> SessionsResult:
        """List conversations, oldest first."""
        filters = (self.caller.tenant, owner.user_id, owner.agent_id)
        with _refusals():
            request = SessionsRequest(
                user_id=owner.user_id, agent_id=owner.agent_id, limit=limit, after=SESSIONS.read(cursor, filters)
            )
            page = await self.service.sessions(self.caller, request)
        found = [Session.model_validate(SessionOut.of(one).model_dump()) for one in page.items]
        return SessionsResult(sessions=found, next=SESSIONS.write(page.end, filters))

    async def turns(self, owner: Owner, session_id: str, *, limit: int, cursor: str | None) -> TurnsResult:
        """List the turns of a conversation, oldest first."""
        filters = (self.caller.tenant, owner.user_id, owner.agent_id, session_id, None)  # as of GET /v1/memories
        with _refusals():
            request = TurnsRequest(
                user_id=owner.user_id,
                agent_id=owner.agent_id,
                session_id=session_id,
                limit=limit,
                after=TURNS.read(cursor, filters),
            )
            page = await self.service.turns(self.caller, request)
        found = [Turn.model_validate(TurnOut.of(turn).model_dump()) for turn in page.items]
        return TurnsResult(turns=found, next=TURNS.write(page.end, filters))


@contextmanager
def _refusals() -> Iterator[None]:
    """Report our errors in their own words; others are for the boundary of the request."""
    try:
        yield
    except OUR_FAULTS as fault:
        raise Refused(str(fault), retry_after_s=answer_of(fault).retry_after_s) from fault
