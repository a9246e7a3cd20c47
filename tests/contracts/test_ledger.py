"""What any database must do under the ledger and the answer cache."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import perf_counter
from uuid import uuid4

import pytest

from cascade import Cascade, Decision, Ledger
from cascade.decision import Call, Hashes
from cascade.errors import UnknownDecision
from cascade.guards import CitationGuard
from cascade.model import Usage
from cascade.storage.cache import AnswerCache, cache_key
from cascade.storage.feedback import FeedbackStore
from cascade.storage.ledger import Owner, Shadow
from memory.storage.database import Database
from tests.support.briefs import brief, quote
from tests.support.tiers import OneContext

OWNER = Owner(tenant="default", user_id="u1")


async def decision(n: int = 2, *, cost: int = 0, path: str = "extractive", latency_ms: int = 1) -> Decision:
    own = Cascade(guards=(), quote_guards=(CitationGuard(),), answerable_from=0.0)
    contexts = OneContext([brief("What is the cat called?", quote(n, "My cat is called Miso.", 1.0))])
    made = (await own.answer(contexts, budget=165, started_s=perf_counter())).decision
    call = Call(tier="local", model="m", usage=Usage(prompt_tokens=1), cost_nanousd=cost, latency_ms=1)
    return replace(made, path=path, calls=(call,), latency_ms=latency_ms)  # type: ignore[arg-type]


def open_cache(opened: Database, *, ttl_s: float = 60, max_bytes: int = 10**6) -> AnswerCache:
    return AnswerCache(opened, ttl=timedelta(seconds=ttl_s), max_bytes=max_bytes)


async def test_decisions_are_read_by_their_tenant_only(opened: Database) -> None:
    ledger, made = Ledger(opened), await decision()
    await ledger.record(made, OWNER)
    assert await ledger.read(made.id, tenant="default") == made
    with pytest.raises(UnknownDecision):
        await ledger.read(made.id, tenant="other")


async def test_stats_add_up_exactly(opened: Database) -> None:
    ledger = Ledger(opened)
    made = [
        await decision(cost=31_005 * n, path=path, latency_ms=n) for n, path in enumerate(["local"] * 20 + ["frontier"])
    ]
    for one in made:
        await ledger.record(one, OWNER, frontier_nanousd=10 * one.cost_nanousd if one.path == "local" else None)
    await ledger.record(await decision(cost=7), Owner(tenant="other", user_id="u1"))
    await ledger.record_shadow(
        Shadow(decision_id=made[0].id, agrees=True, overlap=1.0, answer="Miso.", cost_nanousd=5), tenant="default"
    )
    stats = await ledger.stats(tenant="default")
    assert stats.n == sum(path.n for path in stats.paths) == 21
    assert stats.cost_nanousd == sum(one.cost_nanousd for one in made) == sum(path.cost_nanousd for path in stats.paths)
    assert {path.path: (path.n, path.p50_ms, path.p95_ms) for path in stats.paths} == {
        "local": (20, 9, 18),
        "frontier": (1, 20, 20),
    }
    assert (stats.frontier_n, stats.frontier_nanousd) == (20, 10 * stats.frontier_n_cost_nanousd)
    assert (stats.shadows, stats.shadows_agreeing, stats.shadow_cost_nanousd) == (1, 1, 5)
    assert (stats.first_at, stats.last_at) == (min(o.decided_at for o in made), max(o.decided_at for o in made))
    assert (await ledger.stats(tenant="nobody")).n == 0


async def test_an_accepted_answer_is_found_again_by_its_key_and_tenant(opened: Database) -> None:
    ledger, cache, made = Ledger(opened), open_cache(opened), await decision()
    await ledger.record(made, OWNER)
    await cache.put("k", made, tenant="default")
    assert await cache.get("k", tenant="default") == made
    assert await cache.get("k", tenant="other") is None
    assert await cache.get("other", tenant="default") is None
    with pytest.raises(ValueError, match="accepted"):
        await cache.put("k2", replace(made, verified=False), tenant="default")


async def test_entries_expire_and_the_oldest_make_room(opened: Database) -> None:
    ledger, made = Ledger(opened), await decision()
    await ledger.record(made, OWNER)
    await open_cache(opened, ttl_s=0).put("expired", made, tenant="default")
    assert await open_cache(opened).get("expired", tenant="default") is None
    await open_cache(opened).put("till then", made, tenant="default", until=datetime.now(UTC))
    assert await open_cache(opened).get("till then", tenant="default") is None
    size = len((await ledger.read(made.id, tenant="default")).answer) + 500
    for n in range(3):
        await open_cache(opened, max_bytes=size + 1_700).put(f"k{n}", made, tenant="default")
    kept = [n for n in range(3) if await open_cache(opened).get(f"k{n}", tenant="default")]
    assert kept == [2]
    await open_cache(opened, max_bytes=10).put("too large", made, tenant="default")
    assert await open_cache(opened).get("too large", tenant="default") is None


async def test_forgetting_empties_records_and_the_cache_but_not_the_sums(opened: Database) -> None:
    ledger, cache = Ledger(opened), open_cache(opened)
    touched, spared = await decision(2, cost=5), await decision(3, cost=6)
    for name, one in (("touched", touched), ("spared", spared)):
        await ledger.record(one, OWNER)
        await cache.put(name, one, tenant="default")
    assert await ledger.forget(Owner(tenant="other", user_id="u1"), [("s1", "D1:2")]) == 0
    assert await ledger.forget(OWNER, [("s1", "D1:2"), ("s1", "nowhere")]) == 1
    with pytest.raises(UnknownDecision):
        await ledger.read(touched.id, tenant="default")
    assert await cache.get("touched", tenant="default") is None
    assert await cache.get("spared", tenant="default") == spared
    assert (await ledger.stats(tenant="default")).cost_nanousd == 11
    await cache.put("late", touched, tenant="default")
    assert await cache.get("late", tenant="default") is None, "what was emptied cannot be stored any more"
    assert await ledger.forget(OWNER, None) == 1


async def test_feedback_is_kept_once_a_decision_and_goes_with_its_words(opened: Database) -> None:
    ledger, store = Ledger(opened), FeedbackStore(opened)
    made = [await decision(n) for n in (2, 3)]
    for one in made:
        await ledger.record(one, OWNER)
        await store.give(one.id, correct=True, tenant="default")
    last = await store.give(made[0].id, correct=False, tenant="default")
    assert await store.of(made[0].id, tenant="default") == last
    assert await store.of(made[0].id, tenant="other") is None
    first, second = sorted(one.id for one in made)
    listed = await store.listed(tenant="default", after=None, limit=1)
    assert [one.decision_id for one in listed] == [first]
    assert [one.decision_id for one in await store.listed(tenant="default", after=first, limit=5)] == [second]
    assert await store.listed(tenant="other", after=None, limit=5) == []
    for tenant, id_ in (("other", made[1].id), ("default", "nothing")):
        with pytest.raises(UnknownDecision):
            await store.give(id_, correct=False, tenant=tenant)
    await ledger.forget(OWNER, [("s1", "D1:2")])
    assert await store.of(made[0].id, tenant="default") is None
    with pytest.raises(UnknownDecision):
        await store.give(made[0].id, correct=True, tenant="default")


def test_a_key_is_equal_only_if_everything_is() -> None:
    hashes = Hashes(policy="p", prompts="q", guards="g", models="m")
    request = {"question": "Where?", "budget": 165}
    keys = {
        cache_key(request, owner=OWNER, epoch=1, hashes=hashes),
        cache_key(request | {"budget": 166}, owner=OWNER, epoch=1, hashes=hashes),
        cache_key(request | {"question": "where?"}, owner=OWNER, epoch=1, hashes=hashes),
        cache_key(request, owner=OWNER, epoch=2, hashes=hashes),
        cache_key(request, owner=replace(OWNER, tenant="t"), epoch=1, hashes=hashes),
        cache_key(request, owner=replace(OWNER, user_id="u2"), epoch=1, hashes=hashes),
        cache_key(request, owner=replace(OWNER, agent_id="a"), epoch=1, hashes=hashes),
        *(
            cache_key(request, owner=OWNER, epoch=1, hashes=replace(hashes, **{part: uuid4().hex}))
            for part in ("policy", "prompts", "guards", "models")
        ),
    }
    assert len(keys) == 11
    assert cache_key(dict(reversed(request.items())), owner=OWNER, epoch=1, hashes=hashes) in keys
