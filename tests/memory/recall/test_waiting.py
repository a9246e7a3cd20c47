"""What a question finds among turns that wait for the index: nothing of it is in the index here."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from memory import NewTurn, Remember
from memory.encoding.encoder import Encoder
from memory.index.lance import PassageIndex
from memory.model import EncodedPassage, ScopeId, Turn
from memory.recall import waiting as module
from memory.recall.waiting import WaitingTurns
from memory.storage.store import TurnStore
from tests.support.memory import database_in
from tests.support.turns import MAY_8, SCOPE, said


class Counting(Encoder):
    """The real encoder, which counts the turns that it encodes; `meanwhile` is called as if in another thread."""

    turns = 0
    meanwhile: Callable[[], None] | None = None

    def encode_turns(
        self, turns: Sequence[Turn], between: Callable[[], None] = lambda: None
    ) -> list[list[EncodedPassage]]:
        self.turns += len(turns)
        if self.meanwhile:
            self.meanwhile()
        return super().encode_turns(turns, between)


@pytest.fixture(scope="module")
def counting() -> Counting:
    return Counting()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TurnStore]:
    with database_in(tmp_path) as database:
        yield TurnStore(database)


@pytest.fixture
def turns(tmp_path: Path, store: TurnStore, counting: Counting) -> WaitingTurns:
    index = PassageIndex(tmp_path / "index", model="m", dimension=counting.dimension)
    counting.turns, counting.meanwhile = 0, None
    return WaitingTurns(store=store, index=index, encoder=counting)


def remember(store: TurnStore, *turns: NewTurn) -> ScopeId:
    return store.remember(Remember(scope=SCOPE, session_id="s1", turns=turns)).scope_id


def small_talk(count: int) -> list[NewTurn]:
    return [said(f"Small talk number {n} about nothing.", id=str(n), days=n) for n in range(count)]


def find(turns: WaitingTurns, store: TurnStore, scope: ScopeId, *terms: str, days: int | None = None) -> list[str]:
    until = None if days is None else MAY_8 + timedelta(days=days)
    found, _ = turns.find(scope, [turn.pk for turn in store.oldest_waiting(scope, 10_000)], terms, until)
    return [turn.id for turn in found]


def test_a_rare_word_is_found_among_thousands_and_little_is_encoded(
    turns: WaitingTurns, store: TurnStore, counting: Counting
) -> None:
    talk = small_talk(3_000)
    talk[1_234] = said("My passport number ends in 4471.", id="1234")
    scope = remember(store, *talk)
    found = find(turns, store, scope, "passport", "number")
    assert "1234" in found
    assert set(found) >= {str(n) for n in range(2_984, 3_000)}, "the newest are always looked at"
    assert len(found) == counting.turns <= 80


def test_what_was_encoded_is_kept_for_the_next_question(
    turns: WaitingTurns, store: TurnStore, counting: Counting
) -> None:
    scope = remember(store, *small_talk(50))
    first = find(turns, store, scope, "talk")
    assert counting.turns == 50
    assert find(turns, store, scope, "talk") == first
    assert counting.turns == 50
    remember(store, said("The red key is under the mat.", id="key"))
    assert "key" in find(turns, store, scope, "red")
    assert counting.turns == 51


def test_forgetting_drops_what_is_kept(turns: WaitingTurns, store: TurnStore, counting: Counting) -> None:
    scope = remember(store, *small_talk(5))
    find(turns, store, scope, "talk")
    assert turns._read and turns._encoded  # noqa: PT018
    store.forget(scope, session_id="s1", turn_id="3")
    turns.forget_texts()
    assert not turns._read and not turns._encoded  # noqa: PT018
    assert find(turns, store, scope, "talk") == ["0", "1", "2", "4"]
    assert counting.turns == 9


def test_a_question_under_way_keeps_nothing_of_what_is_forgotten_meanwhile(
    turns: WaitingTurns, store: TurnStore, counting: Counting
) -> None:
    scope = remember(store, *small_talk(5))
    counting.meanwhile = turns.forget_texts
    find(turns, store, scope, "talk")
    assert not turns._read and not turns._encoded  # noqa: PT018


def test_as_of_a_day_later_turns_take_no_places(turns: WaitingTurns, store: TurnStore) -> None:
    scope = remember(store, *small_talk(300))
    found = find(turns, store, scope, "talk", days=9)
    assert found == [str(n) for n in range(10)]


def test_an_endless_text_is_read_question_by_question(
    turns: WaitingTurns, store: TurnStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_READ_CHARS", 1)
    scope = remember(store, said("The red key is under the mat.", id="key"), *small_talk(300))
    assert "key" not in find(turns, store, scope, "red"), "the newest are read first"
    assert "key" in find(turns, store, scope, "red")


def test_one_long_turn_does_not_keep_the_others_out(turns: WaitingTurns, store: TurnStore) -> None:
    long = said("The red barn. " * 7_000, id="long")
    scope = remember(store, long, *small_talk(20), said("The red key is under the mat.", id="key"))
    assert {"long", "key"} <= set(find(turns, store, scope, "red"))


def test_of_a_very_long_turn_only_what_shares_words_is_encoded(
    turns: WaitingTurns, store: TurnStore, counting: Counting
) -> None:
    lines = [f"2025-03-04 12:{n % 60:02} worker {n} did its job." for n in range(900)]
    lines[612] = "The red key is under the mat."
    scope = remember(store, said("\n".join(lines), id="log"), *small_talk(3))
    found, encoded = turns.find(scope, [turn.pk for turn in store.oldest_waiting(scope, 9)], ("red", "key"), None)
    texts = [
        turn.text[one.passage.start : one.passage.end] for turn in found for one in encoded if one.turn_pk == turn.pk
    ]
    assert "The red key is under the mat." in texts
    assert len(texts) <= 64 + 3
    assert counting.turns == 3, "the long one is not encoded whole"
    assert all(abs(float(one.vector @ one.vector) - 1) < 1e-3 for one in encoded)
