"""What any database must do under the turn store."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest

from memory import Counts, NewTurn, Receipt, Remember, Scope
from memory.errors import StoreDamaged, StoreUnavailable, TurnConflict
from memory.model import ScopeId
from memory.storage.database import Database, store_faults
from memory.storage.inventory import Inventory
from memory.storage.store import TurnStore
from tests.support.turns import MAY_8, SCOPE, said


def remember(store: TurnStore, *turns: NewTurn, session: str = "s1", scope: Scope = SCOPE) -> Receipt:
    return store.remember(Remember(scope=scope, session_id=session, turns=turns))


def key(store: TurnStore, scope: Scope = SCOPE) -> ScopeId:
    known = store.scope(scope)
    assert known
    return known[0]


def epoch(store: TurnStore) -> int:
    known = store.scope(SCOPE)
    assert known
    return known[1]


def test_turns_come_back_word_for_word(store: TurnStore) -> None:
    tokyo = datetime(2023, 5, 9, 1, 0, tzinfo=timezone(timedelta(hours=9)))
    turn = NewTurn(id="D1:1", role="assistant", speaker="Mel", text=" Wow!\n\t😀 'quoted' ", said_at=tokyo)
    remember(store, turn)
    [held] = store.history(key(store))
    assert (held.id, held.role, held.speaker, held.text) == ("D1:1", "assistant", "Mel", " Wow!\n\t😀 'quoted' ")
    assert held.said_at == tokyo
    assert held.said_at.date() == tokyo.date(), "the speaker's own day is kept"


def test_the_epoch_rises_with_every_change_and_only_then(store: TurnStore) -> None:
    assert (remember(store, said("one", id="1"))).epoch == 1
    assert (remember(store, said("one", id="1"))).epoch == 1
    assert (remember(store, said("two", id="2"), session="s2")).epoch == 2


def test_an_id_is_stored_once(store: TurnStore) -> None:
    first = remember(store, said("one", id="1"), said("two", id="2"))
    again = remember(store, said("two", id="2"), said("three", id="3"))
    assert first.outcomes == ("stored", "stored")
    assert again.outcomes == ("duplicate", "stored")
    assert [turn.text for turn in store.history(key(store))] == ["one", "two", "three"]


def test_an_id_used_for_other_words_is_a_conflict_and_stores_nothing(store: TurnStore) -> None:
    remember(store, said("one", id="1"))
    with pytest.raises(TurnConflict) as caught:
        remember(store, said("new", id="2"), said("other", id="1"))
    assert (caught.value.index, caught.value.turn_id) == (1, "1")
    assert [turn.text for turn in store.history(key(store))] == ["one"]
    assert epoch(store) == 1


def test_one_id_twice_in_a_request(store: TurnStore) -> None:
    assert (remember(store, said("a", id="1"), said("a", id="1"))).outcomes == ("stored", "duplicate")
    with pytest.raises(TurnConflict):
        remember(store, said("b", id="2"), said("c", id="2"), session="s2")


def test_a_request_without_ids_sent_again_is_known(store: TurnStore) -> None:
    turns = [NewTurn(role="user", text=text) for text in ("hello", "yes", "yes")]
    first = remember(store, *turns)
    again = remember(store, *turns)
    assert first.outcomes == ("stored",) * 3, "the same words at another place are another turn"
    assert again.outcomes == ("duplicate",) * 3
    assert again.turn_ids == first.turn_ids


def test_a_conversation_sent_whole_each_time_grows_by_what_is_new(store: TurnStore) -> None:
    turns = [NewTurn(role="user", text=text) for text in ("a", "b", "c", "d")]
    remember(store, *turns[:2])
    assert (remember(store, *turns[:3])).outcomes == ("duplicate", "duplicate", "stored")
    window = remember(store, *turns[1:])
    assert window.outcomes == ("duplicate", "duplicate", "stored")


def test_a_word_said_again_later_is_a_new_turn(store: TurnStore) -> None:
    for text in ("yes", "no", "yes"):
        assert (remember(store, NewTurn(role="user", text=text))).outcomes == ("stored",)
    late = remember(store, said("yes", days=1))
    retried = remember(store, said("no", days=2))
    assert (late.outcomes, retried.outcomes) == (("stored",), ("stored",))
    assert (remember(store, said("yes", days=1))).outcomes == ("duplicate",), "its own time tells it apart"


def test_a_thousand_equal_turns_take_no_thousand_queries(store: TurnStore) -> None:
    turns = [NewTurn(role="user", text="ok")] * 1_000
    remember(store, *turns)
    assert set((remember(store, *turns)).outcomes) == {"duplicate"}
    assert (remember(store, NewTurn(role="user", text="new"))).outcomes == ("stored",)


def test_scopes_never_meet(store: TurnStore) -> None:
    others = [
        Scope(tenant="other", user_id="u1"),
        Scope(tenant="default", user_id="u2"),
        Scope(tenant="default", user_id="u1", agent_id="a"),
    ]
    mine = remember(store, said("mine", id="1"))
    for other in others:
        theirs = remember(store, said("theirs", id="1"), scope=other)
        assert theirs.epoch == 1
        assert store.turns(key(store, other), mine.stored) == {}
        pks = [turn.pk for turn in store.history(key(store))]
        assert store.turns_around(key(store, other), pks, pks) == {}
        assert [turn.text for turn in store.tail(key(store, other))] == ["theirs"]
    assert [turn.text for turn in store.history(key(store))] == ["mine"]
    assert store.scope(Scope(tenant="nobody", user_id="u1")) is None


def test_a_bulk_leaves_conflicts_out(store: TurnStore) -> None:
    remember(store, said("one", id="1"))
    wishes = [
        Remember(scope=SCOPE, session_id="s1", turns=[said("other", id="1"), said("two", id="2")]),
        Remember(scope=SCOPE, session_id="s2", turns=[said("three", id="1")]),
    ]
    first, second = store.remember_many(wishes)
    assert first.outcomes == ("conflict", "stored")
    assert second.outcomes == ("stored",)
    assert [turn.text for turn in store.history(key(store))] == ["one", "two", "three"]


def test_the_tail_is_what_is_not_indexed(store: TurnStore) -> None:
    receipt = remember(store, said("one", id="1"), said("two", id="2"))
    scope = key(store)
    assert [turn.text for turn in store.tail(scope)] == ["one", "two"]
    store.mark_indexed(receipt.stored[:1])
    assert [turn.text for turn in store.tail(scope)] == ["two"]
    assert store.tail_length(scope) == 1
    assert [(owner, turn.text) for owner, turn in store.unindexed(10)] == [(scope, "two")]
    assert store.counts() == Counts(turns=2, waiting=1)
    assert store.mark_all_unindexed() == 1
    assert store.tail_length(scope) == 2


def test_neighbours_are_of_the_same_session(store: TurnStore) -> None:
    remember(store, said("a", id="1"), said("b", id="2"), said("c", id="3"))
    remember(store, said("d", id="1"), said("e", id="2"), session="s2")
    turns = {turn.text: turn for turn in store.history(key(store))}
    around = store.turns_around(key(store), [], [turns[one].pk for one in "ace"])
    assert sorted(turn.text for turn in around.values()) == ["b", "d"]
    both = store.turns_around(key(store), [turns[one].pk for one in "abe"], [turns["a"].pk])
    assert sorted(turn.text for turn in both.values()) == ["a", "b", "e"], "a neighbour that was asked for comes once"


def test_sessions_are_listed_page_by_page(store: TurnStore) -> None:
    for number in range(5):
        remember(store, said("x", days=number), said("y", days=number + 10), session=f"s{number}")
    scope = key(store)
    first = store.sessions(scope, limit=2)
    rest = store.sessions(scope, limit=10, after=first[-1].session_id)
    assert [summary.session_id for summary in first + rest] == [f"s{n}" for n in range(5)]
    assert (first[1].started_at, first[1].last_at) == (MAY_8 + timedelta(days=1), MAY_8 + timedelta(days=11))
    assert first[0].turns == 2
    assert store.sessions(scope, limit=10, after="no such session") == []


def test_concurrent_writers_of_one_scope_queue(store: TurnStore) -> None:
    with ThreadPoolExecutor(8) as writers:
        list(writers.map(lambda number: remember(store, said(f"turn {number}", id=str(number))), range(16)))
    history = store.history(key(store))
    assert sorted(turn.position for turn in history) == list(range(16))
    assert epoch(store) == 16


def test_many_ids_at_once(store: TurnStore) -> None:
    turns = [said(f"turn {number}", id=str(number)) for number in range(1_200)]
    receipt = remember(store, *turns)
    assert set((remember(store, *turns)).outcomes) == {"duplicate"}
    assert len(store.turns(key(store), receipt.stored)) == 1_200


def test_forgetting_a_turn_a_session_and_all(store: TurnStore) -> None:
    remember(store, said("one", id="1"), said("two", id="2"), session="s1")
    remember(store, said("three", id="3"), session="s2")
    scope = key(store)
    assert epoch(store) == 2
    first = store.forget(scope, session_id="s1", turn_id="1")
    assert (first.turns, first.sessions, first.epoch) == ((("s1", "1"),), (), 3)
    assert (store.forget(scope, session_id="s1", turn_id="1")).turns == ()
    assert (store.forget(scope, session_id="s2")).sessions == ("s2",)
    assert [turn.id for turn in store.history(scope)] == ["2"]
    assert (store.forget(scope)).turns == (("s1", "2"),)
    assert store.history(scope) == []
    assert epoch(store) == 5
    again = remember(store, said("another one", id="1"), session="s1")
    assert again.outcomes == ("stored",)
    assert again.epoch == 6


def test_what_repeats_the_forgotten_waits_for_the_index_anew(store: TurnStore) -> None:
    news = "My cat is called Miso."
    receipt = remember(
        store, said(news, id="1"), said(f"You said: {news}", id="2", role="assistant"), said("Bye.", id="3")
    )
    store.mark_indexed(receipt.stored)
    forgotten = store.forget(key(store), session_id="s1", turn_id="1")
    assert [turn.id for turn in store.tail(key(store))] == ["2"]
    assert len(forgotten.repeats) == 1


def test_forgetting_stays_within_its_scope(store: TurnStore) -> None:
    other = Scope(tenant="other", user_id="u1")
    remember(store, said("mine", id="1"))
    remember(store, said("theirs", id="1"), scope=other)
    store.forget(key(store))
    assert [turn.text for turn in store.history(key(store, other))] == ["theirs"]
    assert store.agents("other", "u1") == [None]
    assert store.agents("other", "u2") == []


def test_the_key_of_a_forgotten_turn_is_never_given_again(store: TurnStore) -> None:
    first = remember(store, said("one", id="1"), said("two", id="2"))
    store.forget(key(store), session_id="s1", turn_id="2")
    second = remember(store, said("three", id="3"))
    assert second.stored[0] > first.stored[-1]


def test_the_last_key_given_outlives_its_turn(store: TurnStore, opened: Database) -> None:
    inventory = Inventory(opened)
    assert inventory.last_pk_given() == 0
    receipt = store.remember(Remember(scope=SCOPE, session_id="s1", turns=[said("One."), said("Two.")]))
    store.mark_indexed(receipt.stored[:1])
    assert inventory.pks() == dict(zip(receipt.stored, (True, False), strict=True))
    assert [(scope, turn.text) for scope, turn in inventory.turns(receipt.stored[1:])] == [(receipt.scope_id, "Two.")]
    store.forget(receipt.scope_id)
    assert inventory.pks() == {}
    assert inventory.last_pk_given() == receipt.stored[-1]


def test_damage_that_a_server_reports_is_told_as_such_and_may_be_repaired(opened: Database) -> None:
    if opened.kind == "sqlite":
        pytest.skip("SQLite has no errors that a statement can ask for")
    report = "DO $$ BEGIN RAISE EXCEPTION 'invalid page in block 7' USING ERRCODE = 'XX001'; END $$"
    with pytest.raises(StoreDamaged, match="the server reports damaged data"), opened.writing() as connection:
        connection.exec_driver_sql(report)
    assert TurnStore(opened).counts().turns == 0


def test_a_server_that_goes_away_is_an_outage_and_no_damage(opened: Database) -> None:
    if opened.kind == "sqlite":
        pytest.skip("SQLite has no server")
    with pytest.raises(StoreUnavailable) as caught, store_faults(), opened.writing() as connection:
        connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
    assert not isinstance(caught.value, StoreDamaged)
    assert TurnStore(opened).counts().turns == 0, "it is used again once it is back"
