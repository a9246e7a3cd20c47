"""A conversation in the messages of Anthropic's API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from cascade.model import RelayRequest, WireProtocol
from compaction import count_tokens
from tirtha.chat_api.contents import json_tokens, size_of, without_our_notes, words
from tirtha.chat_api.messages.blocks import (
    Block,
    blocks_of,
    is_result,
    said,
    tokens_of,
    unwritten_tokens,
    with_notes_in_front,
)
from tirtha.chat_api.messages.claude_code import typed
from tirtha.chat_api.options import ChatBody
from tirtha.errors import BadChat
from tirtha.operations.chat.asked import Changes, ChatTurn

__all__ = ["MessagesIn", "MessagesPrompt", "Passed"]

_ROLES = ("user", "assistant", "system")
_OURS = ("user", "safety_identifier", "conversation")  # of other APIs; read here, and refused there
_PER_MESSAGE = 8  # tokens of the format around a message


class MessagesIn(ChatBody):
    """A request for a message, as Anthropic's API has it. Fields that are not named here are passed on."""

    messages: Annotated[list[dict[str, Any]], Field(min_length=1)]
    system: str | list[dict[str, Any]] | None = None
    max_tokens: int | None = None
    tools: list[dict[str, Any]] | None = None

    @property
    def user_id(self) -> object:
        """Whom the client's metadata names."""
        return (self.metadata or {}).get("user_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What a request carries beside its body that goes on to the model's server; `from_claude_code`: that program wrote it."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    from_claude_code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A turn, the message that it is in, its blocks there, and whether results of tools stand before it."""

    place: int
    turn: ChatTurn
    blocks: Sequence[Block]
    after_results: bool = False


class MessagesPrompt:
    """A conversation in the messages of Anthropic's API; `passed` is what goes with it."""

    protocols: Sequence[WireProtocol] = ("anthropic",)

    def __init__(self, body: MessagesIn, passed: Passed) -> None:
        self._body = body.sent(*_OURS)
        self._passed = passed
        self._messages = [_clean(place, message) for place, message in enumerate(body.messages)]
        self._parts = [part for place, message in enumerate(self._messages) for part in self._parts_of(place, message)]
        self.turns: Sequence[ChatTurn] = [part.turn for part in self._parts]
        self.instructions = words(body.system)
        self.size = size_of(self._body) + sum(unwritten_tokens(message["content"]) for message in self._messages)
        self.answer_tokens = body.max_tokens

    def around_tokens(self) -> int:
        """Count the tokens of instructions, tools and schemas."""
        beside = json_tokens(self._body.get("tools"), self._body.get("output_config"))
        said = sum(
            _PER_MESSAGE + tokens_of(message.get("content"))
            for message in self._messages
            if message["role"] == "system"
        )
        return count_tokens(self.instructions) + said + beside

    def turn_tokens(self) -> Sequence[int]:
        """Count the tokens of each turn's part of its message."""
        return [_PER_MESSAGE + tokens_of(part.blocks) for part in self._parts]

    def request(self, protocol: WireProtocol, changes: Changes, *, stream: bool) -> RelayRequest:
        """Return the request to a tier; there is one protocol for it."""
        return self._request(protocol, {**self._body, "messages": self._sent(changes), "stream": stream})

    def counting(self) -> RelayRequest:
        """Return the request to count the tokens of the conversation, as it was sent."""
        body = {**self._body, "messages": self._messages}
        return self._request("anthropic", body, path="/messages/count_tokens")

    def _request(self, protocol: WireProtocol, body: dict[str, Any], path: str | None = None) -> RelayRequest:
        if isinstance(body.get("metadata"), dict):  # a session is named to us alone
            body["metadata"] = {name: value for name, value in body["metadata"].items() if name != "session_id"}
        return RelayRequest(
            protocol=protocol, body=body, headers=self._passed.headers, query=self._passed.query, path=path
        )

    def _parts_of(self, place: int, message: Mapping[str, Any]) -> list[_Part]:
        """Cut a message into turns: results of tools, and beside them the user's own words, if there are any."""
        blocks = blocks_of(message.get("content"))
        if message["role"] == "system":
            return []
        if message["role"] == "assistant":
            return [_Part(place=place, turn=ChatTurn(role="assistant", text=said(blocks)), blocks=blocks)]
        results = [block for block in blocks if is_result(block)]
        others = [block for block in blocks if not is_result(block)]
        tool, own = ChatTurn(role="tool", text=said(results)), ChatTurn(role="user", text=said(self._typed(others)))
        if not results:
            return [_Part(place=place, turn=own, blocks=others)]
        if not own.text:
            return [_Part(place=place, turn=tool, blocks=blocks)]
        first = _Part(place=place, turn=tool, blocks=results)
        return [first, _Part(place=place, turn=own, blocks=others, after_results=True)]

    def _typed(self, blocks: Sequence[Block]) -> Sequence[Block]:
        """Return a user's blocks without what the client's program wrote into them."""
        if not self._passed.from_claude_code:
            return blocks
        return [{**block, "text": typed(str(block["text"]))} if "text" in block else block for block in blocks]

    def _sent(self, changes: Changes) -> list[dict[str, Any]]:
        """Return the messages without the turns before `first`, with notes in front of the last words that are the user's own."""
        begins = self._parts[changes.first] if changes.first < len(self._parts) else None
        first = begins.place if begins else 0
        sent = {
            place: message
            for place, message in enumerate(self._messages)
            if place >= first or message["role"] == "system"
        }
        if begins and changes.first and begins.after_results:  # their calls are left out, so they are, too
            kept = [block for block in blocks_of(sent[first]["content"]) if not is_result(block)]
            sent[first] = {**sent[first], "content": kept}
        if changes.notes:
            asking = [part.place for part in self._parts if part.turn.role == "user" and part.turn.text]
            place = max(first, *asking[-1:])  # where turns are left out, the first message that stays is a user's
            sent[place] = {**sent[place], "content": with_notes_in_front(sent[place]["content"], changes.notes)}
        messages = list(sent.values())
        if changes.correction:
            messages += [
                {"role": "assistant", "content": changes.correction.answer},
                {"role": "user", "content": changes.correction.feedback},
            ]
        return messages


def _clean(place: int, message: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message without notes that came back with it. Raises BadChat for one that is none."""
    if message.get("role") not in _ROLES:
        raise BadChat(f"messages[{place}].role", f"must be one of {', '.join(_ROLES)}")
    if not isinstance(message.get("content"), str | list):
        raise BadChat(f"messages[{place}].content", "must be a string or a list of blocks")
    if message["role"] == "user":
        return {**message, "content": without_our_notes(message["content"])}
    return dict(message)
