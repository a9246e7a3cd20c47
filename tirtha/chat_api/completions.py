"""POST /v1/chat/completions: a chat completion with memory, streamed or whole."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Any, cast

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from cascade.errors import TierDown
from cascade.model import RelayRequest, WireProtocol
from compaction import count_tokens
from tirtha.chat_api.answers import EventStream, block, headers, sse, stream_headers
from tirtha.chat_api.contents import OF_IMAGE, called, json_tokens, plain, size_of, with_notes, without_our_notes, words
from tirtha.chat_api.description import EITHER, OPENAI_ERRORS
from tirtha.chat_api.named import is_task, named
from tirtha.chat_api.options import ChatBody
from tirtha.errors import BadChat
from tirtha.http.dependencies import Reader, Served
from tirtha.http.strict_route import LenientRoute
from tirtha.operations.chat.asked import Changes, ChatOutcome, ChatTurn
from tirtha.operations.chat.run import ChatStream
from tirtha.operations.chat.set_apart import is_interface_task
from tirtha.visible import is_blank

__all__ = ["CompletionIn", "CompletionPrompt", "router"]

router = APIRouter(route_class=LenientRoute, responses=OPENAI_ERRORS)

_INSTRUCTIONS = frozenset({"system", "developer"})
_ROLES = {"user": "user", "assistant": "assistant", "tool": "tool", "function": "tool"}
_PER_MESSAGE = 8  # tokens of the chat format, a little more than models take


class CompletionIn(ChatBody):
    """A request for a chat completion, as the OpenAI API has it. Fields that are not named here are passed on."""

    messages: Annotated[list[dict[str, Any]], Field(min_length=1)]
    stream_options: dict[str, Any] | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None


@router.post("/v1/chat/completions", response_class=JSONResponse, responses=EITHER)
async def chat_completions(body: CompletionIn, request: Request, service: Served, caller: Reader) -> Response:
    """Answer a conversation with memory: the OpenAI API's chat completions, with an object `tirtha` in request and answer.

    Send `stream: true` for server-sent events.
    """
    whom, prompt = named(request, caller, body.names), CompletionPrompt(body)
    asked = body.asked(prompt, whom, task=is_task(request) or is_interface_task(prompt.turns))
    if not body.stream:
        outcome = await service.chat(caller, asked)
        return JSONResponse(completion(outcome), headers=headers(outcome))
    said = await service.chat.stream(caller, asked)
    wants_usage = bool((body.stream_options or {}).get("include_usage"))
    if isinstance(said, ChatOutcome):
        return EventStream(_afterwards(said, wants_usage=wants_usage), headers(said))
    return EventStream(_as_said(said, wants_usage=wants_usage), stream_headers(said.begun), said)


def completion(outcome: ChatOutcome) -> dict[str, Any]:
    """Return the tier's completion, under an id of its own, with what became of the request."""
    return {**outcome.response, "id": _id(outcome.begun.decision_id), "tirtha": block(outcome)}


async def _as_said(said: ChatStream, *, wants_usage: bool) -> AsyncIterator[bytes]:
    """Send chunks on as they come; the last one waits for what became of the request, and carries it."""
    held: dict[str, Any] | None = None
    try:
        async for event in said:
            chunk = {**event, "id": _id(said.begun.decision_id)}
            if not wants_usage:
                if not chunk.get("choices"):
                    continue
                chunk.pop("usage", None)
            if held is not None:
                yield sse(held)
            held = chunk
    except TierDown as fault:
        if held is not None:
            yield sse(held)
        yield sse({"error": {"message": str(fault), "type": "server_error", "param": None, "code": "tier_down"}})
        return
    if held is not None and said.outcome is not None:
        yield sse({**held, "tirtha": block(said.outcome)})
    yield sse("[DONE]")


async def _afterwards(outcome: ChatOutcome, *, wants_usage: bool) -> AsyncIterator[bytes]:
    """Send an answer that was checked before as a stream."""
    whole = completion(outcome)
    shared: dict[str, Any] = {
        name: whole[name] for name in ("id", "created", "model", "system_fingerprint") if name in whole
    }
    chunk: dict[str, Any] = {**shared, "object": "chat.completion.chunk"}
    chunks = [{**chunk, "choices": [delta]} for choice in whole.get("choices", ()) for delta in _deltas(choice)]
    if wants_usage:
        chunks.append({**chunk, "choices": [], "usage": whole.get("usage")})
    for one in chunks[:-1]:
        yield sse(one)
    if chunks:
        yield sse({**chunks[-1], "tirtha": whole["tirtha"]})
    yield sse("[DONE]")


def _deltas(choice: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Write a choice as the deltas that make it: what was said, then why it ended."""
    message = dict(choice.get("message") or {})
    calls = [{"index": place, **call} for place, call in enumerate(message.pop("tool_calls", None) or ())]
    said = {name: value for name, value in message.items() if value is not None}
    index = choice.get("index", 0)
    first = {"index": index, "delta": said | ({"tool_calls": calls} if calls else {}), "finish_reason": None}
    if choice.get("logprobs"):
        first["logprobs"] = choice["logprobs"]
    return [first, {"index": index, "delta": {}, "finish_reason": choice.get("finish_reason")}]


def _id(decision_id: str) -> str:
    return f"chatcmpl-{decision_id}"


class CompletionPrompt:
    """A conversation in the messages of a chat completion."""

    protocols: Sequence[WireProtocol] = ("chat",)

    def __init__(self, body: CompletionIn) -> None:
        self._body = body.sent("conversation")
        self._messages = [_clean(place, message) for place, message in enumerate(body.messages)]
        self._said = [place for place, message in enumerate(self._messages) if message["role"] not in _INSTRUCTIONS]
        self.turns: Sequence[ChatTurn] = [_turn(self._messages[place]) for place in self._said]
        self.size = size_of(self._body)
        self.answer_tokens = body.max_completion_tokens or body.max_tokens

    def around_tokens(self) -> int:
        """Count the tokens of instructions, tools and schemas."""
        beside = (self._body.get(name) for name in ("tools", "functions", "response_format"))
        return sum(map(_tokens, self._instructions)) + json_tokens(*beside)

    def turn_tokens(self) -> Sequence[int]:
        """Count the tokens of each turn's message."""
        return [_tokens(self._messages[place]) for place in self._said]

    def request(self, protocol: WireProtocol, changes: Changes, *, stream: bool) -> RelayRequest:
        """Return the request to a tier; there is one protocol for it."""
        body = {**self._body, "messages": self._sent(changes), "stream": stream}
        if stream:  # what a stream costs is only reported to those who ask
            body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
        else:
            body.pop("stream_options", None)
        return RelayRequest(protocol=protocol, body=body)

    @property
    def _instructions(self) -> list[dict[str, Any]]:
        return [message for message in self._messages if message["role"] in _INSTRUCTIONS]

    def _sent(self, changes: Changes) -> list[dict[str, Any]]:
        first = self._said[changes.first] if changes.first < len(self._said) else 0
        kept = [
            message
            for place, message in enumerate(self._messages)
            if place >= first or message["role"] in _INSTRUCTIONS
        ]
        if changes.notes:
            last = max(place for place, message in enumerate(kept) if message["role"] == "user")
            kept[last] = {**kept[last], "content": with_notes(kept[last].get("content"), changes.notes, "text")}
        if changes.correction:
            kept += [
                {"role": "assistant", "content": changes.correction.answer},
                {"role": "user", "content": changes.correction.feedback},
            ]
        return kept


def _clean(place: int, message: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message without notes that came back with it. Raises BadChat for one that is none."""
    role = message.get("role")
    if role not in _INSTRUCTIONS and role not in _ROLES:
        raise BadChat(f"messages[{place}].role", f"must be one of {', '.join(sorted({*_INSTRUCTIONS, *_ROLES}))}")
    if role == "user":
        return {**message, "content": without_our_notes(message.get("content"))}
    return dict(message)


def _turn(message: Mapping[str, Any]) -> ChatTurn:
    said = [words(message.get("content")), plain(str(message.get("refusal") or ""))]
    for call in message.get("tool_calls") or ():
        made = (call.get("function") or call.get("custom") or {}) if isinstance(call, Mapping) else {}
        said.append(called(made.get("name"), made.get("arguments") or made.get("input")))
    role = cast("Any", _ROLES[str(message["role"])])
    return ChatTurn(
        role=role,
        text="\n".join(text.strip() for text in said if not is_blank(text)),
        speaker=_speaker(message.get("name")) if role == "user" else None,
    )


def _speaker(name: object) -> str | None:
    """Return a name as a speaker may have one: without line breaks and other control characters."""
    if not isinstance(name, str):
        return None
    shown = " ".join("".join(one if one.isprintable() else " " for one in plain(name)).split())[:128]
    return None if is_blank(shown) else shown


def _tokens(message: Mapping[str, Any]) -> int:
    said = count_tokens(words(message.get("content"))) + json_tokens(message.get("tool_calls"))
    content = message.get("content")
    pictures = (
        sum(1 for part in content if isinstance(part, Mapping) and "image" in str(part.get("type")))
        if isinstance(content, list)
        else 0
    )
    return _PER_MESSAGE + said + pictures * OF_IMAGE
