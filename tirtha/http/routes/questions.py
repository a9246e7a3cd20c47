"""POST /v1/recall, /v1/context and /v1/ask: what the memory holds on a question."""

import json
import re
from typing import Any

from fastapi import APIRouter, Request
from fastapi.sse import EventSourceResponse, format_sse_event
from starlette.responses import Response

from tirtha.http.dependencies import Reader, Served
from tirtha.http.schemas.answers import AskOut
from tirtha.http.schemas.requests import AskIn, ContextIn, RecallIn
from tirtha.http.schemas.responses import ContextOut, RecallOut
from tirtha.http.strict_route import StrictRoute

__all__ = ["router"]

router = APIRouter(route_class=StrictRoute)

_EVENT = {
    "description": "an event: a few words as they are sent, and at last the decision, as without `stream`; `data` is JSON",
    "type": "object",
    "properties": {"event": {"enum": ["delta", "decision"]}, "data": {"type": "string"}},
    "required": ["event", "data"],
}
_ANSWERED: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/event-stream": {"schema": _EVENT}},
        "headers": {"X-Tirtha-Cache": {"schema": {"type": "string"}, "required": True}},
    }
}


@router.post("/v1/recall")
async def recall(body: RecallIn, service: Served, caller: Reader) -> RecallOut:
    """Find the turns that say most on a question, best first."""
    return RecallOut.of(await service.recall(caller, body.request()))


@router.post("/v1/context")
async def context(body: ContextIn, service: Served, caller: Reader) -> ContextOut:
    """Distil what the memory holds on a question into a context within the budget."""
    return ContextOut.of(await service.context(caller, body.request()))


@router.post("/ask", response_model=AskOut, include_in_schema=False)
@router.post("/v1/ask", response_model=AskOut, responses=_ANSWERED)
async def ask(body: AskIn, service: Served, caller: Reader, request: Request, response: Response) -> AskOut | Response:
    """Answer a question from memory with citations, or abstain; `stream` sends the verified answer as events.

    `task: code` writes a program that passes the given tests. `Cache-Control: no-store` goes past the exact cache.
    """
    use_cache = "no-store" not in request.headers.get("cache-control", "")
    if body.task == "code":
        answered = await service.write_code(caller, body.code_request(use_cache=use_cache))
    else:
        answered = await service.ask(caller, body.request(use_cache=use_cache))
    shown = AskOut.of(answered.decision)
    sent = _events(shown) if body.stream else response
    sent.headers["x-tirtha-cache"] = answered.cache
    return sent if body.stream else shown


def _events(answered: AskOut) -> Response:
    """Send an answer word by word and then the whole decision; it was verified before its first word goes out."""
    frames = [("delta", {"text": words}) for words in re.findall(r"\S+\s*", answered.answer)]
    frames.append(("decision", answered.model_dump(mode="json")))
    return EventSourceResponse(format_sse_event(event=event, data_str=json.dumps(data)) for event, data in frames)
