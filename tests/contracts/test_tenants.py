"""What any database must do under tenants: who there is, how many turns each has, what a day cost, and what is too old."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from sqlalchemy import create_engine, select, text, update
from sqlmodel import col

from cascade import Ledger
from cascade.errors import UnknownDecision
from cascade.storage.ledger import Owner, Shadow
from cascade.storage.schema import CACHED, DECISION, DECISION_TURN, SHADOW
from memory import NewTurn, Remember, Scope
from memory.errors import TenantClosed, TenantFull
from memory.storage.database import Database
from memory.storage.opening import alembic_config
from memory.storage.schema import ScopeRow, TurnRow
from memory.storage.store import TurnStore
from tests.contracts.test_ledger import decision, open_cache
from tests.support.turns import said
from tirtha.tenants.errors import TenantExists, UnknownTenant
from tirtha.tenants.model import Assigned, Terms
from tirtha.tenants.registry import Tenants
from tirtha.tenants.spending import Spending
from tirtha.wiring.database import MIGRATIONS

ACME, OTHER = Scope(tenant="acme", user_id="u1"), Scope(tenant="other", user_id="u1")
DEFAULTS = Terms(max_tier="frontier", unverified="abstain", chat_checks="after", requests_per_minute=100)
NOON = datetime(2026, 5, 8, 12, tzinfo=UTC)


def keep(store: TurnStore, scope: Scope, *texts: str, session: str = "s1", most: int | None = None) -> None:
    turns = [said(one, id=one) for one in texts]
    store.remember(Remember(scope=scope, session_id=session, turns=turns), most)


def count(store: TurnStore, tenant: str = "acme") -> int:
    return store.tenants.turns([tenant]).get(tenant, 0)


# who there is


async def test_default_is_there_and_others_are_made_set_and_removed(opened: Database) -> None:
    tenants = Tenants(opened, defaults=DEFAULTS)
    assert [one.name for one in await tenants.page(limit=10, after=None)] == ["default"]
    made = await tenants.create("acme", Assigned(stored_turns=7, nanousd_per_day=10**15))
    assert await tenants.find("acme") == made
    assert (datetime.now(UTC) - made.created_at) < timedelta(minutes=1)
    with pytest.raises(TenantExists):
        await tenants.create("acme", Assigned())
    changed = await tenants.assign("acme", {"stored_turns": None, "turns_days": 30})
    assert changed.assigned == Assigned(turns_days=30, nanousd_per_day=10**15)
    assert (await Tenants(opened, defaults=DEFAULTS).find("acme")) == changed, "as another process reads it"
    terms = await tenants.terms("acme")
    assert (terms.turns_days, terms.requests_per_minute, terms.nanousd_per_day) == (30, 100, 10**15)
    assert await tenants.terms("nobody") == DEFAULTS
    with pytest.raises(UnknownTenant):
        await tenants.assign("nobody", {"turns_days": 1})
    assert [one.name for one in await tenants.page(limit=1, after="acme")] == ["default"]
    await tenants.remove("acme")
    assert await tenants.find("acme") is None


async def test_a_tenant_that_is_being_deleted_takes_no_values_and_keeps_its_name(opened: Database) -> None:
    tenants = Tenants(opened, defaults=DEFAULTS)
    await tenants.create("acme", Assigned())
    first = await tenants.begin_deleting("acme")
    assert first.deleting_since
    assert await tenants.begin_deleting("acme") == first, "a second try goes on with the first"
    assert await tenants.being_deleted() == ["acme"]
    with pytest.raises(UnknownTenant):
        await tenants.assign("acme", {"turns_days": 1})
    with pytest.raises(TenantExists, match="is being deleted"):
        await tenants.create("acme", Assigned())


# how many turns


def test_turns_are_counted_as_they_come_and_go(store: TurnStore) -> None:
    keep(store, ACME, "one", "two")
    keep(store, ACME, "one", "three")
    keep(store, replace(ACME, user_id="u2"), "one")
    keep(store, OTHER, "one")
    assert store.tenants.turns(["acme", "other", "nobody"]) == {"acme": 4, "other": 1}
    known = store.scope(ACME)
    assert known
    store.forget(known[0], session_id="s1", turn_id="two")
    store.forget(known[0], session_id="s1", turn_id="two")
    assert count(store) == 3
    store.forget(known[0])
    assert count(store) == 1


def test_a_quota_is_of_new_turns_and_refuses_the_whole_request(store: TurnStore) -> None:
    keep(store, ACME, "one", "two", most=3)
    with pytest.raises(TenantFull) as full:
        keep(store, ACME, "three", "four", most=3)
    assert (full.value.turns, full.value.new, full.value.limit) == (2, 2, 3)
    assert count(store) == 2
    keep(store, ACME, "one", "two", most=2)
    keep(store, ACME, "three", most=3)
    keep(store, OTHER, "one", "two", "three", "four", most=4)
    with pytest.raises(TenantFull):
        store.remember_many([Remember(scope=ACME, session_id="s2", turns=[said("five")])], 3)
    assert count(store) == 3


def test_a_quota_holds_among_writers_of_many_users(store: TurnStore) -> None:
    def write(n: int) -> int:
        try:
            keep(store, replace(ACME, user_id=f"u{n % 5}"), f"turn {n}", most=20)
        except TenantFull:
            return 0
        return 1

    with ThreadPoolExecutor(8) as threads:
        stored = sum(threads.map(write, range(40)))
    assert (stored, count(store)) == (20, 20)


def test_a_closed_tenant_takes_nothing_until_it_is_open_again(store: TurnStore) -> None:
    keep(store, ACME, "one")
    store.tenants.set_closed("acme", NOON, closed=True)
    with pytest.raises(TenantClosed):
        keep(store, ACME, "two")
    keep(store, OTHER, "one")
    store.tenants.set_closed("acme", NOON, closed=False)
    keep(store, ACME, "two")
    assert count(store) == 2
    store.tenants.set_closed("never seen", NOON, closed=True)
    with pytest.raises(TenantClosed):
        keep(store, Scope(tenant="never seen", user_id="u1"), "one")


def test_turns_of_before_are_counted_by_the_migration(opened: Database) -> None:
    keep(TurnStore(opened), ACME, "one", "two")
    with opened.writing() as connection:
        config = alembic_config(MIGRATIONS, connection)
        command.downgrade(config, "memory@memory_0004")
        command.upgrade(config, "heads")
    keep(TurnStore(opened), ACME, "three")
    assert count(TurnStore(opened)) == 3


# what is too old


@contextmanager
def remembered_at(opened: Database, moment: datetime) -> Iterator[None]:
    """Let what the block stores have been remembered at another moment."""
    with opened.reading() as connection:
        before = set(connection.execute(select(col(TurnRow.id))).scalars())
    yield
    with opened.writing() as connection:
        connection.execute(update(TurnRow).where(col(TurnRow.id).not_in(before)).values(remembered_at=moment))


def test_old_turns_are_found_by_when_they_were_remembered(opened: Database, store: TurnStore) -> None:
    with remembered_at(opened, NOON):
        keep(store, ACME, "one", "two", "three")
        keep(store, OTHER, "one")
    keep(store, ACME, "young")
    keep(store, replace(ACME, user_id="young"), "one")
    later = NOON + timedelta(seconds=1)
    assert store.tenants.scopes("acme", NOON) == []
    [scope] = store.tenants.scopes("acme", later)
    assert scope[1] == ACME
    expired = store.tenants.expired(scope, later, 2)
    assert expired
    assert expired.names == (("s1", "one"), ("s1", "two"))
    forgotten = store.tenants.forget(expired)
    assert forgotten.turns == expired.names
    rest = store.tenants.expired(scope, later, 2)
    assert rest
    assert rest.names == (("s1", "three"),)
    store.tenants.forget(rest)
    assert store.tenants.expired(scope, later, 2) is None
    assert [turn.id for turn in store.history(scope[0])] == ["young"]
    assert store.tenants.turns(["acme", "other"]) == {"acme": 2, "other": 1}
    assert store.forgettings(), "the index is notified"


def test_names_of_users_go_once_their_turns_are_gone(opened: Database, store: TurnStore) -> None:
    keep(store, ACME, "one")
    keep(store, replace(ACME, agent_id="a1"), "one")
    keep(store, OTHER, "one")
    with pytest.raises(ValueError, match="still has turns"):
        store.tenants.unname("acme")
    for key, _ in store.tenants.scopes("acme"):
        store.forget(key)
    store.tenants.unname("acme")
    with opened.reading() as connection:
        names = connection.execute(select(col(ScopeRow.tenant_id), col(ScopeRow.user_id), col(ScopeRow.agent_id))).all()
    assert ("other", "u1", "") in [tuple(one) for one in names]
    assert all("u1" not in user and not agent for tenant, user, agent in names if tenant == "acme")
    keep(store, ACME, "anew")
    assert count(store) == 1


# what a day cost


async def test_what_a_day_cost_is_the_sum_of_its_decisions_and_shadows(opened: Database) -> None:
    ledger, owner = Ledger(opened), Owner(tenant="acme", user_id="u1")
    midnight = NOON.replace(hour=0)
    for moment, cost in ((midnight - timedelta(microseconds=1), 1), (midnight, 20), (NOON, 300)):
        made = replace(await decision(cost=cost), decided_at=moment)
        await ledger.record(made, owner)
        shadow = Shadow(decision_id=made.id, agrees=True, overlap=1.0, answer="Miso.", cost_nanousd=cost * 1_000)
        await ledger.record_shadow(shadow, tenant="acme")
    await ledger.record(replace(await decision(cost=7), decided_at=NOON), Owner(tenant="other"))
    assert await ledger.spent(tenant="acme", since=midnight) == 320_320
    assert await ledger.spent(tenant="acme", since=midnight - timedelta(days=1)) == 321_321
    assert await ledger.spent(tenant="nobody", since=midnight) == 0


async def test_todays_spending_follows_the_ledger_and_the_day(opened: Database) -> None:
    ledger, owner, now = Ledger(opened), Owner(tenant="acme", user_id="u1"), [NOON]
    spending = Spending(ledger, now=lambda: now[0])
    assert await spending.today("acme") == 0
    await ledger.record(replace(await decision(cost=5), decided_at=NOON), owner)
    assert await spending.today("acme") == 0, "a sum is kept until something changes"
    spending.changed("acme")
    assert await spending.today("acme") == 5
    assert await Spending(ledger, now=lambda: NOON).today("acme") == 5, "as after a restart"
    now[0] = NOON + timedelta(hours=12)
    assert await spending.today("acme") == 0, "a new day"


async def test_old_decisions_leave_with_all_that_hangs_on_them(opened: Database) -> None:
    ledger, cache, owner = Ledger(opened), open_cache(opened), Owner(tenant="acme", user_id="u1")
    made = [replace(await decision(n + 2, cost=1), decided_at=NOON + timedelta(days=n)) for n in range(4)]
    for one in made:
        await ledger.record(one, owner)
        await cache.put(one.id, one, tenant="acme")
        shadow = Shadow(decision_id=one.id, agrees=True, overlap=1.0, answer="Miso.", cost_nanousd=1)
        await ledger.record_shadow(shadow, tenant="acme")
    theirs = replace(await decision(), decided_at=NOON)
    await ledger.record(theirs, Owner(tenant="other", user_id="u1"))
    before = NOON + timedelta(days=3)
    assert [await ledger.expire(tenant="acme", before=before, limit=2) for _ in range(3)] == [2, 1, 0]
    with pytest.raises(UnknownDecision):
        await ledger.read(made[0].id, tenant="acme")
    assert await cache.get(made[2].id, tenant="acme") is None
    assert await ledger.read(made[3].id, tenant="acme") == made[3]
    assert await cache.get(made[3].id, tenant="acme") == made[3]
    assert await ledger.read(theirs.id, tenant="other") == theirs
    with opened.reading() as connection:
        held = {table.name: len(connection.execute(select(table)).all()) for table in (DECISION, SHADOW, CACHED)}
        links = {row.decision_id for row in connection.execute(select(DECISION_TURN))}
    assert held == {"decision": 2, "shadow": 1, "cached_answer": 1}
    assert links == {made[3].id, theirs.id}
    late = Shadow(decision_id=made[0].id, agrees=True, overlap=1.0, answer="Miso.", cost_nanousd=1)
    await ledger.record_shadow(late, tenant="acme")
    assert await ledger.spent(tenant="acme", since=NOON) == 2, "a shadow of what is gone says nothing"


def test_a_turn_of_a_tenant_is_stored_beside_others_without_waiting_for_them(store: TurnStore, database: str) -> None:
    """The row that counts turns is locked last, and is one of each tenant."""
    keep(store, ACME, "one")
    keep(store, OTHER, "one")
    engine = create_engine(database)
    if engine.dialect.name == "sqlite":
        engine.dispose()
        pytest.skip("SQLite has one writer")
    with engine.connect() as other, other.begin():
        other.execute(text("SELECT turns FROM tenant WHERE id = 'acme' FOR UPDATE"))
        keep(store, OTHER, "two")
    engine.dispose()
    assert count(store, "other") == 2


def test_bulks_of_many_scopes_and_forgetting_do_not_lock_each_other_out(store: TurnStore) -> None:
    scopes = [replace(ACME, user_id=f"u{n}") for n in range(4)]
    for scope in scopes:
        keep(store, scope, "first")

    def work(n: int) -> None:
        scope = scopes[n % 4]
        if n % 3:
            store.remember_many([Remember(scope=scope, session_id=f"s{n}", turns=[NewTurn(role="user", text="More.")])])
        else:
            known = store.scope(scope)
            assert known
            store.forget(known[0], session_id="s1")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(48)))
    assert count(store) == sum(len(store.history(key)) for key, _ in store.tenants.scopes("acme"))
