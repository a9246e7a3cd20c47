"""OpenAI's chat completions: requests of the cascade in that protocol, and the answers to them.

Most servers speak it, each a little differently. Field names that vLLM adds (`reasoning`) are read in both spellings; what cannot
be read has its cost all the same.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import openai
from openai.types.chat import ChatCompletion
from pydantic import SecretStr

from cascade.errors import ChatFailed
from cascade.model import ChatRequest, Completion, Usage
from cascade.reading import sound
from cascade.tiers.dialect import Dialect
from cascade.tiers.usage import contents, reported_usage

__all__ = ["ChatCompletions"]

_FINAL_MARKS = frozenset({"<|message|>", "</think>"})  # what comes before the last one is not the answer


class ChatCompletions:
    """`POST /chat/completions`."""

    path = "/chat/completions"
    cast_to = ChatCompletion
    listing: Mapping[str, str] = MappingProxyType({})

    def body(self, request: ChatRequest, dialect: Dialect) -> dict[str, Any]:
        """Write a request."""
        messages = [{"role": message.role, "content": message.content} for message in request.messages]
        return {"messages": messages, **dialect.parameters(request)}

    def completion(self, answered: object) -> Completion:
        """Read a completion. Raises ChatFailed."""
        return _completion(answered)

    def headers(self, key: SecretStr | None) -> Mapping[str, str | openai.Omit]:  # noqa: ARG002 - it goes in Authorization
        """Return none."""
        return {}


def _completion(answered: Any) -> Completion:
    """Read a response; what cannot be read has its cost all the same. Raises ChatFailed."""
    usage = reported_usage(getattr(answered, "usage", None))
    try:
        return _read(answered, usage)
    except (ValueError, TypeError, AttributeError) as fault:
        why = f"the response cannot be read: {type(fault).__name__}"
        raise ChatFailed("bad_response", why, usage=usage, sent=_sent(answered)) from None


def _sent(answered: Any) -> str:
    """Return what a response that cannot be read says, as far as there is anything."""
    if isinstance(answered, str):
        return contents(answered)
    choices = getattr(answered, "choices", None)
    first = choices[0] if choices and isinstance(choices, list) else None
    content = getattr(getattr(first, "message", None), "content", None)
    return str(content or "")


def _read(answered: Any, usage: Usage) -> Completion:
    choices = getattr(answered, "choices", None)
    if not choices:
        raise ChatFailed("bad_response", "the response has no choices", usage=usage, sent=_sent(answered))
    [choice, *_] = choices
    message = choice.message
    text = _text(message.content)
    if text is None:
        raise ChatFailed("bad_response", "the answer is no text", usage=usage, sent=_sent(answered))
    more = message.model_extra or {}
    refusal = getattr(message, "refusal", None)
    tokens = _tokens(choice.logprobs)
    return Completion(
        text=sound(text or (refusal if isinstance(refusal, str) else "")),
        model=answered.model if isinstance(answered.model, str) else "",
        finish_reason="refusal" if refusal else choice.finish_reason or "",
        usage=usage,
        reasoning=sound(str(more.get("reasoning") or more.get("reasoning_content") or "")),
        confidence=_confidence(tokens),
        tokens=tokens,
    )


def _text(content: Any) -> str | None:
    """Return the text of a message, also of one in parts, whose thoughts are left out; None if it is no text."""
    if isinstance(content, list):
        shown = [part.get("text") if isinstance(part, dict) else part for part in content if not _is_thought(part)]
        texts = [text for text in shown if isinstance(text, str)]
        return "".join(texts) if len(texts) == len(shown) else None
    return (content or "") if isinstance(content or "", str) else None


def _is_thought(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") in {"thinking", "reasoning"}


def _tokens(logprobs: Any) -> tuple[tuple[str, float], ...]:
    """Return the answer's tokens with their log-probabilities; none if the server reports none."""
    tokens = list(logprobs.content or ()) if logprobs else []
    marks = [place for place, one in enumerate(tokens) if one.token in _FINAL_MARKS]
    return tuple((one.token, one.logprob) for one in tokens[marks[-1] + 1 if marks else 0 :])


def _confidence(tokens: tuple[tuple[str, float], ...]) -> float | None:
    """Return the geometric mean of the tokens' probabilities."""
    return math.exp(sum(logprob for _, logprob in tokens) / len(tokens)) if tokens else None
