"""What is remembered: sessions to list; turns, sessions and users to forget."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query

from memory import SessionSummary
from tirtha.http.dependencies import CalledBy, Served
from tirtha.http.schemas.requests import AgentQuery, OwnerQuery, SessionsQuery, TurnQuery
from tirtha.http.schemas.responses import ForgotOut, SessionOut, SessionsOut
from tirtha.http.strict_route import StrictRoute
from tirtha.operations.forget import ForgetRequest, Forgot

__all__ = ["router"]

router = APIRouter(route_class=StrictRoute)


@router.get("/v1/sessions")
async def sessions(query: Annotated[SessionsQuery, Query()], service: Served, caller: CalledBy) -> SessionsOut:
    """List a scope's sessions, oldest first."""
    found: list[SessionSummary] = await service.sessions(caller, query.request())
    more = found[-1].session_id if len(found) == query.limit else None
    return SessionsOut(sessions=[SessionOut.of(summary) for summary in found], next=more)


@router.delete("/v1/memories/{turn_id}")
async def forget_turn(
    turn_id: str, query: Annotated[TurnQuery, Query()], service: Served, caller: CalledBy
) -> ForgotOut:
    """Forget one turn, with every copy of it."""
    request = ForgetRequest(
        user_id=query.user_id, agent_id=query.agent_id, session_id=query.session_id, turn_id=turn_id
    )
    return _forgot(await service.forget(caller, request))


@router.delete("/v1/sessions/{session_id}")
async def forget_session(
    session_id: str, query: Annotated[OwnerQuery, Query()], service: Served, caller: CalledBy
) -> ForgotOut:
    """Forget one session, with every copy of it."""
    request = ForgetRequest(user_id=query.user_id, agent_id=query.agent_id, session_id=session_id)
    return _forgot(await service.forget(caller, request))


@router.delete("/v1/users/{user_id}")
async def forget_user(
    user_id: str, query: Annotated[AgentQuery, Query()], service: Served, caller: CalledBy
) -> ForgotOut:
    """Forget everything of a user, or what one agent remembers of them."""
    return _forgot(await service.forget(caller, ForgetRequest(user_id=user_id, agent_id=query.agent_id)))


def _forgot(forgot: Forgot) -> ForgotOut:
    if not forgot.turns and not forgot.decisions:
        raise HTTPException(404, "nothing of that is remembered")
    return ForgotOut.of(forgot)
