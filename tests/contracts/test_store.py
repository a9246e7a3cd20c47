"""What any database must do under the turn store."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import create_engine

from language import Passage
from memory import Counts, NewTurn, Receipt, Remember, Scope, SessionSummary, TurnCursor, UserSummary
from memory.errors import IndexBehind, StoreDamaged, StoreUnavailable, TurnConflict
from memory.model import ScopeId
from memory.storage.database import Database, store_faults
from memory.storage.forgetting import Forgetting
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
    assert (remember(store, said("yes", days=1))).outcomes == ("duplicate",), "its own time makes it another"


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
    assert store.waiting(scope) == list(receipt.stored)
    assert [turn.text for turn in store.oldest_waiting(scope, 2)] == ["one", "two"]
    assert store.mark_indexed({scope: receipt.stored[:2]})
    assert [turn.text for turn in store.oldest_waiting(scope, 2)] == ["three"]
    counts = store.counts()
    assert replace(counts, waiting_since=None) == Counts(turns=3, waiting=1)
    assert counts.waiting_since
    assert timedelta() <= datetime.now(UTC) - counts.waiting_since < timedelta(minutes=5)
    assert not store.any_waiting(scope, "s1", ["1", "2"])
    assert store.any_waiting(scope, "s1", ["1", "3"])
    assert not store.any_waiting(scope, "s2", ["3"]), "an id is of its session"
    assert store.mark_all_unindexed() == 2
    assert store.waiting(scope) == list(receipt.stored)


def test_the_scopes_that_wait_are_listed_in_turn(store: TurnStore) -> None:
    owners = [Scope(tenant="default", user_id=f"u{number}") for number in range(4)]
    keys = [remember(store, said("one", id="1"), said("two", id="2"), scope=owner).scope_id for owner in owners]
    assert store.waiting_scopes(after=ScopeId(0), limit=10) == keys
    assert store.waiting_scopes(after=keys[0], limit=2) == keys[1:3]
    assert store.mark_indexed({keys[2]: store.waiting(keys[2])})
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


def place(session: SessionSummary) -> TurnCursor:
    return session.started_at, session.first_pk


def all_sessions(store: TurnStore, scope: ScopeId, *, limit: int) -> list[str]:
    """Every session, page by page."""
    found: list[SessionSummary] = []
    after: TurnCursor | None = None
    while listed := store.sessions(scope, limit=limit, after=after):
        found += listed
        after = place(listed[-1])
    return [one.session_id for one in found]


def test_sessions_are_listed_page_by_page(store: TurnStore) -> None:
    for number in range(5):
        remember(store, said("x", days=number), said("y", days=number + 10), session=f"s{number}")
    scope = key(store)
    first = store.sessions(scope, limit=2)
    assert all_sessions(store, scope, limit=2) == [f"s{n}" for n in range(5)]
    assert (first[1].started_at, first[1].last_at) == (MAY_8 + timedelta(days=1), MAY_8 + timedelta(days=11))
    assert first[0].turns == 2


def test_sessions_are_listed_by_when_they_began(store: TurnStore) -> None:
    for session, days in (("middle", 5), ("late", 9), ("early", 1), ("at once", 5), ("and again", 5)):
        remember(store, said("x", days=days), session=session)
    remember(store, said("y", days=0), session="late")
    for limit in (1, 2, 3, 10):
        order = all_sessions(store, key(store), limit=limit)
        assert order == ["late", "early", "middle", "at once", "and again"], limit


def test_a_page_goes_on_where_the_last_one_ended_whatever_was_forgotten(store: TurnStore) -> None:
    for number in range(6):
        remember(store, said("x", id="1", days=number), said("y", id="2", days=number), session=f"s{number}")
    scope = key(store)
    last_session = place(store.sessions(scope, limit=3)[-1])
    last_turn = store.page(scope, session_id=None, after=None, limit=4)[-1]
    for session in ("s1", "s2", "s5"):
        store.forget(scope, session_id=session)
    assert [one.session_id for one in store.sessions(scope, limit=9, after=last_session)] == ["s3", "s4"]
    remember(store, said("new", days=9), session="s9")  # the database may give it the key of a forgotten one
    assert [one.session_id for one in store.sessions(scope, limit=9, after=last_session)] == ["s3", "s4", "s9"]
    rest = store.page(scope, session_id=None, after=(last_turn.said_at, last_turn.pk), limit=9)
    assert [turn.session_id for turn in rest] == ["s3", "s3", "s4", "s4", "s9"]


def test_turns_of_one_id_are_found_in_every_session_of_the_scope(store: TurnStore) -> None:
    for session in ("s1", "s2", "s3"):
        remember(store, said(session, id="1"), said("other", id="2"), session=session)
    remember(store, said("alone", id="9"))
    remember(store, said("theirs", id="1"), scope=Scope(tenant="other", user_id="u1"))
    scope = key(store)
    assert [turn.session_id for turn in store.turns_named(scope, "1", limit=9)] == ["s1", "s2", "s3"]
    assert len(store.turns_named(scope, "1", limit=2)) == 2
    assert [turn.text for turn in store.turns_named(scope, "9", limit=2)] == ["alone"]
    assert store.turns_named(scope, "none", limit=2) == []


def test_users_are_listed_by_name_within_their_tenant(store: TurnStore) -> None:
    for user, agent in (("c", None), ("a", "helper"), ("a", None), ("b", "helper"), ("é/😀", None), ("gone", None)):
        remember(store, said("x"), said("y"), scope=Scope(tenant="default", user_id=user, agent_id=agent))
    remember(store, said("x"), scope=Scope(tenant="other", user_id="theirs"))
    gone = Scope(tenant="default", user_id="gone")
    store.forget(key(store, gone))
    found: list[UserSummary] = []
    while listed := store.users("default", limit=2, after=found[-1].user_id if found else None):
        found += listed
    assert [(one.user_id, one.agents, one.turns) for one in found[:3]] == [
        ("a", ("helper",), 4),
        ("b", ("helper",), 2),
        ("c", (), 2),
    ]
    assert [one.user_id for one in found[3:]] == ["é/😀"], "who is forgotten is not listed"
    assert [one.user_id for one in store.users("other", limit=9)] == ["theirs"]
    assert store.users("nobody", limit=9) == []
    assert [(one.user_id, one.turns) for one in store.users("default", limit=9, only="a")] == [("a", 4)]
    for tenant, only, after in (("other", "a", None), ("default", "gone", None), ("default", "a", "a")):
        assert store.users(tenant, limit=9, only=only, after=after) == []
    waiting = {tenant: store.counts(tenant) for tenant in ("default", "other", "nobody", None)}
    assert {tenant: (of.turns, of.waiting) for tenant, of in waiting.items()} == {
        "default": (10, 10),
        "other": (1, 1),
        "nobody": (0, 0),
        None: (11, 11),
    }
    store.forget(key(store, Scope(tenant="default", user_id="b", agent_id="helper")))
    assert [one.user_id for one in store.users("default", limit=1, after="a")] == ["c"]


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


def test_instructions_stand_in_their_turns_and_go_with_them(store: TurnStore) -> None:
    rule, wish = "Always show types.", "I don't eat meat."
    receipt = remember(store, said(f"{rule} Thanks.", id="1"), said(wish, id="2", days=1), said("Bye.", id="3", days=2))
    scope, (first, second, _) = key(store), receipt.stored
    given = {first: [Passage(start=0, end=len(rule))], second: [Passage(start=0, end=len(wish))]}
    assert store.mark_indexed({scope: receipt.stored}, given)
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


def test_damage_that_a_server_reports_is_raised_as_such_and_may_be_repaired(opened: Database) -> None:
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
