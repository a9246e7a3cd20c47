"""The indexer beside forgetting: whatever comes between two of its steps, the index holds what SQL says, and nothing else."""

import threading
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from memory import Follow, NewTurn, Remember
from memory.encoding.encoder import Encoder
from memory.errors import StoreUnavailable
from memory.index.indexer import Indexer
from memory.index.lance import PassageIndex
from memory.model import ScopeId, TurnPk
from memory.recall.standing.recognition import Recogniser
from memory.storage.store import TurnStore
from tests.support.leftovers import in_index
from tests.support.memory import database_in
from tests.support.turns import SCOPE, said

NEWS = "The code of the blue locker is 4471."
ANSWER = NewTurn(role="assistant", text="Good morning.", flag="unchecked")
ECHO = said(f"You told me: {NEWS}", id="2", role="assistant")


class Interrupted(PassageIndex):
    """The real index, beside which something else happens once turns were compared with it, and whose purges may fail."""

    meanwhile: Callable[[], None] | None = None
    broken = False

    def first_turns(self, scope: ScopeId, fingerprints: Sequence[str]) -> dict[str, TurnPk]:
        found = super().first_turns(scope, fingerprints)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()
        return found

    def purge(self) -> None:
        if self.broken:
            raise StoreUnavailable("the passage index: no space left")
        super().purge()


class House:
    """A store, an index and the indexer over them, worked by hand."""

    def __init__(self, store: TurnStore, index: Interrupted, encoder: Encoder) -> None:
        self.store = store
        self.index = index
        self.indexer = Indexer(
            store=store, index=index, encoder=encoder, recognise=Recogniser.load(), leftover=TurnPk(0)
        )

    def remember(self, *turns: NewTurn) -> ScopeId:
        return self.store.remember(Remember(scope=SCOPE, session_id="s1", turns=turns)).scope_id

    def work(self) -> None:
        while self.indexer._index_batch():
            pass


@pytest.fixture
async def house(tmp_path: Path, encoder: Encoder) -> AsyncIterator[House]:
    with database_in(tmp_path) as database:
        index = Interrupted(tmp_path / "index", model=encoder.name, dimension=encoder.dimension)
        yield House(TurnStore(database), index, encoder)


@pytest.mark.parametrize("whole", [False, True], ids=["only SQL has forgotten", "the index has, too"])
async def test_what_repeats_the_forgotten_is_indexed_although_it_was_being_left_out(house: House, whole: bool) -> None:
    scope = house.remember(said(NEWS, id="1"))
    house.work()

    def forget() -> None:
        house.store.forget(scope, session_id="s1", turn_id="1")
        if whole:
            house.indexer.forget()

    house.index.meanwhile = forget
    house.remember(ECHO)
    house.work()
    held = house.index.turns_held(scope)
    assert [house.store.turns(scope, held)[pk].id for pk in held] == ["2"]
    assert house.store.number_waiting(scope) == 0
    assert house.store.forgettings() == {}


@pytest.mark.parametrize("whole", [False, True], ids=["only SQL has forgotten", "the index has, too"])
async def test_what_is_forgotten_while_it_is_encoded_is_not_indexed(house: House, whole: bool) -> None:
    scope = house.remember(said("Hello there, good morning.", id="0"))
    house.work()

    def forget() -> None:
        house.store.forget(scope, session_id="s1", turn_id="2")
        if whole:
            house.indexer.forget()

    house.index.meanwhile = forget
    house.remember(ECHO, said("I bought a lamp.", id="3"))
    house.work()
    held = house.index.turns_held(scope)
    assert sorted(house.store.turns(scope, held)[pk].id for pk in held) == ["0", "3"]
    assert len(held) == 2


@pytest.mark.parametrize("whole", [False, True], ids=["only SQL knows", "the index does, too"])
async def test_what_is_replaced_while_it_is_encoded_is_not_indexed(house: House, whole: bool) -> None:
    scope = house.remember(said("Hello there, good morning."))
    house.work()

    def regenerate() -> None:
        turns = [NewTurn(role="user", text="Hello there, good morning."), ANSWER]
        assert house.store.follow(Follow(scope=SCOPE, session_id="s1", turns=turns)).replaced == 2
        if whole:
            house.indexer.forget()

    house.index.meanwhile = regenerate
    house.index.broken = True  # no file is written anew for what stays in the database
    house.remember(ECHO, said("I bought a lamp.", id="3"))
    house.work()
    held = house.index.turns_held(scope)
    assert [house.store.turns(scope, held)[pk].text for pk in held] == ["Hello there, good morning."]
    assert (house.store.number_waiting(scope), house.store.forgettings()) == (0, {})


async def test_what_repeats_the_replaced_is_indexed(house: House) -> None:
    scope = house.remember(said("Hello there, good morning."), said(NEWS))
    house.work()
    house.store.remember(Remember(scope=SCOPE, session_id="s2", turns=[ECHO]))
    house.work()
    assert len(house.index.turns_held(scope)) == 2, "a repetition is left out"
    turns = [NewTurn(role="user", text="Hello there, good morning."), ANSWER]
    house.store.follow(Follow(scope=SCOPE, session_id="s1", turns=turns))
    house.work()
    held = house.index.turns_held(scope)
    assert sorted(house.store.turns(scope, held)[pk].text for pk in held) == ["Hello there, good morning.", ECHO.text]


async def test_a_purge_that_fails_is_made_good(house: House, tmp_path: Path) -> None:
    scope = house.remember(said(NEWS, id="1"), said("I bought a lamp.", id="3"))
    house.work()
    house.index.broken = True
    house.store.forget(scope, session_id="s1", turn_id="1")
    for attempt in (house.indexer.forget, house.work):
        with pytest.raises(StoreUnavailable):
            attempt()
    assert house.store.forgettings()
    house.index.broken = False
    house.work()
    assert house.store.forgettings() == {}
    assert len(house.index.turns_held(scope)) == 1
    assert in_index(tmp_path, []) == []


@pytest.mark.slow
async def test_a_search_beside_a_purge_is_answered(house: House, encoder: Encoder) -> None:
    scope = house.remember(*(said(f"The code of locker {n} is {n * 7}.", id=str(n)) for n in range(200)))
    house.work()
    vector = encoder.encode_question("What is the code of locker 5?")
    searches: list[Callable[[], object]] = [  # nothing is kept in memory: each reads the files
        lambda: house.index.scope(scope).nearest(vector, 5),
        lambda: house.index.scope(scope).lexical(["locker"], 5),
        lambda: house.index.turns_held(scope),
    ]
    faults: list[BaseException] = []
    done = threading.Event()

    def search() -> None:
        while not done.is_set():
            for one in searches:
                try:
                    assert one()
                except BaseException as fault:  # noqa: BLE001 - raised below
                    faults.append(fault)

    readers = [threading.Thread(target=search) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(15):
        house.index.purge()
    done.set()
    for reader in readers:
        reader.join()
    assert faults == []
