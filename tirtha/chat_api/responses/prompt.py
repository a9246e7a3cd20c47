"""A conversation in the items of the Responses API: what was stored of it before, and what the client sent now."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from cascade.model import RelayRequest, WireProtocol
from tirtha.chat_api.contents import json_tokens, size_of, with_notes
from tirtha.chat_api.options import ChatBody
from tirtha.chat_api.responses.items import Item, item_tokens, notes_in, parts_of, read_items
from tirtha.chat_api.responses.to_chat import chat_request
from tirtha.errors import BadChat
from tirtha.operations.chat.asked import Changes, ChatTurn

__all__ = ["ResponseIn", "ResponsePrompt"]

_OURS = ("previous_response_id", "conversation", "context_management", "truncation", "background", "store")


class ResponseIn(ChatBody):
    """A request for a response, as the OpenAI API has it. Fields that are not named here are passed on."""

    input: Annotated[str | list[Any] | None, Field(description="a string, or a list of items")] = None
    instructions: str | None = None
    previous_response_id: str | None = None
    conversation: str | dict[str, Any] | None = None
    store: bool | None = None
    max_output_tokens: int | None = None
    context_management: list[dict[str, Any]] | None = None
    background: bool | None = None
    stream_options: dict[str, Any] | None = None
    tools: list[dict[str, Any]] | None = None
    text: dict[str, Any] | None = None

    @property
    def window(self) -> int | None:
        """The tokens that the conversation may take before it is compacted: the smallest that the client names."""
        thresholds = [
            one["compact_threshold"]
            for one in self.context_management or ()
            if one.get("type") == "compaction" and isinstance(one.get("compact_threshold"), int)
        ]
        named = [*thresholds, *([self.options.window] if self.options.window else [])]
        return min(named) if named else None


class ResponsePrompt:
    """A request's conversation; `earlier` are the items of the responses that it goes on from."""

    protocols: Sequence[WireProtocol] = ("responses", "chat")

    def __init__(self, body: ResponseIn, earlier: Sequence[Item] = ()) -> None:
        if body.background:
            raise BadChat("background", "is not supported here; ask for a stream instead")
        self.new = read_items(body.input) if body.input is not None else []
        if not self.new and not earlier:
            raise BadChat("input", "is required")
        self._body = body.sent("input", *_OURS)
        parts = parts_of([*earlier, *self.new])
        self._parts = parts
        said = [(place, part.turn) for place, part in enumerate(parts) if part.turn is not None]
        self._said = [place for place, _ in said]
        self.turns: Sequence[ChatTurn] = [turn for _, turn in said]
        self.size = size_of([self._body, [*earlier, *self.new]])
        self.answer_tokens = body.max_output_tokens

    def around_tokens(self) -> int:
        """Count the tokens of instructions, tools, schemas, and evidence of what left the conversation before."""
        beside: list[object] = [self._body.get(name) for name in ("instructions", "tools", "text")]
        beside += [part.items for part in self._parts if part.turn is None]
        return json_tokens(*beside)

    def turn_tokens(self) -> Sequence[int]:
        """Count the tokens of each turn's items."""
        return [sum(map(item_tokens, self._parts[place].items)) for place in self._said]

    def request(self, protocol: WireProtocol, changes: Changes, *, stream: bool) -> RelayRequest:
        """Return the request to a tier: as it is to one that speaks responses, written anew for one that speaks chat."""
        items = self.kept(changes.first)
        if changes.notes:
            last = max(place for place, item in enumerate(items) if item.get("role") == "user")
            content = with_notes(items[last].get("content"), changes.notes, "input_text")
            items[last] = {**items[last], "content": content}
        if changes.correction:
            items += [
                {"type": "message", "role": "assistant", "content": changes.correction.answer},
                {"type": "message", "role": "user", "content": changes.correction.feedback},
            ]
        if protocol == "responses":
            body = {**self._body, "input": [_plain(item) for item in items], "store": False, "stream": stream}
        else:
            body = {**chat_request(self._body, items), "stream": stream}
            if stream:
                body["stream_options"] = {"include_usage": True}
        return RelayRequest(protocol=protocol, body=body)

    def kept(self, first: int) -> list[Item]:
        """Return the items without the turns before `first`; instructions, and evidence of what left before, stay."""
        begins = self._said[first] if first < len(self._said) else 0
        return [
            item
            for place, part in enumerate(self._parts)
            if place >= begins or part.turn is None
            for item in part.items
        ]


def _plain(item: Item) -> Item:
    """Return an item as any server reads it: evidence of what left a conversation as a message."""
    if item["type"] != "compaction":
        return item
    return {"type": "message", "role": "user", "content": notes_in(item)}
