"""What any database must do where turns are forgotten: all of them, only them, and what repeats them is looked at anew."""

from memory import Remember, Scope
from memory.storage.database import Database
from memory.storage.forgetting import Forgetting
from memory.storage.inventory import Inventory
from memory.storage.store import TurnStore
from tests.support.stored_turns import epoch, key, remember
from tests.support.turns import SCOPE, said


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
    assert store.mark_indexed({key(store): receipt.stored})
    forgotten = store.forget(key(store), session_id="s1", turn_id="1")
    assert [turn.id for turn in store.oldest_waiting(key(store), 10)] == ["2"]
    assert len(forgotten.repeats) == 1


def test_nothing_is_marked_until_the_index_has_forgotten(store: TurnStore) -> None:
    receipt = remember(store, said("one", id="1"), said("two", id="2"), said("three", id="3"))
    scope = key(store)
    assert store.mark_indexed({scope: receipt.stored[:2]})
    assert store.forgettings() == {}
    store.forget(scope, session_id="s1", turn_id="1")
    first = store.forgettings()
    assert list(first.values()) == [Forgetting(scope=scope, stays=False)]
    assert not store.mark_indexed({scope: receipt.stored}), "the turns were compared with one that is gone"
    assert store.not_indexed(receipt.stored) == [receipt.stored[0], receipt.stored[2]]
    store.forget(scope, session_id="s1", turn_id="2")
    store.left_index(first)
    assert not store.mark_indexed({scope: receipt.stored[2:]}), "the second forgetting is not done"
    store.left_index(store.forgettings())
    assert store.mark_indexed({scope: receipt.stored[2:]})
    store.forget(scope, session_id="s1", turn_id="9")
    assert store.forgettings() == {}, "nothing was forgotten"


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
    assert store.mark_indexed({receipt.scope_id: receipt.stored[:1]})
    assert inventory.pks() == dict(zip(receipt.stored, (True, False), strict=True))
    assert [(scope, turn.text) for scope, turn in inventory.turns(receipt.stored[1:])] == [(receipt.scope_id, "Two.")]
    store.forget(receipt.scope_id)
    assert inventory.pks() == {}
    assert inventory.last_pk_given() == receipt.stored[-1]
