"""POST /v1/messages and POST /v1/messages/count_tokens: Anthropic's Messages API, with memory.

A request is passed on whole to a tier that speaks that protocol, its `anthropic-*` headers with it; nothing of it is translated.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from tirtha.caller import Caller
from tirtha.chat_api.answers import EventStream, headers, stream_headers
from tirtha.chat_api.description import ANTHROPIC_ERRORS, EITHER
from tirtha.chat_api.messages.claude_code import asks_for_itself, installation, is_claude_code
from tirtha.chat_api.messages.prompt import MessagesIn, MessagesPrompt, Passed
from tirtha.chat_api.messages.streams import afterwards, as_said, message
from tirtha.chat_api.named import is_task, named
from tirtha.http.dependencies import Reader, Served
from tirtha.http.strict_route import LenientRoute
from tirtha.operations.chat.asked import ChatOutcome
from tirtha.operations.chat.set_apart import is_interface_task

__all__ = ["router"]

router = APIRouter(route_class=LenientRoute, responses=ANTHROPIC_ERRORS)

_PASSED_ON = "anthropic-"  # how the headers begin that are meant for the model's server
Beta = Annotated[str | None, Query(description="passed on; the SDKs send it with requests of beta features")]


@router.post("/v1/messages", response_class=JSONResponse, responses=EITHER)
async def create_message(
    body: MessagesIn, request: Request, service: Served, caller: Reader, beta: Beta = None
) -> Response:
    """Answer a conversation with memory: Anthropic's Messages API, with an object `tirtha` in request and answer.

    Send `stream: true` for server-sent events.
    """
    whom = named(request, caller, body.names, metadata_user=_metadata_user(body, caller))
    prompt = MessagesPrompt(body, _passed(request, beta))
    asked = body.asked(prompt, whom, task=_is_task(request, body, prompt))
    if not body.stream:
        outcome = await service.chat(caller, asked)
        return JSONResponse(message(outcome), headers=headers(outcome))
    said = await service.chat.stream(caller, asked)
    if isinstance(said, ChatOutcome):
        return EventStream(afterwards(said), headers(said))
    return EventStream(as_said(said), stream_headers(said.begun), said)


@router.post("/v1/messages/count_tokens")
async def count_tokens(
    body: MessagesIn, request: Request, service: Served, caller: Reader, beta: Beta = None
) -> dict[str, Any]:
    """Count the tokens of a conversation, without notes, as the model's own server counts them; 404 where it does not."""
    prompt = MessagesPrompt(body, _passed(request, beta))
    return await service.count_tokens(
        caller, model=body.model, request=prompt.counting(), max_tier=body.options.max_tier
    )


def _passed(request: Request, beta: str | None) -> Passed:
    sent = {name for name in request.headers if name.startswith(_PASSED_ON)}
    return Passed(
        headers={name: ", ".join(request.headers.getlist(name)) for name in sorted(sent)},
        query={"beta": beta} if beta is not None else {},
        from_claude_code=is_claude_code(request.headers),
    )


def _is_task(request: Request, body: MessagesIn, prompt: MessagesPrompt) -> bool:
    """Return whether the client's program asks for itself: a title, say."""
    for_itself = is_claude_code(request.headers) and asks_for_itself(prompt.instructions, tools=bool(body.tools))
    return is_task(request) or for_itself or is_interface_task(prompt.turns)


def _metadata_user(body: MessagesIn, caller: Caller) -> object:
    """Return whom the metadata names: of Claude Code its installation, which says nothing against the user of a bound key."""
    user_id = body.user_id
    device = installation(user_id) if isinstance(user_id, str) else None
    if device is None:
        return user_id
    return device if caller.user_id is None else None
