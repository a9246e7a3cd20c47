"""One deployment of a model: the `openai` package as our `Chat`, behind a circuit breaker and a limit of calls at a time.

The package's own retries are off: there is one retry loop, in `tiers.model`. Field names that vLLM adds (`reasoning`) are read in
both spellings. Of a server's error its status is read, and which parameter it refuses (`tiers.dialect`); none of it is shown.
"""

import asyncio
import email.utils
import json
import logging
import math
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from ipaddress import ip_address
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import openai
from openai import AsyncOpenAI, AsyncStream
from pydantic import SecretStr

from cascade.ports import (
    Chat,
    ChatFailed,
    ChatRequest,
    Completion,
    Relay,
    RelayRefused,
    RelayRequest,
    Usage,
    WireProtocol,
)
from cascade.reading import sound
from cascade.tiers.dialect import Dialect, refused_parameter
from cascade.tiers.usage import contents, told_usage
from cascade.tiers.watching import Headers, no_headers

__all__ = ["Breaker", "Deployment", "Dialect", "OpenAIChat"]

log = logging.getLogger(__name__)

_NO_KEY = "none"  # the package wants one; servers without keys ignore it
_LASTING = frozenset({400, 401, 403, 404, 405, 413, 415, 422})
_OF_FORM = frozenset({400, 422})  # what servers answer to a parameter that they do not take
_OF_REQUEST = frozenset({400, 409, 413, 415, 422})  # what a client is told of a relayed request that a server refuses
_PATHS: Mapping[WireProtocol, str] = {"chat": "/chat/completions", "responses": "/responses", "anthropic": "/messages"}
_FINAL_MARKS = frozenset({"<|message|>", "</think>"})  # what comes before the last one is not the answer


def _on_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:  # a name
        return False


class OpenAIChat:
    """Calls of one model at one address. `settings` begins the names of its tier's settings, for what is told of them.

    `headers` says what each request carries beside its own headers. A server on loopback is not asked through a proxy, whatever
    proxies the environment names.
    """

    def __init__(
        self,
        *,
        url: str,
        model: str,
        key: SecretStr | None = None,
        dialect: Dialect | None = None,
        settings: str = "",
        headers: Headers = no_headers,
    ) -> None:
        self._headers = headers
        self._client = AsyncOpenAI(
            base_url=url,
            api_key=key.get_secret_value().strip() if key else _NO_KEY,
            max_retries=0,
            http_client=openai.DefaultAsyncHttpxClient(trust_env=not _on_loopback(url)),
        )
        self._model = model
        self._url = url
        self._settings = settings
        self._dialect = dialect or Dialect()

    async def complete(self, request: ChatRequest, *, timeout_s: float) -> Completion:
        """Answer `request` within `timeout_s`. Raises ChatFailed; of the kind "parameter" for a parameter to do without."""
        parameters = self._dialect.without(request.without).parameters(request)
        with _chat_faults(timeout_s), _refusals(request, parameters):
            async with asyncio.timeout(timeout_s):
                answered = await self._client.chat.completions.create(
                    model=self._model,
                    messages=[{"role": m.role, "content": m.content} for m in request.messages],  # type: ignore[misc]
                    timeout=timeout_s,
                    extra_headers=self._headers(),
                    **parameters,
                )
            completion = _completion(answered)
        self._learn(request)
        return completion

    async def send(self, request: RelayRequest, *, timeout_s: float) -> dict[str, Any]:
        """Pass a request on whole, and return the response. Raises ChatFailed, RelayRefused among them."""
        with _chat_faults(timeout_s), _relay_refusals():
            async with asyncio.timeout(timeout_s):
                answered = await self._client.post(
                    _PATHS[request.protocol],
                    cast_to=object,
                    body=self._relayed(request),
                    options={"timeout": timeout_s, "headers": self._relay_headers(request)},
                )
        if not isinstance(answered, dict):
            raise ChatFailed("bad_response", "the response is no JSON object")
        return answered

    async def events(self, request: RelayRequest, *, timeout_s: float) -> AsyncGenerator[dict[str, Any], None]:
        """Pass a request on whole, and yield the events of its stream. Raises as `send` does."""
        with _chat_faults(timeout_s), _relay_refusals():
            async with asyncio.timeout(timeout_s):
                stream = await self._client.post(
                    _PATHS[request.protocol],
                    cast_to=object,
                    body=self._relayed(request),
                    options={"timeout": timeout_s, "headers": self._relay_headers(request)},
                    stream=True,
                    stream_cls=AsyncStream[object],
                )
            try:
                async for event in stream:
                    if not isinstance(event, dict):
                        raise ChatFailed("bad_response", "an event of the stream is no JSON object")
                    yield event
            finally:
                await stream.close()

    def _relayed(self, request: RelayRequest) -> dict[str, Any]:
        return {**request.body, "model": self._model}

    def _relay_headers(self, request: RelayRequest) -> dict[str, str]:
        return {**request.headers, **self._headers()}

    async def models(self, *, timeout_s: float) -> list[str]:
        """List the models that the server has. Raises ChatFailed."""
        with _chat_faults(timeout_s):
            async with asyncio.timeout(timeout_s):
                page = await self._client.models.list(timeout=timeout_s, extra_headers=self._headers())
            return [model.id for model in page.data]

    def _learn(self, request: ChatRequest) -> None:
        """Leave out for good what an answered request did without, and say so once."""
        learned = self._dialect.without(request.without)
        for setting in learned.unlike(self._dialect):
            told = "%s refused a parameter and answers without it: from now on it is not sent; %s%s spares the first refusal"
            log.warning(told, self._url, self._settings, setting)
        self._dialect = learned

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def _completion(answered: Any) -> Completion:
    """Read a response; what cannot be read has its cost all the same. Raises ChatFailed."""
    usage = told_usage(getattr(answered, "usage", None))
    try:
        return _read(answered, usage)
    except (ValueError, TypeError, AttributeError) as fault:
        why = f"the response cannot be read: {type(fault).__name__}"
        raise ChatFailed("bad_response", why, usage=usage, sent=_sent(answered)) from None


def _sent(answered: Any) -> str:
    """Give what a response that cannot be read says, as far as there is anything."""
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
    return Completion(
        text=sound(text or (refusal if isinstance(refusal, str) else "")),
        model=answered.model if isinstance(answered.model, str) else "",
        finish_reason="refusal" if refusal else choice.finish_reason or "",
        usage=usage,
        reasoning=sound(str(more.get("reasoning") or more.get("reasoning_content") or "")),
        confidence=_confidence(choice.logprobs),
    )


def _text(content: Any) -> str | None:
    """Return the text of a message, also of one in parts, whose thoughts are left out; None if it is no text."""
    if isinstance(content, list):
        told = [part.get("text") if isinstance(part, dict) else part for part in content if not _is_thought(part)]
        texts = [text for text in told if isinstance(text, str)]
        return "".join(texts) if len(texts) == len(told) else None
    return (content or "") if isinstance(content or "", str) else None


def _is_thought(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") in {"thinking", "reasoning"}


def _confidence(logprobs: Any) -> float | None:
    """Give the geometric mean of the answer's token probabilities."""
    tokens = list(logprobs.content or ()) if logprobs else []
    marks = [place for place, one in enumerate(tokens) if one.token in _FINAL_MARKS]
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
        sent = contents(fault.doc) if isinstance(fault, json.JSONDecodeError) else ""
        why = f"the response cannot be read: {type(fault).__name__}"
        raise ChatFailed("bad_response", why, sent=sent) from None


@contextmanager
def _refusals(request: ChatRequest, sent: Mapping[str, Any]) -> Iterator[None]:
    """Map an error that is about one of the parameters `sent`, or may be, to ChatFailed of the kind "parameter"."""
    try:
        yield
    except openai.APIStatusError as fault:
        parameter = ""
        if fault.status_code in _OF_FORM:
            parameter = refused_parameter(fault.body, sent, before=request.without)
        if not parameter:
            raise
        why = f"the server answered {fault.status_code}; it seems not to take {parameter}"
        raise ChatFailed("parameter", why, lasting=True, parameter=parameter) from None


@contextmanager
def _relay_refusals() -> Iterator[None]:
    """Map an error that is about the request itself to RelayRefused, with what the server said of it."""
    try:
        yield
    except openai.APIStatusError as fault:
        if fault.status_code not in _OF_REQUEST:
            raise
        told = fault.body if isinstance(fault.body, dict) else {}
        error = told.get("error") if isinstance(told.get("error"), dict) else told
        raise RelayRefused(fault.status_code, error or {}) from None


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
    """A `Chat` behind its breaker, with at most `concurrency` calls at a time; `relay` passes requests on whole."""

    def __init__(
        self,
        chat: Chat,
        *,
        name: str,
        concurrency: int = 16,
        breaker: Breaker | None = None,
        relay: Relay | None = None,
    ) -> None:
        self.chat = chat
        self._relay = relay
        self.name = name
        self.breaker = breaker or Breaker()
        self.in_flight = 0
        self._turns = asyncio.Semaphore(concurrency)

    async def complete(self, request: ChatRequest, *, timeout_s: float) -> Completion:
        """Answer `request` within `timeout_s`, waiting for a turn included. Raises ChatFailed."""
        ends_s = monotonic() + timeout_s
        async with self._turn(timeout_s), self._watched():
            return await self.chat.complete(request, timeout_s=max(0.0, ends_s - monotonic()))

    async def send(self, request: RelayRequest, *, timeout_s: float) -> dict[str, Any]:
        """Pass a request on within `timeout_s`, waiting for a turn included. Raises ChatFailed."""
        ends_s = monotonic() + timeout_s
        async with self._turn(timeout_s), self._watched():
            return await self._relaying().send(request, timeout_s=max(0.0, ends_s - monotonic()))

    async def events(self, request: RelayRequest, *, timeout_s: float) -> AsyncGenerator[dict[str, Any], None]:
        """Pass a streamed request on, and yield its events; its turn lasts as long as the stream. Raises ChatFailed."""
        async with (
            self._turn(timeout_s),
            self._watched(),
            aclosing(self._relaying().events(request, timeout_s=timeout_s)) as events,
        ):
            async for event in events:
                yield event

    def _relaying(self) -> Relay:
        if self._relay is None:
            raise ChatFailed("relay", "it passes no requests on", lasting=True)
        return self._relay

    @asynccontextmanager
    async def _watched(self) -> AsyncIterator[None]:
        """Tell the breaker how a call ends."""
        try:
            yield
        except ChatFailed as fault:
            self.breaker.end(failed=not fault.lasting)
            raise
        except BaseException:
            self.breaker.abandon()
            raise
        self.breaker.end(failed=False)

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
