"""One deployment of a model: the `openai` package as our `Chat`, behind a circuit breaker and a limit of calls at a time.

The package's own retries are off: there is one retry loop, in `tiers.model`. It reaches servers of every protocol; how each is
spoken is in `tiers.protocols`. Of a server's error its status is read, and which parameter it refuses (`tiers.dialect`); none of it
is shown.
"""

import asyncio
import email.utils
import json
import logging
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import openai
from openai import AsyncOpenAI, AsyncStream, RequestOptions
from pydantic import SecretStr

from cascade.errors import ChatFailed, RelayRefused
from cascade.model import ChatRequest, Completion, RelayRequest, WireProtocol
from cascade.ports import Chat, Relay
from cascade.tiers.dialect import Dialect, refused_parameter
from cascade.tiers.protocols import speech
from cascade.tiers.usage import contents
from cascade.tiers.watching import Headers, no_headers

__all__ = ["Breaker", "Deployment", "Dialect", "OpenAIChat"]

log = logging.getLogger(__name__)

_NO_KEY = "none"  # the package wants one; servers without keys ignore it
_LASTING = frozenset({400, 401, 403, 404, 405, 413, 415, 422})
_OF_FORM = frozenset({400, 422})  # what servers answer to a parameter that they do not take
_OF_REQUEST = frozenset({400, 409, 413, 415, 422})  # what a client hears of a relayed request that a server refuses


def _verified_by(url: str) -> ssl.SSLContext | bool:
    """Return what a server's certificate is checked by: nobody, where a server of this machine is asked without TLS.

    To read the authorities takes as long as to encode a question.
    """
    return _nobody() if urlsplit(url).scheme == "http" and _on_loopback(url) else True


@cache
def _nobody() -> ssl.SSLContext:
    """A context that trusts no certificate at all."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _on_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:  # a name
        return False


class OpenAIChat:
    """Calls of one model at one address, in the protocol of its server. `settings` begins the names of its tier's settings.

    `headers` says what each request carries beside its own headers. A server on loopback is not asked through a proxy, whatever
    proxies the environment names.
    """

    def __init__(  # noqa: PLR0913 - what a server is asked with
        self,
        *,
        url: str,
        model: str,
        key: SecretStr | None = None,
        dialect: Dialect | None = None,
        settings: str = "",
        headers: Headers = no_headers,
        protocol: WireProtocol = "chat",
    ) -> None:
        self._headers = headers
        self._key = key
        self._speech = speech(protocol)
        self._client = AsyncOpenAI(
            base_url=url,
            api_key=key.get_secret_value().strip() if key else _NO_KEY,
            max_retries=0,
            http_client=openai.DefaultAsyncHttpxClient(trust_env=not _on_loopback(url), verify=_verified_by(url)),
        )
        self._model = model
        self._url = url
        self._settings = settings
        self._dialect = dialect or Dialect()

    async def complete(self, request: ChatRequest, *, timeout_s: float) -> Completion:
        """Answer `request` within `timeout_s`. Raises ChatFailed; of the kind "parameter" for a parameter to do without."""
        dialect = self._dialect.without(request.without)
        with _chat_faults(timeout_s), _refusals(request, dialect.parameters(request)):
            async with asyncio.timeout(timeout_s):
                answered: object = await self._client.post(
                    self._speech.path,
                    cast_to=self._speech.cast_to,
                    body={"model": self._model, **self._speech.body(request, dialect)},
                    options={"timeout": timeout_s, "headers": {**self._speech.headers(self._key), **self._headers()}},
                )
            completion = self._speech.completion(answered)
        self._learn(request)
        return completion

    async def send(self, request: RelayRequest, *, timeout_s: float) -> dict[str, Any]:
        """Pass a request on whole, and return the response. Raises ChatFailed, RelayRefused among them."""
        with _chat_faults(timeout_s), _relay_refusals(request):
            async with asyncio.timeout(timeout_s):
                answered = await self._client.post(
                    _path(request),
                    cast_to=object,
                    body=self._relayed(request),
                    options=self._options(request, timeout_s),
                )
        if not isinstance(answered, dict):
            raise ChatFailed("bad_response", "the response is no JSON object")
        return answered

    async def events(self, request: RelayRequest, *, timeout_s: float) -> AsyncGenerator[dict[str, Any], None]:
        """Pass a request on whole, and yield the events of its stream. Raises as `send` does."""
        with _chat_faults(timeout_s), _relay_refusals(request):
            async with asyncio.timeout(timeout_s):
                stream = await self._client.post(
                    _path(request),
                    cast_to=object,
                    body=self._relayed(request),
                    options=self._options(request, timeout_s),
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

    def _options(self, request: RelayRequest, timeout_s: float) -> RequestOptions:
        headers = {**speech(request.protocol).headers(self._key), **request.headers, **self._headers()}
        return {"timeout": timeout_s, "headers": headers, "params": dict(request.query)}

    async def models(self, *, timeout_s: float) -> list[str]:
        """List the models that the server has. Raises ChatFailed."""
        headers = {**self._speech.headers(self._key), **self._headers()}
        with _chat_faults(timeout_s):
            async with asyncio.timeout(timeout_s):
                page = await self._client.models.list(
                    timeout=timeout_s, extra_headers=headers, extra_query=dict(self._speech.listing)
                )
            return [model.id for model in page.data]

    def _learn(self, request: ChatRequest) -> None:
        """Leave out for good what an answered request did without, and say so once."""
        learned = self._dialect.without(request.without)
        for setting in learned.unlike(self._dialect):
            message = "%s refused a parameter and answers without it: from now on it is not sent; %s%s spares the first refusal"
            log.warning(message, self._url, self._settings, setting)
        self._dialect = learned

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


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
            kind, f"the server answered {status}", lasting=status in _LASTING, retry_after_s=wait_s, status=status
        ) from None
    except openai.APIConnectionError as fault:
        raise ChatFailed("connection", type(fault.__cause__ or fault).__name__) from None
    except (openai.APIError, ValueError, TypeError, AttributeError) as fault:
        if type(fault) is openai.APIError:  # an event of a stream, and no answer
            raise ChatFailed("server", "the server ended its stream with an error") from None
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
def _relay_refusals(request: RelayRequest) -> Iterator[None]:
    """Map an error that is about the request itself to RelayRefused, with what the server said of it.

    Without a path of its own, 404 is about the model's name, which is ours.
    """
    of_request = _OF_REQUEST | {404} if request.path else _OF_REQUEST
    try:
        yield
    except openai.APIStatusError as fault:
        if fault.status_code not in of_request:
            raise
        body = fault.body if isinstance(fault.body, dict) else {}
        error = body.get("error") if isinstance(body.get("error"), dict) else body
        raise RelayRefused(fault.status_code, error or {}) from None


def _path(request: RelayRequest) -> str:
    return request.path or speech(request.protocol).path


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
    """Opens after `failures` in a row and lets one trial through after `cool_s`; a success closes it.

    A call that began before it opened may end while a trial is under way. That does not end the trial.
    """

    def __init__(self, *, failures: int = 10, cool_s: float = 10.0) -> None:
        self._limit = failures
        self._cool_s = cool_s
        self._failures = 0
        self._opened_s = 0.0
        self._trying = False

    def opens_in_s(self) -> float:
        """Return the seconds until a call may pass; 0 if one may now."""
        if self._failures < self._limit:
            return 0.0
        if self._trying:
            return self._cool_s
        return max(0.0, self._opened_s + self._cool_s - monotonic())

    def begin(self) -> bool:
        """Note that a call begins. Return whether it is the trial of an open breaker: no other passes until that is done."""
        trial = self._failures >= self._limit
        self._trying = self._trying or trial
        return trial

    def end(self, *, trial: bool, failed: bool) -> None:
        """Note how a call ended, which was a `trial` or not."""
        self.abandon(trial=trial)
        self._failures = self._failures + 1 if failed else 0
        if self._failures >= self._limit:
            self._opened_s = monotonic()

    def abandon(self, *, trial: bool) -> None:
        """Note that a call was given up by the caller, which says nothing about the server."""
        self._trying = self._trying and not trial


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
        """Let the breaker know that a call begins, and how it ends. Raises ChatFailed if it is open.

        It is asked again here: it may have opened while the call waited for its turn.
        """
        if self.breaker.opens_in_s() > 0:
            raise ChatFailed("circuit_open", "it failed too often while this call waited")  # another address may be up
        trial = self.breaker.begin()
        try:
            yield
        except ChatFailed as fault:
            self.breaker.end(trial=trial, failed=not fault.lasting)
            raise
        except BaseException:
            self.breaker.abandon(trial=trial)
            raise
        self.breaker.end(trial=trial, failed=False)

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
        try:
            yield
        finally:
            self.in_flight -= 1
            self._turns.release()
