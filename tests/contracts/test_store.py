"""What any database must do under the turn store."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import create_engine

from language import Passage
from memory import Counts, NewTurn, Remember, Scope
from memory.errors import IndexBehind, StoreDamaged, StoreUnavailable, TurnConflict
from memory.model import ScopeId
from memory.storage.database import Database, store_faults
from memory.storage.store import TurnStore
from tests.support.stored_turns import epoch, key, remember
from tests.support.turns import SCOPE, said


def test_readiness_is_tried_by_writing_and_changes_nothing(store: TurnStore, database: str) -> None:
    store.ping()
    engine = create_engine(database, isolation_level="AUTOCOMMIT")
    with engine.connect() as other:
        if engine.dialect.name == "sqlite":
            begun = ["BEGIN IMMEDIATE"]
        else:
            begun = ["BEGIN", "LOCK TABLE alembic_version IN EXCLUSIVE MODE"]
        for statement in begun:
            other.exec_driver_sql(statement)
        with pytest.raises(StoreUnavailable):
            store.ping()
        other.exec_driver_sql("ROLLBACK")
    engine.dispose()
    store.ping()


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
        assert [turn.text for turn in store.oldest_waiting(key(store, other), 10)] == ["theirs"]
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


def test_what_is_not_indexed_waits(store: TurnStore) -> None:
    receipt = remember(store, said("one", id="1"), said("two", id="2"), said("three", id="3"))
    scope = key(store)
    assert store.number_waiting(scope) == 3
    assert [turn.text for turn in store.oldest_waiting(scope, 2)] == ["one", "two"]
    assert store.mark_indexed({scope: receipt.stored[:2]})
    assert [turn.text for turn in store.oldest_waiting(scope, 2)] == ["three"]
    assert store.number_waiting(scope) == 1
    counts = store.counts()
    assert replace(counts, waiting_since=None) == Counts(turns=3, waiting=1)
    assert counts.waiting_since
    assert timedelta() <= datetime.now(UTC) - counts.waiting_since < timedelta(minutes=5)
    assert not store.any_waiting(scope, "s1", ["1", "2"])
    assert store.any_waiting(scope, "s1", ["1", "3"])
    assert not store.any_waiting(scope, "s2", ["3"]), "an id is of its session"
    assert store.mark_all_unindexed() == 2
    assert [turn.pk for turn in store.oldest_waiting(scope, 9)] == list(receipt.stored)


def test_the_scopes_that_wait_are_listed_in_turn(store: TurnStore) -> None:
    owners = [Scope(tenant="default", user_id=f"u{number}") for number in range(4)]
    keys = [remember(store, said("one", id="1"), said("two", id="2"), scope=owner).scope_id for owner in owners]
    assert store.waiting_scopes(after=ScopeId(0), limit=10) == keys
    assert store.waiting_scopes(after=keys[0], limit=2) == keys[1:3]
    assert store.mark_indexed({keys[2]: [turn.pk for turn in store.oldest_waiting(keys[2], 9)]})
    assert store.waiting_scopes(after=keys[0], limit=2) == [keys[1], keys[3]]
    assert store.waiting_scopes(after=keys[3], limit=2) == []


def test_a_scope_too_far_ahead_of_the_index_is_refused(opened: Database) -> None:
    store = TurnStore(opened, most_waiting=3)
    other = Scope(tenant="default", user_id="u2")
    first = remember(store, *[said(f"fact {n}", id=str(n)) for n in range(5)])
    assert len(first.stored) == 5, "only what waited before counts"
    known = epoch(store)
    with pytest.raises(IndexBehind) as caught:
        remember(store, said("new", id="new"))
    assert (caught.value.scope_id, caught.value.waiting, caught.value.limit) == (first.scope_id, 5, 3)
    assert (remember(store, said("fact 1", id="1"))).outcomes == ("duplicate",), "what is known needs no room"
    with pytest.raises(IndexBehind):
        store.remember_many(
            [
                Remember(scope=other, session_id="s1", turns=[said("theirs", id="1")]),
                Remember(scope=SCOPE, session_id="s2", turns=[said("mine", id="1")]),
            ]
        )
    assert store.scope(other) is None, "one transaction: nothing of it was stored"
    assert epoch(store) == known
    assert store.mark_indexed({first.scope_id: first.stored[:3]})
    assert (remember(store, said("new", id="new"))).outcomes == ("stored",)


def test_neighbours_are_of_the_same_session(store: TurnStore) -> None:
    remember(store, said("a", id="1"), said("b", id="2"), said("c", id="3"))
    remember(store, said("d", id="1"), said("e", id="2"), session="s2")
    turns = {turn.text: turn for turn in store.history(key(store))}
    around = store.turns_around(key(store), [], [turns[one].pk for one in "ace"])
    assert sorted(turn.text for turn in around.values()) == ["b", "d"]
    both = store.turns_around(key(store), [turns[one].pk for one in "abe"], [turns["a"].pk])
    assert sorted(turn.text for turn in both.values()) == ["a", "b", "e"], "a neighbour that was asked for comes once"


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


def test_instructions_stand_in_their_turns_and_go_with_them(store: TurnStore) -> None:
    rule, wish = "Always show types.", "I don't eat meat."
    receipt = remember(store, said(f"{rule} Thanks.", id="1"), said(wish, id="2", days=1), said("Bye.", id="3", days=2))
    scope, (first, second, _) = key(store), receipt.stored
    told = {first: [Passage(start=0, end=len(rule))], second: [Passage(start=0, end=len(wish))]}
    assert store.mark_indexed({scope: receipt.stored}, told)
    assert [one.quote for one in store.instructions.of_scope(scope)] == [wish, rule]
    assert store.instructions.switch_off(scope, first) == receipt.epoch + 1
    assert store.instructions.switch_off(scope, first) == receipt.epoch + 1
    assert store.instructions.off(receipt.stored) == {first}
    assert store.mark_indexed({scope: [first]}, {first: [Passage(start=7, end=11)]}), "it is looked at anew"
    assert [(one.quote, one.off) for one in store.instructions.of_scope(scope)] == [(wish, False), ("show", True)]
    assert store.mark_indexed({scope: [second]})
    assert [one.turn.id for one in store.instructions.of_scope(scope)] == ["1"]
    store.forget(scope, session_id="s1", turn_id="1")
    assert store.instructions.of_scope(scope) == []


def test_instructions_are_of_one_scope(store: TurnStore) -> None:
    receipt = remember(store, said("Always show types.", id="1"))
    other = store.remember(
        Remember(scope=replace(SCOPE, user_id="u2"), session_id="s1", turns=[said("Hello.", id="1")])
    )
    store.mark_indexed({key(store): receipt.stored}, {receipt.stored[0]: [Passage(start=0, end=18)]})
    assert store.instructions.of_scope(other.scope_id) == []
    assert store.instructions.switch_off(other.scope_id, receipt.stored[0]) == other.epoch
    assert not store.instructions.off(receipt.stored)


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
