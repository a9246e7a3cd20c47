"""What is remembered, to read and to forget: users, sessions, turns."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query

from tirtha.http.cursors import INSTRUCTIONS, SESSIONS, TURNS, TURNS_FOUND, USERS
from tirtha.http.dependencies import Reader, Served, Writer
from tirtha.http.schemas.fields import ItemId, OwnerId
from tirtha.http.schemas.queries import MemoriesQuery, SessionsQuery, TurnLookup, UsersQuery
from tirtha.http.schemas.requests import AgentQuery, ForgetIn, OwnerQuery, TurnQuery
from tirtha.http.schemas.responses import (
    ForgotOut,
    InstructionOut,
    InstructionsOut,
    SessionOut,
    SessionsOut,
    SwitchedOffOut,
    TurnOut,
    TurnsOut,
    UserOut,
    UsersOut,
)
from tirtha.http.strict_route import StrictRoute
from tirtha.operations.forget import ForgetRequest, Forgot, SwitchedOff

__all__ = ["router"]

router = APIRouter(route_class=StrictRoute)


@router.get("/v1/users")
async def users(query: Annotated[UsersQuery, Query()], service: Served, caller: Reader) -> UsersOut:
    """List the users of whom something is remembered, by name."""
    filters = (caller.tenant,)
    page = await service.users(caller, query.request(USERS.read(query.cursor, filters)))
    return UsersOut(users=[UserOut.of(user) for user in page.items], next=USERS.write(page.end, filters))


@router.get("/v1/sessions")
async def sessions(query: Annotated[SessionsQuery, Query()], service: Served, caller: Reader) -> SessionsOut:
    """List a scope's sessions, oldest first."""
    filters = (caller.tenant, query.user_id, query.agent_id)
    page = await service.sessions(caller, query.request(SESSIONS.read(query.cursor, filters)))
    return SessionsOut(sessions=[SessionOut.of(one) for one in page.items], next=SESSIONS.write(page.end, filters))


@router.get("/v1/memories")
async def memories(
    query: Annotated[MemoriesQuery, Query()], service: Served, caller: Reader
) -> TurnsOut | InstructionsOut:
    """List the turns of a scope or of a session, oldest first; with `query`, those that say most on it, best first.

    With kind=instruction, list what the user wants always, newest first.
    """
    filters = (caller.tenant, query.user_id, query.agent_id, query.session_id, query.query)
    if query.kind == "instruction":
        listed = await service.instructions(caller, query.instructions(INSTRUCTIONS.read(query.cursor, filters)))
        rows = [InstructionOut.of(one) for one in listed.items]
        return InstructionsOut(instructions=rows, next=INSTRUCTIONS.write(listed.end, filters))
    if query.query is not None:
        found = await service.search(caller, query.search(query.query, TURNS_FOUND.read(query.cursor, filters)))
        return TurnsOut(turns=[TurnOut.of(turn) for turn in found.items], next=TURNS_FOUND.write(found.end, filters))
    page = await service.turns(caller, query.request(TURNS.read(query.cursor, filters)))
    return TurnsOut(turns=[TurnOut.of(turn) for turn in page.items], next=TURNS.write(page.end, filters))


@router.get("/v1/memories/{turn_id:id}")
async def turn(turn_id: ItemId, query: Annotated[TurnLookup, Query()], service: Served, caller: Reader) -> TurnOut:
    """Read one turn. Its session must be named if another has a turn of the same id."""
    found = await service.turn(caller, query.request(turn_id))
    if found is None:
        raise HTTPException(404, "nothing of that is remembered")
    return TurnOut.of(found)


@router.post("/v1/forget")
async def forget(body: ForgetIn, service: Served, caller: Writer) -> ForgotOut | SwitchedOffOut:
    """Forget a turn, a session or a user, with every copy: what the DELETEs do, for ids that a path cannot carry."""
    if body.kind == "instruction":
        return _switched_off(await service.switch_off(caller, body.request()))
    return _forgot(await service.forget(caller, body.request()))


@router.delete("/v1/memories/{turn_id:id}")
async def forget_turn(
    turn_id: ItemId, query: Annotated[TurnQuery, Query()], service: Served, caller: Writer
) -> ForgotOut | SwitchedOffOut:
    """Forget one turn, with every copy of it; with kind=instruction, switch off the instructions that it gives, and keep it."""
    request = ForgetRequest(
        user_id=query.user_id, agent_id=query.agent_id, session_id=query.session_id, turn_id=turn_id
    )
    if query.kind == "instruction":
        return _switched_off(await service.switch_off(caller, request))
    return _forgot(await service.forget(caller, request))


@router.delete("/v1/sessions/{session_id:id}")
async def forget_session(
    session_id: ItemId, query: Annotated[OwnerQuery, Query()], service: Served, caller: Writer
) -> ForgotOut:
    """Forget one session, with every copy of it."""
    request = ForgetRequest(user_id=query.user_id, agent_id=query.agent_id, session_id=session_id)
    return _forgot(await service.forget(caller, request))


@router.delete("/v1/users/{user_id:id}")
async def forget_user(
    user_id: OwnerId, query: Annotated[AgentQuery, Query()], service: Served, caller: Writer
) -> ForgotOut:
    """Forget everything of a user, or what one agent remembers of them."""
    return _forgot(await service.forget(caller, ForgetRequest(user_id=user_id, agent_id=query.agent_id)))


def _forgot(forgot: Forgot) -> ForgotOut:
    if not forgot.turns and not forgot.decisions:
        raise HTTPException(404, "nothing of that is remembered")
    return ForgotOut.of(forgot)


def _switched_off(switched: SwitchedOff | None) -> SwitchedOffOut:
    if switched is None:
        raise HTTPException(404, "no instruction of that turn is remembered")
    return SwitchedOffOut.of(switched)
