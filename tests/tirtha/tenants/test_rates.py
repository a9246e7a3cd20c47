"""Sliding windows: what they let through, when there is room again, and whose they are, by a clock that tests move."""

from types import SimpleNamespace

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tirtha.tenants.errors import AboveRate, RateLimited
from tirtha.tenants.rates import Rates

WINDOW_S = 2


class Clock:
    """The time of day that counters read."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.25

    def time(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock in place of the one that the library of counters reads; it takes none as an argument."""
    clock = Clock()
    monkeypatch.setattr("limits.aio.storage.memory.time", SimpleNamespace(time=clock.time))
    return clock


async def taken(rates: Rates, tries: int, limit: int, tenant: str = "acme", user: str | None = None) -> int:
    """How many of so many tries are let through."""
    through = 0
    for _ in range(tries):
        try:
            await rates.take("requests", limit, tenant, user)
        except RateLimited:
            continue
        through += 1
    return through


async def test_no_more_than_the_limit_passes_and_each_tenant_and_user_has_their_own() -> None:
    rates = Rates(window_s=60)
    assert await taken(rates, 10, 3) == 3
    assert await taken(rates, 10, 3, "other") == 3
    assert await taken(rates, 10, 3, "acme", "u1") == 3
    assert await taken(rates, 10, 3, "acme", "u2") == 3
    await rates.take("turns", 3, "acme", cost=3)
    await rates.take("requests", None, "acme", cost=1_000)


async def test_a_refusal_says_when_there_is_room_and_then_there_is(clock: Clock) -> None:
    rates = Rates(window_s=WINDOW_S)
    assert await taken(rates, 5, 4) == 4
    with pytest.raises(RateLimited) as refused:
        await rates.take("requests", 4, "acme")
    fault = refused.value
    assert (fault.what, fault.limit, fault.of) == ("requests", 4, "tenant")
    assert 1 <= fault.retry_after_s <= 2 * WINDOW_S
    assert "requests a minute of this tenant" in str(fault)
    clock.now_s += fault.retry_after_s
    await rates.take("requests", 4, "acme")


async def test_what_can_never_pass_is_refused_for_good() -> None:
    rates = Rates(window_s=60)
    with pytest.raises(AboveRate) as refused:
        await rates.take("turns", 10, "acme", "u1", cost=11)
    assert (refused.value.size, refused.value.limit, refused.value.of) == (11, 10, "user")
    await rates.take("turns", 10, "acme", "u1", cost=10)


async def test_what_was_used_already_fills_the_window_and_no_more() -> None:
    rates = Rates(window_s=60)
    await rates.check("tokens", 100, "acme")
    await rates.charge("tokens", 100, "acme", cost=60)
    await rates.check("tokens", 100, "acme")
    await rates.charge("tokens", 100, "acme", cost=10**9)
    with pytest.raises(RateLimited):
        await rates.check("tokens", 100, "acme")
    await rates.charge("tokens", 100, "acme", cost=5)
    await rates.check("tokens", 100, "other")


async def test_over_several_windows_the_rate_is_kept(clock: Clock) -> None:
    rates, through, windows = Rates(window_s=WINDOW_S), 0, 4
    for _ in range(50 * windows):
        through += await taken(rates, 5, 5)
        clock.now_s += WINDOW_S / 50
    assert 5 * (windows - 1) <= through <= 5 * (windows + 1)


@given(limit=st.integers(1, 50), costs=st.lists(st.integers(1, 60), max_size=30))
def test_a_window_never_holds_more_than_its_limit(limit: int, costs: list[int]) -> None:
    async def run() -> int:
        rates, held = Rates(window_s=3_600), 0
        for cost in costs:
            try:
                await rates.take("turns", limit, "acme", cost=cost)
            except (RateLimited, AboveRate) as refused:
                assert held + cost > limit, refused
            else:
                held += cost
        return held

    assert anyio.run(run) <= limit
