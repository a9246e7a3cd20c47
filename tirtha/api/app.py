"""The ASGI application: routes that translate between HTTP and the service, and hold no decision of their own."""

import json
import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request
from fastapi.routing import APIRoute
from fastapi.sse import EventSourceResponse, format_sse_event
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope as AsgiScope

import tirtha
from memory import Scope
from tirtha.api.answers import AskOut, DecisionOut, StatsOut
from tirtha.api.bulk import remember_stream
from tirtha.api.door import NDJSON, Door
from tirtha.api.problems import Problem, register
from tirtha.api.requests import (
    AgentQuery,
    AskIn,
    ContextIn,
    OwnerQuery,
    RecallIn,
    RememberIn,
    SessionsQuery,
    TurnQuery,
)
from tirtha.api.responses import (
    BulkOut,
    ContextOut,
    ForgotOut,
    HealthOut,
    RecallOut,
    RememberOut,
    SessionOut,
    SessionsOut,
)
from tirtha.service import Forgot, Service
from tirtha.settings import LOOPBACK

__all__ = ["create_app"]

_TENANT = "default"  # without API keys there is one tenant, and only loopback reaches it
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "content": {"application/problem+json": {}}} for status in (400, 409, 413, 422, 503, 507)
}


def create_app(service: Service) -> FastAPI:
    """Build the application over an open service; whoever opened it closes it after the application has stopped."""
    app = FastAPI(
        title="Tirtha",
        version=tirtha.__version__,
        docs_url=None,  # their pages load scripts from the internet; /openapi.json is served
        redoc_url=None,
    )
    app.state.service = service
    app.add_middleware(Door, hosts=LOOPBACK, max_body_bytes=service.settings.max_body_bytes)
    register(app)
    app.include_router(_routes)
    return app


class _NdjsonRoute(APIRoute):
    """A route that only answers to newline-delimited JSON, so that it can share a path."""

    def matches(self, scope: AsgiScope) -> tuple[Match, AsgiScope]:
        """Match on the content type as well."""
        headers = dict(scope.get("headers", ()))
        if not headers.get(b"content-type", b"").decode("latin-1").lower().startswith(NDJSON):
            return Match.NONE, {}
        return super().matches(scope)


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Served = Annotated[Service, Depends(_service)]
_routes = APIRouter(responses=_PROBLEMS)


async def _remember_bulk(request: Request, service: Served) -> BulkOut:
    """Remember one turn a line; bad lines are left out and named."""
    return await remember_stream(service, request.stream(), tenant=_TENANT)


for _path in ("/v1/remember", "/remember"):
    _routes.add_api_route(
        _path,
        _remember_bulk,
        methods=["POST"],
        status_code=201,
        include_in_schema=False,
        route_class_override=_NdjsonRoute,
    )


@_routes.post("/remember", status_code=201, include_in_schema=False)
@_routes.post("/v1/remember", status_code=201)
async def remember(body: RememberIn, service: Served) -> RememberOut:
    """Remember turns of one session; durable when answered. As application/x-ndjson: one turn a line, in bulk."""
    turns = [turn.turn() for turn in body.turns]
    receipt, indexed = await service.remember(body.scope(_TENANT), body.session_id, turns, wait=body.wait)
    return RememberOut.of(receipt, indexed=indexed)


@_routes.post("/v1/recall")
async def recall(body: RecallIn, service: Served) -> RecallOut:
    """Find the turns that say most on a question, best first."""
    return RecallOut.of(await service.recall(body.ask(_TENANT), limit=body.limit))


@_routes.post("/v1/context")
async def context(body: ContextIn, service: Served) -> ContextOut:
    """Distil what the memory holds on a question into a context within the budget."""
    return ContextOut.of(await service.context(body.ask(_TENANT)))


@_routes.post("/ask", response_model=AskOut, include_in_schema=False)
@_routes.post("/v1/ask", response_model=AskOut)
async def ask(body: AskIn, service: Served, request: Request, response: Response) -> AskOut | Response:
    """Answer a question from memory with citations, or abstain; `stream` sends the verified answer as events.

    `task: code` writes a program that passes the given tests. `Cache-Control: no-store` goes past the exact cache.
    """
    use_cache = "no-store" not in request.headers.get("cache-control", "")
    if body.task == "code":
        owner = body.owner(_TENANT)
        answered = await service.write_code(body.code_task(), owner, max_tier=body.max_tier, use_cache=use_cache)
    else:
        answered = await service.ask(body.ask(_TENANT), use_cache=use_cache)
    shown = AskOut.of(answered.decision)
    told = _events(shown) if body.stream else response
    told.headers["x-tirtha-cache"] = answered.cache
    return told if body.stream else shown


@_routes.get("/v1/decisions/{decision_id}")
async def decision(decision_id: str, service: Served) -> DecisionOut:
    """Read how an earlier question was answered."""
    return DecisionOut.of(await service.decision(decision_id, tenant=_TENANT))


@_routes.get("/v1/sessions")
async def sessions(query: Annotated[SessionsQuery, Query()], service: Served) -> SessionsOut:
    """List a scope's sessions, oldest first."""
    found = await service.sessions(query.scope(_TENANT), limit=query.limit, after=query.cursor)
    more = found[-1].session_id if len(found) == query.limit else None
    return SessionsOut(sessions=[SessionOut.of(summary) for summary in found], next=more)


@_routes.get("/v1/stats")
async def stats(service: Served) -> StatsOut:
    """Add up the decisions: where requests ended, what they cost, how long they took."""
    return StatsOut.of(await service.stats(tenant=_TENANT))


@_routes.delete("/v1/memories/{turn_id}")
async def forget_turn(turn_id: str, query: Annotated[TurnQuery, Query()], service: Served) -> ForgotOut:
    """Forget one turn, with every copy of it."""
    return _forgot(await service.forget(query.scope(_TENANT), session_id=query.session_id, turn_id=turn_id))


@_routes.delete("/v1/sessions/{session_id}")
async def forget_session(session_id: str, query: Annotated[OwnerQuery, Query()], service: Served) -> ForgotOut:
    """Forget one session, with every copy of it."""
    return _forgot(await service.forget(query.scope(_TENANT), session_id=session_id))


@_routes.delete("/v1/users/{user_id}")
async def forget_user(user_id: str, query: Annotated[AgentQuery, Query()], service: Served) -> ForgotOut:
    """Forget everything of a user, or what one agent remembers of them."""
    if query.agent_id is None:
        return _forgot(await service.forget_user(_TENANT, user_id))
    return _forgot(await service.forget(Scope(tenant=_TENANT, user_id=user_id, agent_id=query.agent_id)))


@_routes.get("/healthz", response_model_exclude_none=True)
async def healthz() -> HealthOut:
    """Say that the process answers."""
    return HealthOut(status="ok", version=tirtha.__version__)


@_routes.get("/readyz")
async def readyz(service: Served) -> HealthOut:
    """Say that turns can be stored and recalled; 503 if they cannot."""
    turns, waiting = await service.ready()
    return HealthOut(status="ready", version=tirtha.__version__, turns=turns, waiting=waiting)


def _forgot(forgot: Forgot) -> ForgotOut:
    if not forgot.turns and not forgot.decisions:
        raise HTTPException(404, "nothing of that is remembered")
    return ForgotOut.of(forgot)


def _events(answered: AskOut) -> Response:
    """Send an answer word by word and then the whole decision; it was verified before its first word goes out."""
    frames = [("delta", {"text": words}) for words in re.findall(r"\S+\s*", answered.answer)]
    frames.append(("decision", answered.model_dump(mode="json")))
    return EventSourceResponse(format_sse_event(event=event, data_str=json.dumps(data)) for event, data in frames)
