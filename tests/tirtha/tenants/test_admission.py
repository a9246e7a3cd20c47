"""Admission where operations ask it: bulks wait for their pace, and what models took is counted when it is known."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from cascade import Ledger
from cascade.decision import Call
from cascade.model import Usage
from cascade.storage.ledger import Owner
from memory.storage.database import Database
from tests.contracts.test_ledger import decision
from tests.support.memory import database_in
from tirtha.tenants.admission import Admission
from tirtha.tenants.errors import RateLimited, TenantGone
from tirtha.tenants.model import Assigned, Terms
from tirtha.tenants.rates import Rates
from tirtha.tenants.registry import Tenants
from tirtha.tenants.spending import Spending

DEFAULTS = Terms(max_tier="frontier", unverified="abstain", chat_checks="after", tokens_per_minute=1_000)


class NotedRates(Rates):
    """The real rates, which note how often there was no room."""

    refused = 0

    async def take(self, kind: str, limit: int | None, tenant: str, user: str | None = None, *, cost: int = 1) -> None:
        try:
            await super().take(kind, limit, tenant, user, cost=cost)
        except RateLimited:
            self.refused += 1
            raise


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with database_in(tmp_path / "home") as opened:
        yield opened


@pytest.fixture
def admission(database: Database) -> Admission:
    ledger = Ledger(database)
    return Admission(tenants=Tenants(database, defaults=DEFAULTS), rates=Rates(window_s=1), spending=Spending(ledger))


async def test_who_is_not_there_or_on_the_way_out_is_not_let_in(admission: Admission) -> None:
    await admission.request("default")
    with pytest.raises(TenantGone):
        await admission.request("acme")
    await admission.tenants.create("acme", Assigned())
    await admission.request("acme")
    await admission.tenants.begin_deleting("acme")
    with pytest.raises(TenantGone):
        await admission.request("acme")


async def test_a_bulk_goes_at_the_pace_that_it_may(admission: Admission) -> None:
    await admission.tenants.assign("default", {"turns_per_minute": 40, "stored_turns": 9})
    rates = NotedRates(window_s=1)
    admission = replace(admission, rates=rates)
    for _ in range(3):
        terms = await admission.storing_in_bulk("default", {"u1": 30, "u2": 10})
    assert terms.stored_turns == 9
    assert rates.refused, "three windows' worth of turns: they wait for room, and none is refused"


async def test_tokens_are_counted_when_they_are_known_and_then_models_are_not_asked(admission: Admission) -> None:
    call = Call(
        tier="local", model="m", usage=Usage(prompt_tokens=900, completion_tokens=200), cost_nanousd=1, latency_ms=1
    )
    made = replace(await decision(), calls=(call,))
    admission = replace(admission, rates=Rates(window_s=60))
    await admission.asking_models("default", "u1")
    await admission.used("default", "u1", made)
    with pytest.raises(RateLimited, match="1,000 tokens a minute of this tenant"):
        await admission.asking_models("default", "u1")
    assert (await admission.asking("default", "u1")).tokens_per_minute == 1_000
    await admission.asking_models("other", "u1")


async def test_a_cap_is_reached_by_what_the_ledger_holds(admission: Admission, database: Database) -> None:
    made = await decision(cost=2_500_000)
    await admission.tenants.assign("default", {"nanousd_per_day": 5_000_000})
    for reached in (False, False, True):
        words = await admission.cap_reached("default")
        assert bool(words) is reached
        await Ledger(database).record(replace(made, id=uuid4().hex), Owner(tenant="default"))
        await admission.used("default", "", made)
    assert "US$ 0.005000" in words
    assert not await admission.may_shadow("default")
    await admission.tenants.assign("default", {"nanousd_per_day": None})
    assert await admission.may_shadow("default")
    await admission.tenants.assign("default", {"max_tier": "local"})
    assert not await admission.may_shadow("default")
