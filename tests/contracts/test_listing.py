"""What any database must do where sessions, turns and users are listed, page by page."""

from datetime import timedelta

from memory import Scope, SessionSummary, TurnCursor, UserSummary
from memory.model import ScopeId
from memory.storage.store import TurnStore
from tests.support.stored_turns import key, remember
from tests.support.turns import MAY_8, said


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
