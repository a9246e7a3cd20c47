"""One deployment of a model: the `openai` package as our `Chat`, behind a circuit breaker and a limit of calls at a time.

The package's own retries are off: there is one retry loop, in `tiers.model`. Field names that vLLM adds (`reasoning`) are read in
both spellings; nothing of a server's error text is interpreted, only its status.
"""

import asyncio
import email.utils
import json
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Literal

import openai
from openai import AsyncOpenAI
from pydantic import SecretStr

from cascade.ports import Chat, ChatFailed, ChatRequest, Completion, Usage
from cascade.reading import sound

__all__ = ["Breaker", "Deployment", "Dialect", "OpenAIChat"]

_NO_KEY = "none"  # the package wants one; servers without keys ignore it
_LASTING = frozenset({400, 401, 403, 404, 405, 413, 415, 422})
_FINAL_MARK = "<|message|>"  # in harmony, what comes before the last one is not the answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Which parameters a server takes: a JSON schema, token probabilities, a temperature, an effort; and its name for the limit."""

    structured: bool = True
    logprobs: bool = False
    temperature: bool = True
    reasoning_effort: str | None = None
    limit_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"

    def parameters(self, request: ChatRequest) -> dict[str, Any]:
        """Give the parameters of a request."""
        said: dict[str, Any] = {self.limit_field: request.max_tokens}
        if self.temperature:
            said["temperature"] = request.temperature
        if self.logprobs:
            said["logprobs"] = True
        if self.reasoning_effort:
            said["reasoning_effort"] = self.reasoning_effort
        if self.structured and request.schema:
            named = {"name": "answer", "strict": True, "schema": json.loads(request.schema)}
            said["response_format"] = {"type": "json_schema", "json_schema": named}
        return said


class OpenAIChat:
    """Calls of one model at one address."""

    def __init__(self, *, url: str, model: str, key: SecretStr | None = None, dialect: Dialect | None = None) -> None:
        self._client = AsyncOpenAI(
            base_url=url, api_key=key.get_secret_value().strip() if key else _NO_KEY, max_retries=0
        )
        self._model = model
        self._dialect = dialect or Dialect()

    async def complete(self, request: ChatRequest, *, timeout_s: float) -> Completion:
        """Answer `request` within `timeout_s`. Raises ChatFailed."""
        with _chat_faults(timeout_s):
            async with asyncio.timeout(timeout_s):
                answered = await self._client.chat.completions.create(
                    model=self._model,
                    messages=[{"role": m.role, "content": m.content} for m in request.messages],  # type: ignore[misc]
                    timeout=timeout_s,
                    **self._dialect.parameters(request),
                )
            return _completion(answered)

    async def models(self, *, timeout_s: float) -> list[str]:
        """List the models that the server has. Raises ChatFailed."""
        with _chat_faults(timeout_s):
            async with asyncio.timeout(timeout_s):
                page = await self._client.models.list(timeout=timeout_s)
            return [model.id for model in page.data]

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def _completion(answered: Any) -> Completion:
    usage = _usage(getattr(answered, "usage", None))
    choices = getattr(answered, "choices", None)
    if not choices:
        raise ChatFailed("bad_response", "the response has no choices", usage=usage)
    [choice, *_] = choices
    message = choice.message
    if not isinstance(message.content or "", str):
        raise ChatFailed("bad_response", "the answer is no text", usage=usage)
    more = message.model_extra or {}
    return Completion(
        text=sound(message.content or ""),
        model=answered.model or "",
        finish_reason=choice.finish_reason or "",
        usage=usage,
        reasoning=more.get("reasoning") or more.get("reasoning_content") or "",
        confidence=_confidence(choice.logprobs),
    )


def _usage(told: Any) -> Usage:
    if told is None:
        return Usage()
    if not all(isinstance(n or 0, int) for n in (told.prompt_tokens, told.completion_tokens)):
        raise ChatFailed("bad_response", "the usage is not in numbers")
    prompt, completion = told.prompt_tokens_details, told.completion_tokens_details
    return Usage(
        prompt_tokens=told.prompt_tokens or 0,
        completion_tokens=told.completion_tokens or 0,
        cached_tokens=(prompt.cached_tokens or 0) if prompt else 0,
        reasoning_tokens=(completion.reasoning_tokens or 0) if completion else 0,
    )


def _confidence(logprobs: Any) -> float | None:
    """Give the geometric mean of the answer's token probabilities."""
    tokens = list(logprobs.content or ()) if logprobs else []
    marks = [place for place, one in enumerate(tokens) if one.token == _FINAL_MARK]
    answer = [one.logprob for one in tokens[marks[-1] + 1 if marks else 0 :]]
    return math.exp(sum(answer) / len(answer)) if answer else None


@contextmanager
def _chat_faults(timeout_s: float) -> Iterator[None]:
    """Map the package's errors to ChatFailed, by status."""
    try:
        yield
    except (openai.APITimeoutError, TimeoutError):
        raise ChatFailed("timeout", f"no answer within {timeout_s:.1f} s") from None
    except openai.APIStatusError as fault:
        status = fault.status_code
        kind = "rate_limited" if status == 429 else "refused" if status in _LASTING else "server"
        wait_s = _retry_after_s(fault.response.headers.get("retry-after"))
        raise ChatFailed(
            kind, f"the server answered {status}", lasting=status in _LASTING, retry_after_s=wait_s
        ) from None
    except openai.APIConnectionError as fault:
        raise ChatFailed("connection", type(fault.__cause__ or fault).__name__) from None
    except (openai.APIError, ValueError, TypeError, AttributeError) as fault:
        raise ChatFailed("bad_response", f"the response cannot be read: {type(fault).__name__}") from None


def _retry_after_s(header: str | None) -> float | None:
    """Read seconds or an HTTP date (RFC 9110, 10.2.3)."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        until = email.utils.parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


class Breaker:
    """Opens after `failures` in a row and lets one trial through after `cool_s`; a success closes it."""

    def __init__(self, *, failures: int = 10, cool_s: float = 10.0) -> None:
        self._limit = failures
        self._cool_s = cool_s
        self._failures = 0
        self._opened_s = 0.0
        self._trying = False

    def opens_in_s(self) -> float:
        """Give the seconds until a call may pass; 0 if one may now."""
        if self._failures < self._limit:
            return 0.0
        if self._trying:
            return self._cool_s
        return max(0.0, self._opened_s + self._cool_s - monotonic())

    def begin(self) -> None:
        """Note that a call begins; an open breaker lets no other pass until it is done."""
        self._trying = self._failures >= self._limit

    def end(self, *, failed: bool) -> None:
        """Note how the call ended."""
        self._trying = False
        self._failures = self._failures + 1 if failed else 0
        if self._failures >= self._limit:
            self._opened_s = monotonic()

    def abandon(self) -> None:
        """Note that the call was given up by the caller, which says nothing about the server."""
        self._trying = False


class Deployment:
    """A `Chat` behind its breaker, with at most `concurrency` calls at a time."""

    def __init__(self, chat: Chat, *, name: str, concurrency: int = 16, breaker: Breaker | None = None) -> None:
        self.chat = chat
        self.name = name
        self.breaker = breaker or Breaker()
        self.in_flight = 0
        self._turns = asyncio.Semaphore(concurrency)

    async def complete(self, request: ChatRequest, *, timeout_s: float) -> Completion:
        """Answer `request` within `timeout_s`, waiting for a turn included. Raises ChatFailed."""
        ends_s = monotonic() + timeout_s
        async with self._turn(timeout_s):
            try:
                answered = await self.chat.complete(request, timeout_s=max(0.0, ends_s - monotonic()))
            except ChatFailed as fault:
                self.breaker.end(failed=not fault.lasting)
                raise
            except BaseException:
                self.breaker.abandon()
                raise
            self.breaker.end(failed=False)
        return answered

    @asynccontextmanager
    async def _turn(self, timeout_s: float) -> AsyncIterator[None]:
        self.in_flight += 1
        try:
            async with asyncio.timeout(timeout_s):
                await self._turns.acquire()
        except TimeoutError:
            self.in_flight -= 1
            raise ChatFailed("busy", f"no turn within {timeout_s:.1f} s") from None
        except BaseException:
            self.in_flight -= 1
            raise
        self.breaker.begin()
        try:
            yield
        finally:
            self.in_flight -= 1
            self._turns.release()
