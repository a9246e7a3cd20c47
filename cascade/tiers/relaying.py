"""Relaying: a request goes to a tier whole, in the tier's own protocol, and its response comes back whole.

It is retried, watched and booked as the cascade's own calls are: another replica first, never past the deadline, every call in the
trace with its tokens and cost. A stream is only asked for again before its first event.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import ExitStack, aclosing
from time import perf_counter
from typing import Any

from cascade.call_trace import Trace
from cascade.decision import Call
from cascade.errors import ChatFailed, RelayRefused
from cascade.model import Completion, RelayRequest
from cascade.pricing import cost_nanousd
from cascade.tiers.deployment import Deployment
from cascade.tiers.hearing import Heard, Hearing, hearing
from cascade.tiers.model import ModelTier
from cascade.tiers.usage import booked_usage
from cascade.tiers.watching import CallBegun, WatchedCall

__all__ = ["Relayed", "RelayedStream", "relay", "relay_stream"]


class Relayed:
    """A response, and what was said in it."""

    def __init__(self, response: dict[str, Any], heard: Heard) -> None:
        self.response = response
        self.heard = heard


async def relay(tier: ModelTier, request: RelayRequest, trace: Trace, *, purpose: str) -> Relayed:
    """Send a request until it is answered.

    Raises:
        RelayRefused: the server refuses what the request says.
        TierDown: no deployment answered in time.
    """
    tried: list[Deployment] = []
    try:
        async for attempt in tier.attempts(trace):
            with attempt:
                return await _send(tier, request, trace, purpose, tried)
    except RelayRefused:
        raise
    except ChatFailed as fault:
        raise tier.down(fault) from fault
    raise AssertionError("the loop ends with an answer or an error")


async def relay_stream(tier: ModelTier, request: RelayRequest, trace: Trace, *, purpose: str) -> "RelayedStream":
    """Send a request until its stream begins. Raises as `relay` does; what goes wrong later is raised by the stream."""
    tried: list[Deployment] = []
    try:
        async for attempt in tier.attempts(trace):
            with attempt:
                return await RelayedStream.begun(tier, request, trace, purpose, tried)
    except RelayRefused:
        raise
    except ChatFailed as fault:
        raise tier.down(fault) from fault
    raise AssertionError("the loop ends with a stream or an error")


async def _send(tier: ModelTier, request: RelayRequest, trace: Trace, purpose: str, tried: list[Deployment]) -> Relayed:
    deployment = _next(tier, tried)
    with _Booking(tier, request, trace, purpose, deployment) as booking:
        response = await deployment.send(request, timeout_s=_timeout_s(tier, trace))
        booking.hearing.whole(response)
        return Relayed(response, booking.hearing.heard())


class RelayedStream:
    """A response that streams: iterate over its events once; `heard` is what was said in those that came by."""

    def __init__(
        self, first: dict[str, Any], rest: AsyncGenerator[dict[str, Any], None], booking: "_Booking", call: ExitStack
    ) -> None:
        self._first = first
        self._rest = rest
        self._booking = booking
        self._call = call

    @classmethod
    async def begun(
        cls, tier: ModelTier, request: RelayRequest, trace: Trace, purpose: str, tried: list[Deployment]
    ) -> "RelayedStream":
        """Wait for the first event. Raises ChatFailed."""
        deployment = _next(tier, tried)
        with ExitStack() as stack:
            booking = stack.enter_context(_Booking(tier, request, trace, purpose, deployment))
            events = deployment.events(request, timeout_s=_timeout_s(tier, trace))
            first = await anext(events, None)
            if first is None:
                raise ChatFailed("bad_response", "the stream is empty")
            return cls(first, events, booking, stack.pop_all())

    @property
    def heard(self) -> Heard:
        """What was said so far."""
        return self._booking.hearing.heard()

    async def aclose(self) -> None:
        """Give the call up, if it has not ended; it is booked as far as it came."""
        await self._rest.aclose()
        self._call.close()

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the events. Raises ChatFailed if the stream breaks off."""
        with self._call:
            async with aclosing(self._rest) as rest:
                self._booking.hearing.event(self._first)
                yield self._first
                async for event in rest:
                    self._booking.hearing.event(event)
                    yield event


class _Booking:
    """One call: watched while it lasts, and in the trace once it ends, however it does."""

    def __init__(
        self, tier: ModelTier, request: RelayRequest, trace: Trace, purpose: str, deployment: Deployment
    ) -> None:
        self.hearing: Hearing = hearing(request.protocol)
        self._tier = tier
        self._request = request
        self._trace = trace
        self._purpose = purpose
        self._began_s = perf_counter()
        begun = CallBegun(
            tier=tier.name,
            model=tier.model,
            address=deployment.name,
            purpose=purpose,
            max_tokens=tier.max_tokens,
            temperature=0.0,
        )
        self._watching = tier.watch.calling(begun)
        self._watched: WatchedCall | None = None

    def __enter__(self) -> "_Booking":
        self._watched = self._watching.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: object) -> None:
        heard = self.hearing.heard()
        failed = fault if isinstance(fault, ChatFailed) else None
        call = self._call(heard, failed)
        self._trace.calls.append(call)
        if self._watched and (fault is None or failed):
            completion = Completion(text="", model=heard.model, finish_reason=heard.finish, usage=call.usage)
            self._watched.ended(call, failed or completion)
        self._watching.__exit__(kind, fault, None)

    def _call(self, heard: Heard, failed: ChatFailed | None) -> Call:
        sent = [heard.text, heard.reasoning, *(called.arguments for called in heard.calls)]
        usage = heard.usage
        if failed is None or any(sent):
            usage = booked_usage(usage, prompt_tokens=self._prompt_tokens, sent=sent, count=self._tier.count)
        return Call(
            tier=self._tier.name,
            model=heard.model or self._tier.model,
            purpose=self._purpose,
            usage=usage,
            cost_nanousd=cost_nanousd(usage, self._tier.price),
            latency_ms=round((perf_counter() - self._began_s) * 1_000),
            fault=str(failed) if failed else "",
        )

    def _prompt_tokens(self) -> int:
        return self._tier.count(json.dumps(self._request.body, ensure_ascii=False))


def _next(tier: ModelTier, tried: list[Deployment]) -> Deployment:
    deployment = tier.pick(tried)
    tried.append(deployment)
    return deployment


def _timeout_s(tier: ModelTier, trace: Trace) -> float:
    """Return the seconds that a call may take. Raises ChatFailed."""
    timeout_s = min(tier.timeout_s, trace.remaining_s())
    if timeout_s <= 0:
        raise ChatFailed("deadline", "the request's time is up", lasting=True)
    return timeout_s
