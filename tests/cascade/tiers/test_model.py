"""Tiers over replicas: tries, waits, silence, breakers, limits and costs."""

import asyncio
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from time import perf_counter

import pytest

from cascade.call_trace import Trace
from cascade.errors import ChatFailed, TierDown, TooLong
from cascade.model import ChatRequest, Completion, Message, Usage
from cascade.pricing import Price, cost_nanousd, known_prices
from cascade.tiers.deployment import Breaker, Deployment, OpenAIChat
from cascade.tiers.model import ModelTier
from tests.support.chat_server import ChatServer, Reply, chat_server, says
from tests.support.tiers import CHEAP, Scripted, tier

ASK = ChatRequest(messages=(Message(role="user", content="Where?"),), max_tokens=50, schema='{"type": "object"}')


@pytest.fixture
async def server() -> AsyncIterator[ChatServer]:
    with chat_server("scripted") as running:
        yield running


def trace(deadline_s: float = 5.0) -> Trace:
    return Trace(started_s=perf_counter(), deadline_s=deadline_s)


async def test_a_passing_fault_is_tried_again_and_every_call_is_in_the_trace() -> None:
    own = trace()
    assert (await tier(Scripted(ChatFailed("server", "500"), "Paris")).ask(ASK, own, purpose="draft")).text == "Paris"
    assert [(call.fault, call.cost_nanousd) for call in own.calls] == [("server: 500", 0), ("", 65_000)]


async def test_thoughts_are_paid_for_and_not_handed_on() -> None:
    own = trace()
    said = await tier(Scripted("<think>Rome?</think>\nParis")).ask(ASK, own, purpose="vote")
    assert said.text.strip() == "Paris"
    assert own.calls[0].usage.completion_tokens == 10


def silent(text: str, finish: str = "stop") -> Completion:
    return Completion(text=text, model="", finish_reason=finish, usage=Usage(prompt_tokens=7, completion_tokens=1))


async def test_an_empty_reply_is_asked_for_again_of_another_address_alone() -> None:
    own, sound = trace(), Scripted("Paris")
    assert (await tier(Scripted(silent("")), sound).ask(ASK, own, purpose="draft")).text == "Paris"
    assert [call.fault for call in own.calls] == ["said_nothing_here: an empty reply", ""]
    both = trace()
    with pytest.raises(TierDown, match="said nothing") as caught:
        await tier(Scripted(silent("")), Scripted(silent("")), tries=5).ask(ASK, both, purpose="draft")
    assert [call.fault.partition(":")[0] for call in both.calls] == ["said_nothing_here", "said_nothing"]
    assert (caught.value.silent, caught.value.retry_after_s) == (True, 60)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (silent("", "length"), "length"),
        (silent("<think>Rome", "length"), "length"),
        (silent("I cannot assist with that."), "a refusal"),
        (silent("Par", "content_filter"), "content_filter"),
    ],
)
async def test_a_silence_that_would_come_again_is_not_asked_for_again(reply: Completion, why: str) -> None:
    own, other = trace(), Scripted("Paris")
    with pytest.raises(TierDown) as caught:
        await tier(Scripted(reply), other).ask(ASK, own, purpose="draft")
    assert (caught.value.silent, caught.value.reason, other.requests) == (True, why, [])
    assert [(call.fault, call.cost_nanousd) for call in own.calls] == [(f"said_nothing: {why}", 5_000)]


async def test_silence_opens_no_breaker() -> None:
    own = tier(Scripted(silent("")), tries=1)
    for _ in range(5):
        with pytest.raises(TierDown, match="said nothing"):
            await own.ask(ASK, trace(), purpose="draft")


async def test_a_lasting_fault_is_not_tried_again() -> None:
    own = trace()
    with pytest.raises(TierDown):
        await tier(Scripted(ChatFailed("refused", "401", lasting=True))).ask(ASK, own, purpose="draft")
    assert len(own.calls) == 1


async def test_retry_after_is_waited_for_and_an_unreasonable_one_is_not() -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    def patient(retry_after_s: float) -> ModelTier:
        base = tier(Scripted(ChatFailed("rate_limited", "429", retry_after_s=retry_after_s), "Paris"))
        return ModelTier(**{f: getattr(base, f) for f in base.__slots__} | {"sleep": sleep})

    await patient(2.0).ask(ASK, trace(deadline_s=60), purpose="draft")
    assert 2.0 <= waited[0] <= 5.0
    with pytest.raises(TierDown) as caught:
        await patient(300.0).ask(ASK, trace(deadline_s=60), purpose="draft")
    assert caught.value.retry_after_s == 300


async def test_no_wait_goes_past_the_deadline() -> None:
    own = tier(Scripted(ChatFailed("rate_limited", "429", retry_after_s=10.0), "Paris"))
    with pytest.raises(TierDown, match="deadline"):
        await own.ask(ASK, trace(deadline_s=1), purpose="draft")


async def test_a_hanging_server_is_left_at_the_deadline(server: ChatServer) -> None:
    server.script = lambda request: says("late", wait_s=3.0)
    chat = OpenAIChat(url=server.url, model="scripted")
    base = tier(Scripted("x"))
    own = ModelTier(**{f: getattr(base, f) for f in base.__slots__} | {"deployments": [Deployment(chat, name="a")]})
    with pytest.raises(TierDown):  # and no answer, which would come after 3 s
        await own.ask(ASK, trace(deadline_s=0.6), purpose="draft")
    await chat.close()


async def test_another_replica_is_tried_first_and_the_busier_one_last() -> None:
    broken, sound = Scripted(ChatFailed("server", "500")), Scripted("Paris")
    own = tier(broken, sound)
    for _ in range(4):
        await own.ask(ASK, trace(), purpose="draft")
    assert len(sound.requests) == 4
    assert len(broken.requests) == 3, "its breaker is open by then"


class Slow:
    """A chat whose calls last until it is told to let them fail, all or one."""

    def __init__(self) -> None:
        self.calls: list[asyncio.Event] = []

    @property
    def asked(self) -> int:
        return len(self.calls)

    def fail(self) -> None:
        for call in self.calls:
            call.set()

    async def complete(self, request: ChatRequest, *, timeout_s: float) -> Completion:
        self.calls.append(over := asyncio.Event())
        await over.wait()
        raise ChatFailed("server", "500")


@pytest.mark.parametrize("abandoned", [False, True])
async def test_a_call_from_before_the_breaker_opened_does_not_end_its_trial(
    abandoned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("cascade.tiers.deployment.monotonic", lambda: now)
    slow = Slow()
    own = Deployment(slow, name="slow", breaker=Breaker(failures=2, cool_s=10))
    asking = [asyncio.create_task(own.complete(ASK, timeout_s=60)) for _ in range(3)]
    await asyncio.sleep(0.01)
    for call in slow.calls[:2]:
        call.set()
    await asyncio.sleep(0.01)
    now = 110.0
    asking.append(asyncio.create_task(own.complete(ASK, timeout_s=60)))
    await asyncio.sleep(0.01)
    assert slow.asked == 4, "the trial is under way"
    asking[2].cancel() if abandoned else slow.calls[2].set()
    await asyncio.sleep(0.01)
    now = 120.0
    asking.append(asyncio.create_task(own.complete(ASK, timeout_s=60)))
    await asyncio.sleep(0.01)
    assert slow.asked == 4, "and no second one beside it"
    slow.fail()
    ended = await asyncio.gather(*asking, return_exceptions=True)
    assert [isinstance(fault, ChatFailed) for fault in ended] == [True, True, not abandoned, True, True]
    now = 130.0
    assert own.breaker.opens_in_s() == 0


@pytest.mark.parametrize(("cooled", "trials"), [(False, 0), (True, 1)])
async def test_calls_that_waited_for_a_turn_do_not_pass_a_breaker_that_opened_meanwhile(
    cooled: bool, trials: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("cascade.tiers.deployment.monotonic", lambda: now)
    slow = Slow()
    own = Deployment(slow, name="slow", concurrency=2, breaker=Breaker(failures=2, cool_s=10))
    calls = [asyncio.create_task(own.complete(ASK, timeout_s=5)) for _ in range(6)]
    await asyncio.sleep(0.01)
    assert slow.asked == 2
    slow.fail()
    await asyncio.sleep(0)  # both have failed, and those that waited have not gone on
    now = 110.0 if cooled else now
    await asyncio.sleep(0.01)
    assert slow.asked == 2 + trials, "an open breaker lets none through, a cooled one a single trial"
    slow.fail()
    kinds = [
        fault.kind for fault in await asyncio.gather(*calls, return_exceptions=True) if isinstance(fault, ChatFailed)
    ]
    assert (kinds.count("server"), kinds.count("circuit_open")) == (2 + trials, 4 - trials)
    assert own.in_flight == 0


async def test_an_open_breaker_answers_at_once_and_lets_one_trial_through(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("cascade.tiers.deployment.monotonic", lambda: now)
    breaker = Breaker(failures=2, cool_s=10)
    for _ in range(2):
        assert breaker.opens_in_s() == 0
        breaker.end(trial=breaker.begin(), failed=True)
    assert breaker.opens_in_s() == 10
    now = 110.0
    assert breaker.opens_in_s() == 0
    trial = breaker.begin()
    assert breaker.opens_in_s() > 0, "one trial at a time"
    breaker.end(trial=trial, failed=True)
    assert breaker.opens_in_s() == 10
    now = 120.0
    breaker.abandon(trial=breaker.begin())
    assert breaker.opens_in_s() == 0, "a trial that was given up leaves room for the next"
    breaker.end(trial=breaker.begin(), failed=False)
    assert breaker.opens_in_s() == 0


async def test_a_tier_whose_breakers_are_open_is_down_without_a_call() -> None:
    chat = Scripted(ChatFailed("server", "500"))
    own = tier(chat, tries=3)
    with pytest.raises(TierDown):
        await own.ask(ASK, trace(), purpose="draft")
    again = trace()
    with pytest.raises(TierDown, match="circuit_open") as caught:
        await own.ask(ASK, again, purpose="draft")
    assert (len(chat.requests), again.calls) == (3, [])
    assert 1 <= caught.value.retry_after_s <= 10


async def test_calls_beyond_the_limit_wait_for_their_turn(server: ChatServer) -> None:
    running: list[int] = []
    most = 0

    def script(request: object) -> Reply:
        nonlocal most
        with server.lock:
            running.append(1)
            most = max(most, len(running))
        time.sleep(0.05)
        with server.lock:
            running.pop()
        return says("Paris")

    server.script = script
    chat = OpenAIChat(url=server.url, model="scripted")
    deployment = Deployment(chat, name="a", concurrency=2)
    await asyncio.gather(*(deployment.complete(ASK, timeout_s=5) for _ in range(8)))
    assert most == 2
    busy = Deployment(chat, name="a", concurrency=1)
    server.script = lambda request: says("Paris", wait_s=0.5)
    first = asyncio.create_task(busy.complete(ASK, timeout_s=5))
    await asyncio.sleep(0.05)
    with pytest.raises(ChatFailed, match="busy"):
        await busy.complete(ASK, timeout_s=0.1)
    await first
    assert busy.in_flight == 0
    await chat.close()


async def test_what_the_window_does_not_hold_is_told_with_both_numbers() -> None:
    chat = Scripted("x")
    with pytest.raises(TooLong) as caught:
        await tier(chat, window=58).ask(ASK, trace(), purpose="draft")
    assert (caught.value.tokens, caught.value.window_tokens) == (1 + 8 + 50, 58)
    assert not chat.requests


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (Usage(prompt_tokens=165, completion_tokens=12), 165 * 500 + 12 * 1_500),
        (Usage(), 0),
        (Usage(prompt_tokens=100, cached_tokens=40), 60 * 500 + 40 * 50),
        (Usage(prompt_tokens=10, cached_tokens=40), 10 * 50),
    ],
)
def test_costs_are_whole_nano_dollars(usage: Usage, cost: int) -> None:
    price = Price(
        input_usd=CHEAP.input_usd, output_usd=CHEAP.output_usd, cached_usd=Decimal("0.05"), as_of=None, source="t"
    )
    assert cost_nanousd(usage, price) == cost


def test_the_price_table_is_dated_and_says_where_from() -> None:
    prices = known_prices()
    assert {"openai/gpt-oss-120b", "gpt-3.5-turbo-0125", "gpt-4-turbo-2024-04-09"} <= prices.keys()
    assert all(price.as_of and price.source for price in prices.values())
