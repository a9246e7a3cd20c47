"""POST /v1/responses, GET and DELETE /v1/responses/{id}, POST /v1/responses/compact."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import time
from typing import Any

from fastapi import APIRouter, Request
from starlette.convertors import register_url_convertor
from starlette.responses import JSONResponse, Response

from cascade.errors import TierDown
from cascade.storage.responses import StoredResponse
from tirtha.caller import Caller
from tirtha.chat_api.answers import EventStream, block, headers, sse, stream_headers
from tirtha.chat_api.description import EITHER, OPENAI_ERRORS
from tirtha.chat_api.named import Named, is_task, named
from tirtha.chat_api.responses.from_chat import Event, Writer, events_of
from tirtha.chat_api.responses.items import INSTRUCTIONS, Item, compaction_item
from tirtha.chat_api.responses.prompt import ResponseIn, ResponsePrompt
from tirtha.http.dependencies import Reader, Served
from tirtha.http.dependencies import Writer as MayWrite
from tirtha.http.routing import IdConvertor
from tirtha.http.schemas.fields import ItemId
from tirtha.http.strict_route import LenientRoute
from tirtha.operations.chat.asked import Begun, ChatAsked, ChatOutcome
from tirtha.operations.chat.run import ChatStream
from tirtha.operations.chat.set_apart import is_interface_task
from tirtha.operations.chat.stored import RESPONSE_PREFIX
from tirtha.service import Service

__all__ = ["router"]


class _ResponseId(IdConvertor):
    """The id of a response as a segment of a path: so that "compact" is none."""

    regex = "resp_[^/]+"


register_url_convertor("response", _ResponseId())

router = APIRouter(route_class=LenientRoute, responses=OPENAI_ERRORS)

_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})
_ECHOED: tuple[tuple[str, Any], ...] = (  # what a response repeats of its request, and the API's defaults
    ("instructions", None), ("metadata", {}), ("temperature", 1.0), ("top_p", 1.0), ("presence_penalty", 0.0),
    ("frequency_penalty", 0.0), ("tool_choice", "auto"), ("parallel_tool_calls", True), ("max_output_tokens", None),
    ("max_tool_calls", None), ("reasoning", None), ("text", {"format": {"type": "text"}}), ("truncation", "disabled"),
    ("top_logprobs", 0), ("user", None), ("safety_identifier", None), ("prompt_cache_key", None), ("service_tier", "default"),
)  # fmt: skip


@router.post("/v1/responses", response_class=JSONResponse, responses=EITHER)
async def create_response(body: ResponseIn, request: Request, service: Served, caller: Reader) -> Response:
    """Answer a conversation with memory: the OpenAI API's responses, with an object `tirtha` in request and answer.

    Send `stream: true` for server-sent events.
    """
    made = await _Making.begun(body, request, service, caller)
    if not body.stream:
        outcome = await service.chat(caller, made.asked)
        return JSONResponse(await made.whole(outcome), headers=headers(outcome))
    said = await service.chat.stream(caller, made.asked)
    if isinstance(said, ChatOutcome):
        return EventStream(made.afterwards(said), headers(said))
    return EventStream(made.as_said(said), stream_headers(said.begun), said)


@router.get("/v1/responses/{response_id:response}")
async def response(response_id: ItemId, service: Served, caller: Reader) -> dict[str, Any]:
    """Show a stored response."""
    stored = await service.responses.read(caller, response_id)
    return stored.body


@router.delete("/v1/responses/{response_id:response}")
async def delete_response(response_id: ItemId, service: Served, caller: MayWrite) -> dict[str, Any]:
    """Remove a stored response; what was remembered of its conversation stays."""
    await service.responses.remove(caller, response_id)
    return {"id": response_id, "object": "response", "deleted": True}


@router.post("/v1/responses/compact", response_class=JSONResponse)
async def compact_response(body: ResponseIn, request: Request, service: Served, caller: Reader) -> Response:
    """Shorten a conversation: its last turns stay whole, what leaves it is remembered and stands as evidence for what is open."""
    made = await _Making.begun(body, request, service, caller)
    compacted = await service.compact(caller, made.asked)
    kept = made.prompt.kept(compacted.first)
    output: list[Item] = [item for item in kept if item.get("role") in INSTRUCTIONS]
    if compacted.first:
        notes = compacted.brief.text if compacted.brief else ""
        output.append(compaction_item(notes, item_id=f"cmp_{compacted.id}"))
    output += [item for item in kept if item.get("role") not in INSTRUCTIONS and item["type"] != "compaction"]
    shown = {
        "id": f"{RESPONSE_PREFIX}{compacted.id}",
        "object": "response.compaction",
        "created_at": int(time()),
        "output": [_with_id(item, f"{compacted.id}_{place}") for place, item in enumerate(output)],
        "usage": _NO_USAGE,
    }
    headers = {"x-tirtha-session": compacted.session_id} if compacted.session_id else {}
    return JSONResponse(shown, headers=headers)


_NO_USAGE = {
    "input_tokens": 0,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens": 0,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Making:
    """A response that is being made: what it was asked with, and what it goes on from."""

    body: ResponseIn
    service: Service
    caller: Caller
    earlier: Sequence[StoredResponse]
    prompt: ResponsePrompt
    asked: ChatAsked
    created_at: int = field(default_factory=lambda: int(time()))

    @classmethod
    async def begun(cls, body: ResponseIn, request: Request, service: Service, caller: Caller) -> "_Making":
        """Read a request, and what was stored of its conversation. Raises UnknownResponse and BadChat."""
        whom = named(request, caller, body.names)
        earlier = await _earlier(body, whom, service, caller)
        items = [item for one in earlier for item in (*one.input, *one.body.get("output", ()))]
        prompt = ResponsePrompt(body, items)
        asked = body.asked(prompt, whom, task=is_task(request) or is_interface_task(prompt.turns))
        asked = replace(asked, window=body.window)
        if earlier:
            asked = _going_on(asked, whom, earlier[-1])
        return cls(body=body, service=service, caller=caller, earlier=earlier, prompt=prompt, asked=asked)

    async def whole(self, outcome: ChatOutcome) -> dict[str, Any]:
        """Return the response, stored."""
        shown = self._response(outcome)
        await self._keep(outcome.begun, shown)
        return {**shown, "tirtha": block(outcome)}

    async def afterwards(self, outcome: ChatOutcome) -> AsyncIterator[bytes]:
        """Send a response that was checked before as a stream."""
        for event in events_of(await self.whole(outcome)):
            yield sse(event, event=event["type"])

    async def as_said(self, said: ChatStream) -> AsyncIterator[bytes]:
        """Send events on as they come; the last one waits until the response is stored, and carries what became of it."""
        events = self._translated(said) if said.protocol == "chat" else self._passed_on(said)
        async for event in events:
            yield sse(event, event=event["type"])

    async def _translated(self, said: ChatStream) -> AsyncIterator[Event]:
        writer = Writer(self._base(said.begun))
        for event in writer.begin():
            yield event
        try:
            async for chunk in said:
                for event in writer.hear(chunk):
                    yield event
        except TierDown as fault:
            for event in writer.fail(str(fault)):
                yield event
            return
        events = list(writer.end({"tirtha": block(said.outcome)} if said.outcome else {}))
        await self._keep(said.begun, events[-1]["response"])
        for event in events:
            yield event

    async def _passed_on(self, said: ChatStream) -> AsyncIterator[Event]:
        """Pass a server's own events on; its response goes by our id."""
        last: Event | None = None
        number = 0
        try:
            async for event in said:
                number = event.get("sequence_number", number)
                shown = (
                    {**event, "response": self._ours(said.begun, event["response"])} if "response" in event else event
                )
                if event.get("type") in _ENDS:
                    last = shown
                else:
                    yield shown
        except TierDown as fault:
            failed = {**self._base(said.begun), "status": "failed", "output": []}
            error = {"code": "server_error", "message": str(fault)}
            yield {"type": "response.failed", "sequence_number": number + 1, "response": {**failed, "error": error}}
            return
        if last is not None and said.outcome is not None:
            await self._keep(said.begun, last["response"])
            yield {**last, "response": {**last["response"], "tirtha": block(said.outcome)}}

    def _response(self, outcome: ChatOutcome) -> dict[str, Any]:
        if outcome.protocol == "responses":
            return self._ours(outcome.begun, outcome.response)
        writer = Writer(self._base(outcome.begun))
        choices = [{**choice, "delta": choice.get("message") or {}} for choice in outcome.response.get("choices") or ()]
        for _ in writer.hear({**outcome.response, "choices": choices}):
            pass
        *_, last = writer.end({})
        shown: dict[str, Any] = last["response"]
        return shown

    def _base(self, begun: Begun) -> dict[str, Any]:
        sent = self.body.sent()
        return {
            "id": f"{RESPONSE_PREFIX}{begun.decision_id}",
            "object": "response",
            "created_at": self.created_at,
            "model": self.body.model,
            "error": None,
            "background": False,
            "tools": [_tool(tool) for tool in sent.get("tools") or ()],
            **{name: sent.get(name) if sent.get(name) is not None else default for name, default in _ECHOED},
            **self._place(begun),
        }

    def _ours(self, begun: Begun, response: Mapping[str, Any]) -> dict[str, Any]:
        return {**response, "id": f"{RESPONSE_PREFIX}{begun.decision_id}", **self._place(begun)}

    def _place(self, begun: Begun) -> dict[str, Any]:
        """Return the fields that say which conversation a response belongs to."""
        previous = f"{RESPONSE_PREFIX}{self.earlier[-1].decision_id}" if self.earlier else None
        session = begun.session_id if self.body.conversation is not None else None
        return {
            "previous_response_id": previous,
            "conversation": {"id": session} if session else None,
            "store": self.body.store is not False,
        }

    async def _keep(self, begun: Begun, response: Mapping[str, Any]) -> None:
        if self.body.store is False:
            return
        body = {name: value for name, value in response.items() if name != "tirtha"}
        previous_id = self.earlier[-1].decision_id if self.earlier else None
        await self.service.responses.keep(self.caller, begun, previous_id=previous_id, sent=self.prompt.new, body=body)


def _going_on(asked: ChatAsked, whom: Named, before: StoredResponse) -> ChatAsked:
    """Return a request as of the user, the agent and the session of the response before it, where it names none itself."""
    return replace(
        asked,
        user_id=before.owner.user_id or None if whom.named_user is None else asked.user_id,
        agent_id=asked.agent_id or before.owner.agent_id or None,
        session_id=asked.session_id or before.session_id or None,
    )


async def _earlier(body: ResponseIn, whom: Named, service: Service, caller: Caller) -> Sequence[StoredResponse]:
    """Return the responses that a request goes on from: by id, or by its conversation."""
    if body.previous_response_id is not None:
        return await service.responses.chain(caller, body.previous_response_id, user_id=whom.named_user)
    if body.conversation is not None and whom.session_id is not None:
        agent_id = body.options.agent_id
        return await service.responses.of_session(caller, whom.session_id, user_id=whom.user_id, agent_id=agent_id)
    return ()


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tool as a response repeats it: with the fields that a request may leave out."""
    more = {"description": None, "parameters": None, "strict": None} if tool.get("type") == "function" else {}
    return {**more, **tool}


def _with_id(item: Item, number: str) -> Item:
    """Return an item as a response lists it."""
    if item["type"] != "message" or "id" in item:
        return item
    content = item.get("content")
    kind = "output_text" if item["role"] == "assistant" else "input_text"
    if isinstance(content, str):
        more: dict[str, Any] = {"annotations": []} if kind == "output_text" else {}
        content = [{"type": kind, "text": content, **more}]
    return {**item, "id": f"msg_{number}", "status": "completed", "content": content}
