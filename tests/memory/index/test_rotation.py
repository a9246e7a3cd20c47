"""Whose turns are indexed next, on a real store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from memory import Remember, Scope
from memory.index.rotation import Rotation
from memory.model import ScopeId
from memory.storage.store import TurnStore
from tests.support.memory import database_in
from tests.support.turns import said


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TurnStore]:
    with database_in(tmp_path) as database:
        yield TurnStore(database)


def remember(store: TurnStore, user: str, count: int, *, text: str = "A fact.", first: int = 0) -> ScopeId:
    turns = [said(text, id=str(first + number)) for number in range(count)]
    scope = Scope(tenant="default", user_id=user)
    return store.remember(Remember(scope=scope, session_id="s1", turns=turns)).scope_id


def serve(store: TurnStore, rotation: Rotation, most_turns: int = 100) -> dict[ScopeId, list[str]]:
    """Take a batch out of those that wait, as the indexer does; returns the ids of its turns."""
    batch = rotation.next_batch(most_turns)
    assert store.mark_indexed({scope: [turn.pk for turn in turns] for scope, turns in batch.items()})
    return {scope: [turn.id for turn in turns] for scope, turns in batch.items()}


def test_a_turn_that_comes_later_is_in_the_next_batch(store: TurnStore) -> None:
    rotation = Rotation(store)
    importer = remember(store, "importer", 1_000)
    assert serve(store, rotation) == {importer: [str(n) for n in range(100)]}
    live = remember(store, "live", 1)
    batch = serve(store, rotation)
    assert batch[live] == ["0"]
    assert batch[importer][0] == "100", "the import goes on, oldest first"
    assert len(batch[importer]) == 49, "what the live user did not need of a smaller batch"


def test_everything_is_served_once_and_each_scope_in_order(store: TurnStore) -> None:
    rotation = Rotation(store)
    counts = {f"u{number}": 1 + 37 * number % 90 for number in range(40)}
    keys = {remember(store, user, count): count for user, count in counts.items()}
    served: dict[ScopeId, list[str]] = {key: [] for key in keys}
    while batch := serve(store, rotation):
        for scope, ids in batch.items():
            served[scope] += ids
    assert served == {key: [str(n) for n in range(count)] for key, count in keys.items()}


def test_many_scopes_are_served_before_the_first_is_again(store: TurnStore) -> None:
    rotation = Rotation(store)
    keys = [remember(store, f"u{number}", 500) for number in range(40)]
    seen: list[ScopeId] = []
    for _ in range(3):
        seen += serve(store, rotation)
    assert set(seen) == set(keys), "16 scopes a batch"


def test_long_turns_fill_a_batch_and_no_scope_is_passed_over(store: TurnStore) -> None:
    rotation = Rotation(store)
    long = "word " * 19_000
    keys = [remember(store, f"long{number}", 3, text=long) for number in range(3)]
    live = remember(store, "live", 1)
    batches = [serve(store, rotation) for _ in range(4)]
    assert all(sum(len(ids) for ids in batch.values()) <= 2 for batch in batches)
    assert [live in batch for batch in batches].count(True) == 1
    assert {scope for batch in batches for scope in batch} == {*keys, live}


def test_nothing_waits(store: TurnStore) -> None:
    assert Rotation(store).next_batch() == {}
