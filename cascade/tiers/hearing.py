"""What a model said, read from the response of each protocol, whole or event by event.

Nothing here changes a response: it goes on to the client, and what is read of it is checked, remembered and booked. Fields: the
OpenAI API's chat completions and responses, and Anthropic's messages, as their SDKs of 2026 have them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Protocol

from cascade.model import Usage, WireProtocol
from cascade.reading import sound
from cascade.tiers.usage import reported_usage

__all__ = ["Called", "Heard", "Hearing", "hearing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A tool that the model wants called."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A model's reply: its text, the tools it calls, why it ended (in the protocol's own word), and what it reported of tokens."""

    text: str
    calls: tuple[Called, ...]
    finish: str
    model: str
    usage: Usage
    reasoning: str = ""


class Hearing(Protocol):
    """Listens to one response."""

    def whole(self, response: Mapping[str, Any]) -> None:
        """Hear a response that was not streamed."""

    def event(self, event: Mapping[str, Any]) -> None:
        """Hear one event of a stream."""

    def heard(self) -> Heard:
        """Return what was said so far."""


def hearing(protocol: WireProtocol) -> Hearing:
    """Return a listener to one response of a protocol."""
    match protocol:
        case "chat":
            return _Chat()
        case "responses":
            return _Responses()
        case "anthropic":
            return _Anthropic()


class _Reply:
    """What the listeners collect."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._calls: dict[object, tuple[str, str]] = {}
        self._finish = ""
        self._model = ""
        self._usage = Usage()

    def heard(self) -> Heard:
        """Return what was said so far."""
        return Heard(
            text=sound("".join(self._texts)),
            calls=tuple(Called(name=sound(name), arguments=sound(given)) for name, given in self._calls.values()),
            finish=self._finish,
            model=self._model,
            usage=self._usage,
            reasoning=sound("".join(self._thoughts)),
        )

    def _call(self, key: object, name: object = "", arguments: object = "") -> None:
        known = self._calls.get(key, ("", ""))
        self._calls[key] = (known[0] + _text(name), known[1] + _text(arguments))


class _Chat(_Reply):
    """A chat completion; of several choices the first one is what counts."""

    def whole(self, response: Mapping[str, Any]) -> None:
        """Hear a completion."""
        self._hear(response, "message")

    def event(self, event: Mapping[str, Any]) -> None:
        """Hear a chunk."""
        self._hear(event, "delta")

    def _hear(self, sent: Mapping[str, Any], holder: str) -> None:
        self._model = _text(sent.get("model")) or self._model
        if isinstance(sent.get("usage"), Mapping):
            self._usage = _chat_usage(sent["usage"])
        for choice in _list(sent.get("choices")):
            if choice.get("index", 0) == 0:
                self._finish = _text(choice.get("finish_reason")) or self._finish
                self._hear_message(_mapping(choice.get(holder)))

    def _hear_message(self, said: Mapping[str, Any]) -> None:
        content = said.get("content")
        parts = [_text(part.get("text")) for part in _list(content)] if isinstance(content, list) else [_text(content)]
        self._texts += [*parts, _text(said.get("refusal"))]
        self._thoughts.append(_text(said.get("reasoning")) or _text(said.get("reasoning_content")))
        for place, call in enumerate(_list(said.get("tool_calls"))):
            called = _mapping(call.get("function") or call.get("custom"))
            self._call(call.get("index", place), called.get("name"), called.get("arguments") or called.get("input"))


class _Responses(_Reply):
    """A response of the Responses API. Of a stream the last event holds it whole; what was said before is kept if none comes."""

    _ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})

    def whole(self, response: Mapping[str, Any]) -> None:
        """Hear a response."""
        self._texts, self._thoughts, self._calls = [], [], {}
        self._model = _text(response.get("model")) or self._model
        details = _mapping(response.get("incomplete_details"))
        self._finish = _text(details.get("reason")) or _text(response.get("status"))
        if isinstance(response.get("usage"), Mapping):
            self._usage = _responses_usage(response["usage"])
        for place, item in enumerate(_list(response.get("output"))):
            self._hear_item(place, item)

    def event(self, event: Mapping[str, Any]) -> None:
        """Hear an event."""
        kind = event.get("type")
        if kind in self._ENDS:
            self.whole(_mapping(event.get("response")))
        elif kind in {"response.output_text.delta", "response.refusal.delta"}:
            self._texts.append(_text(event.get("delta")))
        elif kind == "response.output_item.done":
            item = _mapping(event.get("item"))
            if item.get("type") in {"function_call", "custom_tool_call"}:
                self._hear_item(event.get("output_index"), item)

    def _hear_item(self, place: object, item: Mapping[str, Any]) -> None:
        match item.get("type"):
            case "message":
                parts = _list(item.get("content"))
                self._texts += [_text(part.get("text")) or _text(part.get("refusal")) for part in parts]
            case "function_call" | "custom_tool_call":
                self._call(place, item.get("name"), item.get("arguments") or item.get("input"))
            case "reasoning":
                self._thoughts += [_text(part.get("text")) for part in _list(item.get("content"))]


class _Anthropic(_Reply):
    """A message of Anthropic's API."""

    def whole(self, response: Mapping[str, Any]) -> None:
        """Hear a message."""
        self._begin(response)
        for place, block in enumerate(_list(response.get("content"))):
            self._hear_block(place, block)
            if block.get("type") == "tool_use":
                self._call(place, "", _written(block.get("input")))

    def event(self, event: Mapping[str, Any]) -> None:
        """Hear an event."""
        match event.get("type"):
            case "message_start":
                self._begin(_mapping(event.get("message")))
            case "content_block_start":
                self._hear_block(event.get("index"), _mapping(event.get("content_block")))
            case "content_block_delta":
                delta = _mapping(event.get("delta"))
                self._texts.append(_text(delta.get("text")))
                self._thoughts.append(_text(delta.get("thinking")))
                if "partial_json" in delta:
                    self._call(event.get("index"), "", delta["partial_json"])
            case "message_delta":
                self._finish = _text(_mapping(event.get("delta")).get("stop_reason")) or self._finish
                self._book(_mapping(event.get("usage")))

    def _begin(self, message: Mapping[str, Any]) -> None:
        self._model = _text(message.get("model"))
        self._finish = _text(message.get("stop_reason"))
        self._book(_mapping(message.get("usage")))

    def _book(self, usage: Mapping[str, Any]) -> None:
        """Take the newest figures: a stream brings them bit by bit."""
        prompt, cached = _anthropic_prompt(usage)
        completion = usage.get("output_tokens")
        self._usage = Usage(
            prompt_tokens=prompt or self._usage.prompt_tokens,
            completion_tokens=completion if isinstance(completion, int) else self._usage.completion_tokens,
            cached_tokens=cached or self._usage.cached_tokens,
        )

    def _hear_block(self, place: object, block: Mapping[str, Any]) -> None:
        match block.get("type"):
            case "text":
                self._texts.append(_text(block.get("text")))
            case "thinking":
                self._thoughts.append(_text(block.get("thinking")))
            case "tool_use":
                self._call(place, block.get("name"))


def _chat_usage(usage: Mapping[str, Any]) -> Usage:
    details = {
        name: SimpleNamespace(**_mapping(usage.get(name)))
        for name in ("prompt_tokens_details", "completion_tokens_details")
    }
    return reported_usage(SimpleNamespace(**{**usage, **details}))


def _responses_usage(usage: Mapping[str, Any]) -> Usage:
    return _chat_usage(
        {
            "prompt_tokens": usage.get("input_tokens"),
            "completion_tokens": usage.get("output_tokens"),
            "total_tokens": usage.get("total_tokens"),
            "prompt_tokens_details": usage.get("input_tokens_details"),
            "completion_tokens_details": usage.get("output_tokens_details"),
        }
    )


def _anthropic_prompt(usage: Mapping[str, Any]) -> tuple[int, int]:
    """Return the tokens of a prompt, which come in three parts, and how many of them were cached."""
    parts = [usage.get(name) for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")]
    counts = [part if isinstance(part, int) else 0 for part in parts]
    return sum(counts), counts[2]


def _written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
