"""What any database must do under an archive: turns and decisions read at one moment, and put back as they stood."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

import pytest

from cascade import Cascade, Decision, Ledger
from cascade.decision import Call, Hashes
from cascade.errors import UnsoundRecord
from cascade.guards import CitationGuard
from cascade.model import Usage
from cascade.storage.archive import ArchivedAnswer, ArchivedDecision, archived_answers, archived_decisions, owners_of
from cascade.storage.cache import AnswerCache, cache_key
from cascade.storage.feedback import FeedbackStore
from cascade.storage.ledger import Owner, Shadow
from cascade.storage.listing import DecisionFilter
from cascade.storage.restoring import Restoring
from memory import ArchivedTurn, NewTurn, Remember, Restore, Scope
from memory.errors import IndexBehind
from memory.storage.archive import archived_turns, extent_of, scopes_of
from memory.storage.database import Database
from memory.storage.store import TurnStore
from tests.support.briefs import brief, quote
from tests.support.tiers import OneContext
from tests.support.turns import MAY_8, SCOPE, said

OWNER = Owner(tenant="default", user_id="u1")
REQUEST = {"task": "memory", "question": "What is the cat called?"}


def remember(store: TurnStore, *turns: NewTurn, session: str = "s1", scope: Scope = SCOPE) -> None:
    store.remember(Remember(scope=scope, session_id=session, turns=turns))


def archived(opened: Database, scope: Scope = SCOPE) -> list[ArchivedTurn]:
    with opened.reading() as connection:
        return list(archived_turns(connection, scope))


def outcomes(store: TurnStore, turns: list[ArchivedTurn], scope: Scope = SCOPE) -> list[str]:
    [restored] = store.restore([Restore(scope=scope, turns=turns)])
    return list(restored.outcomes)


def other(scope_user: str) -> Scope:
    return Scope(tenant="default", user_id=scope_user)


def test_turns_are_put_back_as_they_stood(opened: Database, store: TurnStore) -> None:
    remember(store, said("one", id="a", speaker="Ana"), said("two", id="b", days=2))
    remember(store, said("elsewhere", id="a"), session="s/2")
    remember(store, said("three", id="c", role="assistant"))
    known = store.scope(SCOPE)
    assert known
    store.forget(known[0], session_id="s1", turn_id="b")
    kept = archived(opened)
    assert [(turn.session_id, turn.id, turn.position) for turn in kept] == [
        ("s1", "a", 0),
        ("s/2", "a", 0),
        ("s1", "c", 2),
    ]
    assert outcomes(store, kept, other("u2")) == ["stored"] * 3
    assert archived(opened, other("u2")) == kept
    assert outcomes(store, kept, other("u2")) == ["duplicate"] * 3
    with opened.reading() as connection:
        assert extent_of(connection, other("u2")).turns == 3
        assert extent_of(connection, other("u2")).epoch == 1, "what changes nothing is no change"


def test_what_is_there_already_keeps_its_place(opened: Database, store: TurnStore) -> None:
    remember(store, said("one", id="a"), said("two", id="b"), said("three", id="c"))
    kept = archived(opened)
    remember(store, said("newer", id="n"), scope=other("u2"))
    assert outcomes(store, kept, other("u2")) == ["stored"] * 3
    assert [(turn.id, turn.position) for turn in archived(opened, other("u2"))] == [
        ("n", 0),
        ("a", 1),
        ("b", 2),
        ("c", 3),
    ]


def test_an_id_that_holds_something_else_is_a_conflict(store: TurnStore) -> None:
    remember(store, said("one", id="a"), said("two", id="b"))
    turn = ArchivedTurn(session_id="s1", id="a", role="user", text="one", said_at=MAY_8)
    lines = [
        turn,
        replace(turn, text="another"),
        replace(turn, said_at=MAY_8 + timedelta(days=1)),
        replace(turn, id="z"),
        replace(turn, id="z"),
        replace(turn, id="z", text="unlike its twin"),
    ]
    expected = ["duplicate", "conflict", "conflict", "stored", "duplicate", "conflict"]
    [compared] = store.compare([Restore(scope=SCOPE, turns=lines)])
    assert list(compared.outcomes) == expected
    assert outcomes(store, lines) == expected
    assert outcomes(store, lines) == ["duplicate", "conflict", "conflict", "duplicate", "duplicate", "conflict"]


def test_comparing_stores_nothing(store: TurnStore) -> None:
    turn = ArchivedTurn(session_id="s1", id="a", role="user", text="one", said_at=MAY_8)
    assert store.compare([Restore(scope=SCOPE, turns=[turn])])[0].outcomes == ("stored",)
    assert store.scope(SCOPE) is None


def test_restored_turns_wait_for_the_index_as_others_do(opened: Database) -> None:
    store = TurnStore(opened, most_waiting=2)
    turn = ArchivedTurn(session_id="s1", id="a", role="user", text="one", said_at=MAY_8)
    assert outcomes(store, [turn, replace(turn, id="b")]) == ["stored"] * 2
    with pytest.raises(IndexBehind):
        outcomes(store, [replace(turn, id="c")])
    assert outcomes(store, [turn]) == ["duplicate"]
    ours, theirs = [replace(turn, id=f"n{n}") for n in range(3)], Scope(tenant="default", user_id="u2")
    interleaved = [Restore(scope=theirs, turns=[one]) for one in ours]
    interleaved.insert(1, Restore(scope=Scope(tenant="default", user_id="u3"), turns=[turn]))
    assert [one.outcomes for one in store.restore(interleaved)] == [("stored",)] * 4


def test_scopes_come_in_the_order_of_their_bytes(opened: Database, store: TurnStore) -> None:
    users = ["Zoë", "a", "a/b", "B", "ä", "日本", "😀", "_", "~"]
    for user in users:
        remember(store, said("one"), scope=other(user))
    remember(store, said("one"), scope=Scope(tenant="default", user_id="a", agent_id="x"))
    remember(store, said("one"), scope=Scope(tenant="other", user_id="hidden"))
    with opened.reading() as connection:
        found = [(scope.user_id, scope.agent_id) for scope in scopes_of(connection, "default")]
        assert [user for user, agent in found if agent is None] == sorted(users)
        assert ("a", "x") in found
        assert [scope.agent_id for scope in scopes_of(connection, "default", user_id="a")] == [None, "x"]


@pytest.mark.slow
def test_many_scopes_come_page_by_page(opened: Database, store: TurnStore) -> None:
    requests = [Remember(scope=other(f"u{n:03}"), session_id="s", turns=[said("one")]) for n in range(450)]
    store.remember_many(requests)
    with opened.reading() as connection:
        assert [scope.user_id for scope in scopes_of(connection, "default")] == [f"u{n:03}" for n in range(450)]


async def test_what_arrives_while_an_archive_is_read_is_not_in_it(opened: Database, store: TurnStore) -> None:
    remember(store, *(said(f"turn {n}", id=str(n)) for n in range(300)))
    with opened.reading() as connection:
        turns = archived_turns(connection, SCOPE)
        read = [next(turns)]
        remember(store, said("late", id="late"), session="s2")
        remember(store, said("late"), scope=other("late"))
        await Ledger(opened).record(await decision(), OWNER)
        read += turns
        assert [turn.id for turn in read] == [str(n) for n in range(300)]
        assert [scope.user_id for scope in scopes_of(connection, "default")] == ["u1"]
        assert list(owners_of(connection, "default")) == []
    assert archived(opened)[-1].id == "late"


# decisions


async def decision(n: int = 2, *, seconds: int = 0) -> Decision:
    own = Cascade(guards=(), quote_guards=(CitationGuard(),), answerable_from=0.0)
    contexts = OneContext([brief("What is the cat called?", quote(n, "My cat is called Miso.", 1.0))])
    made = (await own.answer(contexts, budget=165, started_s=perf_counter())).decision
    call = Call(tier="local", model="m", usage=Usage(prompt_tokens=1), cost_nanousd=7, latency_ms=1)
    return replace(made, calls=(call,), decided_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))


def restoring(opened: Database, *, days: int = 2, max_bytes: int = 10**6) -> Restoring:
    return Restoring(database=opened, longest=timedelta(days=days), max_bytes=max_bytes)


def decisions_of(opened: Database, owner: Owner = OWNER) -> list[ArchivedDecision]:
    with opened.reading() as connection:
        return list(archived_decisions(connection, owner))


async def recorded(opened: Database, *, session_id: str | None = "s1") -> ArchivedDecision:
    made = await decision()
    ledger = Ledger(opened)
    await ledger.record(made, OWNER, frontier_nanousd=70, session_id=session_id)
    shadow = Shadow(decision_id=made.id, agrees=True, overlap=0.5, answer="Miso.", cost_nanousd=5)
    await ledger.record_shadow(shadow, tenant="default")
    [one] = decisions_of(opened)
    return one


async def test_a_decision_of_somebody_else_gets_an_id_of_its_own_and_always_the_same(opened: Database) -> None:
    one = await recorded(opened)
    for theirs in (Owner(tenant="other", user_id="u1"), Owner(tenant="default", user_id="u2")):
        assert await restoring(opened).decisions(theirs, [one], dry_run=True) == ["stored"]
        assert decisions_of(opened, theirs) == []
        assert await restoring(opened).decisions(theirs, [one]) == ["stored"]
        [copy] = decisions_of(opened, theirs)
        assert copy.record["id"] != one.record["id"]
        assert copy.record == {**one.record, "id": copy.record["id"]}
        assert (copy.session_id, copy.frontier_nanousd) == ("s1", 70)
        assert await restoring(opened).decisions(theirs, [one, copy]) == ["duplicate"] * 2
        assert decisions_of(opened, theirs) == [copy]
        assert (await Ledger(opened).read(copy.record["id"], tenant=theirs.tenant)).answer
    assert await restoring(opened).decisions(OWNER, [one]) == ["duplicate"]


async def test_an_altered_decision_is_a_conflict(opened: Database) -> None:
    one = await recorded(opened)
    altered = replace(one, record={**one.record, "answer": "Rex."})
    assert await restoring(opened).decisions(OWNER, [altered]) == ["conflict"]
    assert decisions_of(opened) == [one]


async def test_an_emptied_decision_is_filled_again_and_forgotten_again(opened: Database) -> None:
    one, ledger = await recorded(opened), Ledger(opened)
    for _ in range(2):
        assert await ledger.forget_session(OWNER, "s1") == 1
        assert decisions_of(opened) == []
        with opened.reading() as connection:
            assert list(owners_of(connection, "default")) == [], "nobody is named of whom nothing is left"
        assert await restoring(opened).decisions(OWNER, [one]) == ["stored"]
        assert decisions_of(opened) == [one]
    assert await ledger.forget(OWNER, [("s1", "D1:2")]) == 1, "found by the turn that it quotes"
    stats = await ledger.stats(tenant="default")
    assert (stats.n, stats.cost_nanousd, stats.shadows) == (1, 7, 1)


async def test_what_was_said_of_an_answer_comes_along_and_the_last_word_counts(opened: Database) -> None:
    one, store = await recorded(opened), FeedbackStore(opened)
    name = str(one.record["id"])
    given = await store.give(name, correct=True, tenant="default")
    [judged] = decisions_of(opened)
    assert judged == replace(one, feedback=given)
    await Ledger(opened).forget(OWNER, None)
    assert await store.of(name, tenant="default") is None, "forgotten with the decision"
    own = restoring(opened)
    assert await own.decisions(OWNER, [judged]) == ["stored"]
    assert await own.decisions(OWNER, [judged]) == ["duplicate"]
    assert decisions_of(opened) == [judged]
    for seconds, correct, fate in ((-1, False, "duplicate"), (0, False, "duplicate"), (1, False, "stored")):
        at = given.given_at + timedelta(seconds=seconds)
        said = replace(judged, feedback=replace(given, correct=correct, given_at=at))
        assert await own.decisions(OWNER, [said], dry_run=True) == [fate]
        assert decisions_of(opened) == [judged], "a dry run changes nothing"
        assert await own.decisions(OWNER, [said]) == [fate]
    assert (await store.of(name, tenant="default") or given).correct is False
    assert await own.decisions(OWNER, [one]) == ["duplicate"], "and that says nothing of it"
    theirs = Owner(tenant="other", user_id="u1")
    assert await own.decisions(theirs, [judged]) == ["stored"]
    [copy] = decisions_of(opened, theirs)
    assert copy.feedback == replace(given, decision_id=str(copy.record["id"]))
    assert len(await store.listed(tenant="other", after=None, limit=9)) == 1
    assert await Ledger(opened).expire(tenant="other", before=datetime.now(UTC) + timedelta(days=9), limit=9) == 1
    assert await store.listed(tenant="other", after=None, limit=9) == []


LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


async def test_what_was_spent_elsewhere_was_not_spent_here(opened: Database) -> None:
    one, ledger, theirs = await recorded(opened), Ledger(opened), Owner(tenant="other", user_id="u1")
    assert await ledger.spent(tenant="default", since=LONG_AGO) == 12, "the call and the shadow call"
    assert await restoring(opened).decisions(theirs, [one]) == ["stored"]
    assert await ledger.spent(tenant="other", since=LONG_AGO) == 0
    assert (await ledger.stats(tenant="other")).cost_nanousd == 7, "the sums of decisions have it all the same"
    await ledger.forget(theirs, None)
    assert await restoring(opened).decisions(theirs, [one]) == ["stored"]
    assert await ledger.spent(tenant="other", since=LONG_AGO) == 0


async def test_what_was_spent_here_stays_spent_whatever_an_archive_says(opened: Database) -> None:
    one, ledger = await recorded(opened), Ledger(opened)
    assert one.shadow
    await ledger.forget(OWNER, None)
    [call] = one.record["calls"]
    cheaper = replace(one, record={**one.record, "calls": [{**call, "cost_nanousd": 0}]})
    older = replace(one, record={**one.record, "decided_at": "2020-01-01T00:00:00Z"})
    assert await restoring(opened).decisions(OWNER, [cheaper, older]) == ["conflict"] * 2
    free = replace(one, shadow=replace(one.shadow, cost_nanousd=0))
    assert await restoring(opened).decisions(OWNER, [free]) == ["stored"]
    assert await ledger.spent(tenant="default", since=LONG_AGO) == 12
    assert decisions_of(opened) == [one], "the shadow call has cost what it has cost"
    await ledger.forget(OWNER, None)
    assert await restoring(opened).decisions(OWNER, [replace(one, shadow=None)]) == ["stored"]
    assert await ledger.spent(tenant="default", since=LONG_AGO) == 12


async def test_dear_decisions_can_still_be_added_up(opened: Database) -> None:
    one, theirs = await recorded(opened), Owner(tenant="other", user_id="u1")
    [call] = one.record["calls"]
    dear = [{**one.record, "id": f"d{n}", "calls": [{**call, "cost_nanousd": 10**12}]} for n in range(20)]
    fates = await restoring(opened).decisions(theirs, [replace(one, record=record) for record in dear])
    assert fates == ["stored"] * 20
    assert (await Ledger(opened).stats(tenant="other")).cost_nanousd == 20 * 10**12


@pytest.mark.parametrize(
    ("changed", "at"),
    [
        ({"path": "guessed"}, "path"),
        ({"id": "x" * 33}, "id"),
        ({"id": ""}, "id"),
        ({"decided_at": "2026-01-01T00:00:00"}, "decided_at"),
        ({"decided_at": "0001-01-01T00:00:00+14:00"}, "decided_at"),
        ({"latency_ms": -1}, "calls"),
        ({"latency_ms": 2**40}, "calls"),
        ({"answer": "half \ud800"}, "record"),
        ({"brief": None}, "brief"),
    ],
)
async def test_a_record_that_is_no_decision_is_refused(opened: Database, changed: dict[str, Any], at: str) -> None:
    one = await recorded(opened)
    strange = replace(one, record={**one.record, "id": "new", **changed})
    [sound, fate] = await restoring(opened).decisions(OWNER, [replace(one, record={**one.record, "id": "ok"}), strange])
    assert sound == "stored"
    assert isinstance(fate, UnsoundRecord)
    assert fate.at == at
    assert {one.record["id"] for one in decisions_of(opened)} == {one.record["id"], "ok"}


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("calls", 0, "cost_nanousd"), -1),
        (("calls", 0, "cost_nanousd"), 10**12 + 1),
        (("attempts", 0, "context"), 1),
        (("contexts", 0, "quotes", 0, "turn_id"), "x" * 257),
        (("brief", "quotes", 0, "session_id"), "a\x00b"),
        (("citations", 0, "turn_id"), ""),
    ],
)
async def test_what_would_harm_reading_or_adding_up_is_refused(
    opened: Database, place: tuple[Any, ...], value: object
) -> None:
    one = await recorded(opened)
    record = json.loads(json.dumps(dict(one.record) | {"id": "new"}))
    inner = record
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    [fate] = await restoring(opened).decisions(OWNER, [replace(one, record=record)])
    assert isinstance(fate, UnsoundRecord)


# answers


def key_at(epoch: int, owner: Owner = OWNER) -> Any:
    def key(request: Mapping[str, Any], hashes: Hashes) -> str:
        return cache_key(request, owner=owner, epoch=epoch, hashes=hashes)

    return key


def answers_of(opened: Database, epoch: int, owner: Owner = OWNER) -> list[ArchivedAnswer]:
    with opened.reading() as connection:
        return list(archived_answers(connection, owner, key_at(epoch, owner)))


async def stored_answer(opened: Database, *, epoch: int = 3) -> tuple[ArchivedDecision, ArchivedAnswer]:
    made, cache = await decision(), AnswerCache(opened, ttl=timedelta(days=1), max_bytes=10**6)
    await Ledger(opened).record(made, OWNER)
    await cache.put(key_at(epoch)(REQUEST, made.hashes), made, tenant="default", request=REQUEST)
    [one], [answer] = decisions_of(opened), answers_of(opened, epoch)
    return one, answer


async def test_only_answers_in_force_are_archived(opened: Database) -> None:
    _, answer = await stored_answer(opened)
    assert answer.request == REQUEST
    assert answers_of(opened, 4) == [], "the memory has changed since"
    made = await decision()
    await Ledger(opened).record(made, OWNER)
    late = AnswerCache(opened, ttl=timedelta(), max_bytes=10**6)
    await late.put(key_at(3)({"task": "code"}, made.hashes), made, tenant="default", request={"task": "code"})
    await late.put("keyless", made, tenant="default")
    assert answers_of(opened, 3) == [answer]


async def test_an_answer_is_put_back_for_the_memory_as_it_is_now(opened: Database) -> None:
    one, answer = await stored_answer(opened)
    theirs = Owner(tenant="other", user_id="u9", agent_id="a")
    own, key = restoring(opened), key_at(12, theirs)
    assert await own.answers(theirs, [answer], key) == ["undecided"]
    assert await own.decisions(theirs, [one]) == ["stored"]
    assert await own.answers(theirs, [answer], key) == ["stored"]
    assert await own.answers(theirs, [answer], key) == ["duplicate"]
    [copy] = answers_of(opened, 12, theirs)
    assert (copy.request, copy.stored_at, copy.expires_at) == (answer.request, answer.stored_at, answer.expires_at)
    cache = AnswerCache(opened, ttl=timedelta(days=1), max_bytes=10**6)
    served = await cache.get(key(REQUEST, Hashes(**one.record["hashes"])), tenant="other")
    assert served
    assert served.id == copy.decision_id != answer.decision_id
    assert await Ledger(opened).forget(theirs, None) == 1
    assert answers_of(opened, 12, theirs) == []
    assert answers_of(opened, 3) == [answer]


async def test_answers_that_cannot_be_served_are_left_out(opened: Database) -> None:
    _, answer = await stored_answer(opened)
    key = key_at(9)
    past = replace(answer, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert await restoring(opened).answers(OWNER, [past], key) == ["expired"]
    assert await restoring(opened, max_bytes=10).answers(OWNER, [answer], key) == ["too large"]
    unverified = replace(await decision(), verified=False)
    await Ledger(opened).record(unverified, OWNER)
    assert await restoring(opened).answers(OWNER, [replace(answer, decision_id=unverified.id)], key) == ["undecided"]
    for_ever = replace(answer, expires_at=datetime.max.replace(tzinfo=UTC))
    assert await restoring(opened, days=1).answers(OWNER, [for_ever], key) == ["stored"]
    [kept] = answers_of(opened, 9)
    assert kept.expires_at <= datetime.now(UTC) + timedelta(days=1)


# the list of decisions


async def test_decisions_are_listed_newest_first_while_others_arrive(opened: Database) -> None:
    ledger = Ledger(opened)
    made = [await decision(seconds=n // 2) for n in range(9)]
    for one in made[:7]:
        await ledger.record(one, OWNER)
    await ledger.record(made[7], Owner(tenant="other", user_id="u1"))
    await ledger.record(replace(made[8], path="abstain"), Owner(tenant="default", user_id="u2", agent_id="a"))
    chosen = DecisionFilter(tenant="default", user_id="u1")
    seen, after = [], None
    while page := await ledger.page(chosen, limit=2, after=after):
        seen += [one.decision.id for one in page]
        after = (page[-1].decision.decided_at, page[-1].decision.id)
        await ledger.record(await decision(seconds=1_000 + len(seen)), OWNER)  # newer than what was seen
    expected = sorted(made[:7], key=lambda one: (one.decided_at, one.id), reverse=True)
    assert seen == [one.id for one in expected]

    async def found(**filters: Any) -> list[str | None]:
        page = await ledger.page(DecisionFilter(tenant="default", **filters), limit=100)
        return [one.user_id for one in page]

    assert await found(path="abstain") == await found(abstained=True) == await found(user_id="u2") == ["u2"]
    assert await found(user_id="u2", agent_id="b") == []
    assert "u2" not in await found(abstained=False)
    bounds = {"since": made[2].decided_at, "until": made[4].decided_at}
    assert len(await found(**bounds)) == 2
    assert await ledger.forget(Owner(tenant="default", user_id="u2", agent_id="a"), None) == 1
    assert "u2" not in await found()
