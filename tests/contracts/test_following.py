"""Conversations that are sent whole: what of them is stored, what is replaced, and whose session it is; on any database."""

from collections.abc import Sequence

import pytest
from sqlalchemy import event

from memory import Flag, Follow, Followed, NewTurn, Remember, Scope, Turn
from memory.errors import IndexBehind, TenantFull
from memory.storage.archive import archived_turns
from memory.storage.database import Database
from memory.storage.store import TurnStore
from tests.support.turns import SCOPE, said

NAMED: list[tuple[str, Flag | None]] = [("Ann", None), ("Ben", "unchecked")]
OTHERS = Scope(tenant="default", user_id="u2")


def spoken(*texts: str) -> list[NewTurn]:
    """A conversation: a user and an assistant in turns."""
    return [NewTurn(role="assistant" if place % 2 else "user", text=text) for place, text in enumerate(texts)]


def follow(
    store: TurnStore, *texts: str, session: str | None = "s1", scope: Scope = SCOPE, whole: bool = True
) -> Followed:
    return store.follow(Follow(scope=scope, session_id=session, turns=spoken(*texts), whole=whole))


def answer(store: TurnStore, followed: Followed, text: str, scope: Scope = SCOPE) -> Followed:
    turns = [NewTurn(role="assistant", text=text)]
    return store.follow(Follow(scope=scope, session_id=followed.receipt.session_id, turns=turns, whole=False))


def turns(store: TurnStore, session: str | None = None, scope: Scope = SCOPE) -> list[Turn]:
    known = store.scope(scope)
    assert known
    return sorted(store.page(known[0], session_id=session, after=None, limit=1_000), key=lambda turn: turn.pk)


def stands(store: TurnStore, session: str | None = None) -> list[str]:
    return [turn.text for turn in turns(store, session) if turn.flag is None]


def test_only_what_is_new_is_stored(store: TurnStore) -> None:
    first = follow(store, "one")
    assert answer(store, first, "two").receipt.outcomes == ("stored",)
    second = follow(store, "one", "two", "three")
    assert second.receipt.outcomes == ("duplicate", "duplicate", "stored")
    assert second.receipt.turn_ids[0] == first.receipt.turn_ids[0]
    assert [turn.pk for turn in turns(store)][2:] == list(second.receipt.stored)
    assert (second.replaced, second.receipt.epoch) == (0, 3)
    again = follow(store, "one", "two", "three")
    assert (set(again.receipt.outcomes), again.receipt.stored, again.receipt.epoch) == ({"duplicate"}, (), 3)
    assert stands(store) == ["one", "two", "three"]


def test_what_was_edited_or_regenerated_is_replaced_and_stays_word_for_word(store: TurnStore) -> None:
    follow(store, "one", "two", "three", "four")
    edited = follow(store, "one", "two", "THREE")
    assert (edited.replaced, edited.receipt.outcomes) == (2, ("duplicate", "duplicate", "stored"))
    answer(store, edited, "FOUR")
    regenerated = follow(store, "one", "two", "THREE")
    assert (regenerated.replaced, len(regenerated.receipt.stored), regenerated.receipt.epoch) == (1, 0, 4)
    assert stands(store) == ["one", "two", "THREE"]
    assert [(turn.text, turn.flag) for turn in turns(store) if turn.flag] == [
        ("three", "replaced"),
        ("four", "replaced"),
        ("FOUR", "replaced"),
    ]
    back = follow(store, "one", "two", "three", "four")
    assert (back.replaced, stands(store)) == (1, ["one", "two", "three", "four"])


def test_a_replaced_turn_is_no_evidence_in_any_way_that_the_store_is_read(store: TurnStore) -> None:
    first = follow(store, "one", "two", "three", "four")
    scope = first.receipt.scope_id
    assert store.mark_indexed({scope: first.receipt.stored})
    follow(store, "one", "two")
    assert store.not_indexed(first.receipt.stored) == []
    follow(store, "one", "two", "new")
    kept, gone = first.receipt.stored[:2], list(first.receipt.stored[2:])
    assert store.not_indexed(first.receipt.stored) == gone
    assert set(store.turns(scope, first.receipt.stored)) == set(kept)
    assert not set(gone) & set(store.turns_around(scope, first.receipt.stored, kept))
    assert [turn.text for turn in store.history(scope)] == ["one", "two", "new"]
    for unindexed in (False, True):
        survey = store.survey(SCOPE, unindexed=unindexed)
        assert survey
        assert not set(gone) & set(survey.waiting)
    assert set(gone) <= {turn.pk for turn in store.oldest_waiting(scope, 9)}, "the indexer has not seen that yet"
    [note] = store.forgettings().values()
    assert (note.scope, note.stays) == (scope, True)
    assert store.counts().turns == 5


def test_the_names_of_those_whose_words_are_no_evidence_are_not_known(store: TurnStore) -> None:
    for name, flag in NAMED:
        turn = NewTurn(role="assistant", text=f"I am {name}.", speaker=name, flag=flag)
        store.remember(Remember(scope=SCOPE, session_id="s1", turns=[turn]))
    survey = store.survey(SCOPE)
    assert survey
    assert survey.speakers == ["Ann"]


def test_what_repeats_the_replaced_is_indexed_anew(store: TurnStore) -> None:
    news = "My cat is called Miso."
    earlier = store.remember(Remember(scope=SCOPE, session_id="s0", turns=[said(news)]))
    first = follow(store, "Hello there.", news)
    later = store.remember(Remember(scope=SCOPE, session_id="s2", turns=[said(f"You said: {news}", role="assistant")]))
    every = (*earlier.stored, *first.receipt.stored, *later.stored)
    assert store.mark_indexed({first.receipt.scope_id: every})
    follow(store, "Hello there.")
    waiting = {turn.pk for turn in store.oldest_waiting(first.receipt.scope_id, 9)}
    assert waiting == {first.receipt.stored[1], *later.stored}, "older ones are none"


def test_the_flag_is_no_part_of_what_a_turn_says(store: TurnStore) -> None:
    first = follow(store, "one")
    unchecked = [NewTurn(role="assistant", text="two", flag="unchecked")]
    store.follow(Follow(scope=SCOPE, session_id="s1", turns=unchecked, whole=False))
    assert follow(store, "one", "two", "three").receipt.outcomes == ("duplicate", "duplicate", "stored")
    assert stands(store) == ["one", "three"]
    with_ids = Remember(scope=SCOPE, session_id="s2", turns=[NewTurn(id="1", role="user", text="x", flag="unchecked")])
    without = Remember(scope=SCOPE, session_id="s2", turns=[NewTurn(id="1", role="user", text="x")])
    assert store.remember(with_ids).outcomes == ("stored",)
    assert store.remember(without).outcomes == ("duplicate",)
    assert first.receipt.session_id == "s1"


def test_flags_are_archived(store: TurnStore, opened: Database) -> None:
    follow(store, "one", "two", "three")
    follow(store, "one", "two", "four")
    with opened.reading() as connection:
        archived = list(archived_turns(connection, SCOPE))
    assert [(turn.text, turn.flag) for turn in archived] == [
        ("one", None),
        ("two", None),
        ("three", "replaced"),
        ("four", None),
    ]
    assert [turn.new.flag for turn in archived] == [None, None, "replaced", None]


def test_a_client_that_drops_its_oldest_turns_is_followed(store: TurnStore) -> None:
    follow(store, "one", "two", "three", "four")
    assert follow(store, "three", "four", "five").receipt.outcomes == ("duplicate", "duplicate", "stored")
    turn = [NewTurn(role="user", text="six")]
    alone = store.follow(Follow(scope=SCOPE, session_id="s1", turns=turn))
    assert (alone.replaced, alone.receipt.outcomes) == (0, ("stored",)), "or sends only what is new"
    again = store.follow(Follow(scope=SCOPE, session_id="s1", turns=turn))
    assert (again.replaced, again.receipt.outcomes) == (0, ("duplicate",))


# conversations without a name


def test_a_conversation_without_a_name_is_found_by_what_was_said(store: TurnStore) -> None:
    first = follow(store, "one", session=None)
    assert len(first.receipt.session_id) == 32
    answer(store, first, "two")
    second = follow(store, "one", "two", "three", session=None)
    assert second.receipt.session_id == first.receipt.session_id
    answer(store, second, "four")
    edited = follow(store, "one", "two", "THREE", session=None)
    assert (edited.receipt.session_id, edited.replaced) == (first.receipt.session_id, 2)
    answer(store, edited, "FOUR")
    window = store.follow(
        Follow(scope=SCOPE, session_id=None, turns=[*spoken("one", "two", "THREE", "FOUR")[2:], said("five")])
    )
    assert window.receipt.session_id == first.receipt.session_id
    assert stands(store) == ["one", "two", "THREE", "FOUR", "five"]


def test_a_request_that_was_never_answered_is_not_stored_twice(store: TurnStore) -> None:
    first = follow(store, "one", session=None)
    assert follow(store, "one", session=None).receipt.turn_ids == first.receipt.turn_ids
    answer(store, first, "two")
    another = follow(store, "one", session=None)
    assert another.receipt.session_id != first.receipt.session_id, "it was answered: this is another conversation"
    assert stands(store) == ["one", "two", "one"]


@pytest.mark.parametrize("greeting", ["Hello!", "Hello! How are you?"])
def test_two_conversations_that_begin_alike_are_never_mixed(store: TurnStore, greeting: str) -> None:
    said_so_far: dict[str, list[str]] = {}
    for name in ("A", "B"):
        first = follow(store, "hi", session=None)
        answer(store, first, greeting)
        said_so_far[name] = ["hi", greeting]
    sessions: dict[str, str] = {}
    for round_ in range(3):
        for name, texts in said_so_far.items():
            texts.append(f"{name} asks {round_}")
            followed = follow(store, *texts, session=None)
            assert sessions.setdefault(name, followed.receipt.session_id) == followed.receipt.session_id
            assert followed.replaced == 0
            texts.append(f"{name} is told {round_}")
            answer(store, followed, texts[-1])
    assert sessions["A"] != sessions["B"]
    for name, texts in said_so_far.items():
        assert stands(store, sessions[name]) == texts
    edited = follow(store, "hi", greeting, "A asks something else", session=None)
    assert edited.replaced == 0, "whose turn it replaces is not known"
    assert edited.receipt.session_id not in sessions.values()
    for name, texts in said_so_far.items():
        assert stands(store, sessions[name]) == texts


def test_two_conversations_that_begin_at_once_and_alike_replace_nothing_of_each_other(store: TurnStore) -> None:
    first = follow(store, "hi", session=None)
    second = follow(store, "hi", session=None)  # before the answer: it may be a retry
    assert second.receipt.session_id == first.receipt.session_id
    for followed in (first, second):
        answer(store, followed, "Hello!")
    mine = follow(store, "hi", "Hello!", "mine", session=None)
    answer(store, mine, "Yours.")
    other = follow(store, "hi", "Hello!", "other", session=None)
    assert other.replaced == 0
    assert other.receipt.session_id != mine.receipt.session_id
    assert stands(store, mine.receipt.session_id) == ["hi", "Hello!", "mine", "Yours."]
    assert stands(store, other.receipt.session_id) == ["hi", "Hello!", "other"]


def test_a_conversation_whose_answer_the_client_altered_replaces_nothing_of_another(store: TurnStore) -> None:
    mine = answer(store, follow(store, "hi", session=None), "Hello!")
    answer(store, follow(store, "hi", "Hello!", "mine", session=None), "Yours.")
    answer(store, follow(store, "hi", session=None), "Hello! [1]")
    other = follow(
        store, "hi", "Hello!", "other", session=None
    )  # the mark was taken off: it looks like an edit of mine
    assert other.replaced == 0
    assert stands(store, mine.receipt.session_id) == ["hi", "Hello!", "mine", "Yours."]
    assert stands(store, other.receipt.session_id) == ["hi", "Hello!", "other"]


def test_the_conversations_of_others_are_never_found(store: TurnStore) -> None:
    mine = follow(store, "one", "two", session=None)
    theirs = follow(store, "one", "two", "three", session=None, scope=OTHERS)
    assert theirs.receipt.session_id != mine.receipt.session_id
    assert theirs.receipt.outcomes == ("stored",) * 3
    assert theirs.replaced == 0


# the same plan, storing nothing


@pytest.mark.parametrize("session", ["s1", None])
@pytest.mark.parametrize(
    "texts", [("one", "two", "three", "four", "five"), ("one", "two", "new"), ("one", "two", "three"), ("new",)]
)
def test_the_plan_is_what_is_done_then(store: TurnStore, session: str | None, texts: Sequence[str]) -> None:
    nothing = store.place(Follow(scope=SCOPE, session_id=session, turns=spoken("one", "two")))
    assert (nothing.session_id, nothing.new, nothing.replaced) == (session, 2, 0)
    assert store.scope(SCOPE) is None
    follow(store, "one", "two", "three", "four")
    before = turns(store)
    placed = store.place(Follow(scope=SCOPE, session_id=session, turns=spoken(*texts)))
    assert turns(store) == before
    done = follow(store, *texts, session=session)
    assert (placed.new, placed.replaced) == (len(done.receipt.stored), done.replaced)
    assert placed.session_id in {done.receipt.session_id, None}
    assert (placed.session_id is None) == (done.receipt.session_id != "s1")


# what may be refused


def test_what_is_refused_changes_nothing(store: TurnStore, opened: Database) -> None:
    follow(store, "one", "two", "three")
    before = turns(store)
    with pytest.raises(TenantFull):
        store.follow(Follow(scope=SCOPE, session_id="s1", turns=spoken("one", "two", "new")), most_turns=3)
    with pytest.raises(IndexBehind):
        TurnStore(opened, most_waiting=3).follow(Follow(scope=SCOPE, session_id="s1", turns=spoken("one", "new")))
    assert turns(store) == before
    assert store.forgettings() == {}


def test_turns_with_ids_or_of_the_system_are_refused() -> None:
    for turn in (NewTurn(id="1", role="user", text="x"), NewTurn(role="system", text="x")):
        with pytest.raises(ValueError, match="followed"):
            Follow(scope=SCOPE, session_id="s1", turns=[turn])


def test_a_conversation_is_found_through_the_index(store: TurnStore, opened: Database) -> None:
    if opened.kind != "sqlite":
        pytest.skip("PostgreSQL reads a small table whole, whatever its indexes")
    follow(store, "one", "two", "three", session=None)
    statements: list[tuple[str, object]] = []
    event.listen(
        opened._engine, "before_cursor_execute", lambda *arguments: statements.append((arguments[2], arguments[3]))
    )
    follow(store, "one", "two", "three", "four", session=None)
    looked = [(sql, bound) for sql, bound in statements if sql.startswith("SELECT turn")]
    assert looked
    with opened.reading() as connection:
        for sql, bound in looked:
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", bound)]  # type: ignore[arg-type]
            assert not [step for step in plan if step.startswith("SCAN turn")], plan
