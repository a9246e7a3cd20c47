"""A tier over a model: builds the prompt, calls a deployment, tries again where that may help, reads the answer.

The only retry loop there is: full jitter (Brooker, "Exponential Backoff And Jitter", 2015), Retry-After honoured, another
replica first, never past the request's deadline. A request that a server refuses for one of its parameters is made again at once
without it. Every call, failed ones too, is in the trace with its tokens and its cost.

A model that says nothing, or refuses, has failed: its call is in the trace with why. Only an empty reply is asked for again, and
only of another address: the same limit cuts off the same thoughts.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter

import tenacity

from cascade.call_trace import Trace
from cascade.decision import Call
from cascade.errors import SAID_NOTHING, SAID_NOTHING_HERE, SILENT, ChatFailed, TierDown, TooLong
from cascade.model import Brief, ChatRequest, Completion, Draft, Usage, WireProtocol
from cascade.pricing import Price, cost_nanousd
from cascade.prompts import ANSWER_SCHEMA, answer_messages, request_key
from cascade.reading import attributed, read_draft, silence, spoken
from cascade.tiers.deployment import Deployment
from cascade.tiers.names import same_model
from cascade.tiers.usage import booked_usage
from cascade.tiers.watching import CallBegun, Unwatched, Watch

__all__ = ["ModelTier", "Tokens"]

Tokens = Callable[[str], int]
_PER_MESSAGE = 8  # of the chat format, a little more than harmony takes
_LONGEST_WAIT_S = 20.0
_SILENT_WAIT_S = 60  # until a model that said nothing may be asked again
_PARAMETERS = 4  # that a request may be made again without, one after another


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTier:
    """A priced model, at one or several addresses. `count` counts the tokens of a text; `sleep` waits (a replay need not).

    `accepted` are other names that its servers may answer with, for the same model. `watch` hears of every call.
    """

    name: str
    model: str
    price: Price
    window_tokens: int
    max_tokens: int
    timeout_s: float
    tries: int
    deployments: Sequence[Deployment]
    count: Tokens
    sleep: Callable[[float], Awaitable[None]]
    accepted: tuple[str, ...] = ()
    watch: Watch = field(default_factory=Unwatched)
    protocol: WireProtocol = "chat"

    @property
    def described(self) -> str:
        """What its answers depend on, and their cost: for the hashes of decisions."""
        names = " or ".join((self.model, *self.accepted))
        return f"{self.name} {names}, {self.max_tokens} tokens, at {self.price.rates}"

    async def draft(
        self, brief: Brief, trace: Trace, *, feedback: str = "", purpose: str = "draft", variant: str = "answer"
    ) -> Draft:
        """Answer the brief's question from its lines; `feedback` says what was wrong with an earlier answer.

        Raises:
            TooLong: the window does not hold the request.
            TierDown: no deployment answered in time, or the model said nothing.
        """
        messages = answer_messages(brief, feedback=feedback, variant=variant)
        request = ChatRequest(messages=messages, max_tokens=self.max_tokens, schema=ANSWER_SCHEMA)
        completion = await self.ask(request, trace, purpose=purpose)
        return attributed(read_draft(completion, brief), brief)

    async def ask(self, request: ChatRequest, trace: Trace, *, purpose: str) -> Completion:
        """Send `request` until it is answered, and return what was said aloud. Raises as `draft` does.

        An accepted name of the model is given as its own.
        """
        self.check_window(request)
        tried: list[Deployment] = []
        try:
            async for attempt in self.attempts(trace):
                with attempt:
                    return self._named(await self._call(request, trace, purpose, tried))
        except ChatFailed as fault:
            raise self.down(fault) from fault
        raise AssertionError("the loop ends with an answer or an error")

    def attempts(self, trace: Trace) -> tenacity.AsyncRetrying:
        """Return the loop of a request's calls: another one while it may help, and never past the request's deadline."""
        return tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(_may_help),
            stop=tenacity.stop_after_attempt(self.tries),
            wait=_wait,
            sleep=self._sleeper(trace),
            reraise=True,
        )

    def down(self, fault: ChatFailed) -> TierDown:
        """Return the error that the tier gave no answer, for the fault of its last call."""
        if fault.kind in SILENT:
            return TierDown(tier=self.name, reason=fault.reason, retry_after_s=_SILENT_WAIT_S, silent=True)
        wait_s = fault.retry_after_s or min((d.breaker.opens_in_s() for d in self.deployments), default=0.0)
        return TierDown(tier=self.name, reason=str(fault), retry_after_s=max(1, round(wait_s)))

    def check_window(self, request: ChatRequest) -> None:
        """Raise TooLong if the window does not hold the request and its answer."""
        tokens = self._prompt_tokens(request) + request.max_tokens
        if tokens > self.window_tokens:
            raise TooLong(tokens=tokens, window_tokens=self.window_tokens)

    def _prompt_tokens(self, request: ChatRequest) -> int:
        return sum(self.count(message.content) + _PER_MESSAGE for message in request.messages)

    def _named(self, completion: Completion) -> Completion:
        accepted = any(same_model(name, completion.model) for name in self.accepted)
        return replace(completion, model=self.model) if accepted else completion

    async def _call(self, request: ChatRequest, trace: Trace, purpose: str, tried: list[Deployment]) -> Completion:
        """Ask one deployment, again at once without what it refuses. Raises ChatFailed."""
        deployment = self.pick(tried)
        tried.append(deployment)
        last = all(one in tried for one in self.deployments)
        for _ in range(_PARAMETERS):
            try:
                return await self._once(deployment, request, trace, purpose, last=last)
            except ChatFailed as fault:
                if fault.kind != "parameter":
                    raise
                request = replace(request, without=(*request.without, fault.parameter))
        return await self._once(deployment, request, trace, purpose, last=last)

    async def _once(
        self, deployment: Deployment, request: ChatRequest, trace: Trace, purpose: str, *, last: bool
    ) -> Completion:
        """Make one call; `last` says that no other address is left for it. Raises ChatFailed."""
        timeout_s = min(self.timeout_s, trace.remaining_s())
        if timeout_s <= 0:
            raise ChatFailed("deadline", "the request's time is up", lasting=True)
        began_s = perf_counter()
        begun = CallBegun.of(request, tier=self.name, model=self.model, address=deployment.name, purpose=purpose)
        with self.watch.calling(begun) as watched:

            def note(how: Completion | ChatFailed) -> None:
                call = self._recorded(request, purpose, began_s, how)
                trace.calls.append(call)
                watched.ended(call, how)

            try:
                completion = await deployment.complete(request, timeout_s=timeout_s)
                self._check_said(request, completion, last=last)
            except ChatFailed as fault:
                note(fault)
                raise
            note(completion)
        return replace(completion, text=spoken(completion.text))

    def _check_said(self, request: ChatRequest, completion: Completion, *, last: bool) -> None:
        """Raise ChatFailed, with what was billed, if a completion says nothing."""
        nothing = silence(completion)
        if nothing is not None:
            lasting = nothing.lasting or last
            kind = SAID_NOTHING if lasting else SAID_NOTHING_HERE
            raise ChatFailed(kind, nothing.reason, lasting=lasting, usage=self._usage(request, completion))

    def pick(self, tried: Sequence[Deployment]) -> Deployment:
        """Choose an untried replica before a tried one, then the least busy. Raises ChatFailed if all breakers are open."""
        open_ones = [one for one in self.deployments if one.breaker.opens_in_s() == 0]
        if not open_ones:
            wait_s = min(one.breaker.opens_in_s() for one in self.deployments)
            raise ChatFailed("circuit_open", "it failed too often just now", lasting=True, retry_after_s=wait_s)
        return min(open_ones, key=lambda one: (one in tried, one.in_flight))

    def _recorded(self, request: ChatRequest, purpose: str, began_s: float, ended: Completion | ChatFailed) -> Call:
        named = ended.model if isinstance(ended, Completion) else ""
        usage = self._usage(request, ended)
        return Call(
            tier=self.name,
            model=named or self.model,
            purpose=purpose,
            request=request_key(self.model, request),
            usage=usage,
            cost_nanousd=cost_nanousd(usage, self.price),
            latency_ms=round((perf_counter() - began_s) * 1_000),
            fault=str(ended) if isinstance(ended, ChatFailed) else "",
        )

    def _usage(self, request: ChatRequest, ended: Completion | ChatFailed) -> Usage:
        """Return what a call used, as reported; what is missing is counted, but not for a failed call that sent nothing."""
        sent = (ended.text, ended.reasoning) if isinstance(ended, Completion) else (ended.sent,)
        if isinstance(ended, ChatFailed) and not ended.sent:
            return ended.usage
        return booked_usage(
            ended.usage, prompt_tokens=lambda: self._prompt_tokens(request), sent=sent, count=self.count
        )

    def _sleeper(self, trace: Trace) -> Callable[[float], Awaitable[None]]:
        async def sleep(wait_s: float) -> None:
            if wait_s >= trace.remaining_s():
                raise ChatFailed(
                    "deadline",
                    f"waiting {wait_s:.1f} s would pass the request's deadline",
                    lasting=True,
                    retry_after_s=wait_s,
                )
            await self.sleep(wait_s)

        return sleep


_backoff = tenacity.wait_random_exponential(multiplier=0.25, max=8)


def _wait(state: tenacity.RetryCallState) -> float:
    fault = state.outcome.exception() if state.outcome else None
    asked_s = fault.retry_after_s if isinstance(fault, ChatFailed) else None
    return _backoff(state) if asked_s is None else asked_s + _backoff(state) / 4


def _may_help(fault: BaseException) -> bool:
    """Another try may help, unless the fault lasts or the server asks for more patience than a request has."""
    return isinstance(fault, ChatFailed) and not fault.lasting and (fault.retry_after_s or 0) <= _LONGEST_WAIT_S
