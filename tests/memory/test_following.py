"""Clients of a chat that say, are answered, edit, regenerate, cut off, retry and drop what is old, several at once.

The model knows what stands in each conversation. After every step exactly that is evidence, whether it waits for the index, is
indexed, or was dropped from memory in between.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from memory import Flag, Follow, Followed, NewTurn, Scope
from memory.api import Memory
from memory.encoding.encoder import Encoder
from memory.index.lance import PassageIndex
from memory.model import TurnPk
from memory.storage.store import TurnStore
from tests.support.laws import tried_on
from tests.support.memory import database_in, memory_over
from tests.support.turns import MAY_8

COLOURS = ("red", "green", "blue", "amber", "violet", "white")
INDEX = st.integers(min_value=0, max_value=2**16)
NO_TURN = TurnPk(2**60)


@dataclass(slots=True)
class Conversation:
    """What a client holds of a conversation, in turns of its user and of the assistant; `name` is the session's, if it has one.

    `retried`: the server cannot tell it from another one that began alike. `unchecked` are answers that no guard passed.
    """

    name: str | None
    turns: list[str] = field(default_factory=list)
    retried: bool = False
    unchecked: set[str] = field(default_factory=set)

    @property
    def answered(self) -> bool:
        return len(self.turns) % 2 == 0

    @property
    def stands(self) -> set[str]:
        return {*self.turns} - self.unchecked


def spoken(texts: list[str], first: int = 0) -> list[NewTurn]:
    return [
        NewTurn(role="assistant" if n % 2 else "user", text=text, said_at=MAY_8) for n, text in enumerate(texts, first)
    ]


class Clients(RuleBasedStateMachine):
    """One memory; in every example a new user with conversations of their own."""

    portal: ClassVar[BlockingPortal]
    memory: ClassVar[Memory]
    store: ClassVar[TurnStore]
    index: ClassVar[PassageIndex]
    numbers: ClassVar[Iterator[int]] = count()

    @initialize()
    def begin(self) -> None:
        self.scope = Scope(tenant="default", user_id=uuid4().hex)
        self.conversations: list[Conversation] = []
        self.stored: set[str] = set()

    @rule(named=st.booleans(), answered=st.booleans())
    def say_the_first(self, named: bool, answered: bool) -> None:
        made = Conversation(name=uuid4().hex if named else None)
        self.conversations.append(made)
        made.turns = [self.news()]
        self.send(made, answered=answered)

    @precondition(lambda self: self.those(answered=True))
    @rule(number=INDEX, answered=st.booleans(), checked=st.booleans())
    def say(self, number: int, answered: bool, checked: bool) -> None:
        one = self.one(number, answered=True)
        one.turns.append(self.news())
        self.send(one, answered=answered, checked=checked)

    @precondition(lambda self: self.those(answered=True, named=True))
    @rule(number=INDEX, whole=st.booleans())
    def say_and_send_nothing_else(self, number: int, whole: bool) -> None:
        one = self.one(number, answered=True, named=True)
        one.turns.append(self.news())
        self.send(one, first=len(one.turns) - 1, whole=whole)

    @precondition(lambda self: self.those(answered=True))
    @rule(number=INDEX, kept=st.integers(min_value=2, max_value=4))
    def say_and_drop_what_is_old(self, number: int, kept: int) -> None:
        one = self.one(number, answered=True)
        one.turns.append(self.news())
        self.send(one, first=max(len(one.turns) - 1 - kept, 0))

    @precondition(lambda self: self.those(answered=False))
    @rule(number=INDEX)
    def retry(self, number: int) -> None:
        one = self.one(number, answered=False)
        followed = self.follow(one, spoken(one.turns))
        assert (followed.receipt.stored, followed.replaced) == ((), 0)
        one.retried = True
        self.answer(one, followed, checked=True)

    @precondition(lambda self: self.those(answered=True, clear=True))
    @rule(number=INDEX)
    def regenerate(self, number: int) -> None:
        one = self.one(number, answered=True, clear=True)
        gone = one.turns.pop()
        self.send(one, replaces=1)
        assert gone not in one.stands

    @precondition(lambda self: self.those(clear=True))
    @rule(number=INDEX, place=INDEX, dropped=st.booleans(), answered=st.booleans())
    def edit(self, number: int, place: int, dropped: bool, answered: bool) -> None:
        """A turn of the user is said otherwise; what came after it is gone. The client may have dropped what is old, too."""
        one = self.one(number, clear=True)
        users = range(2, len(one.turns), 2)
        at = users[place % len(users)]
        replaces = len(one.turns) - at
        one.turns[at:] = [self.news()]
        first = at - 2 if dropped else 0
        self.send(one, first=first, answered=answered, replaces=replaces)

    @rule()
    def settle(self) -> None:
        self.portal.call(self.memory.drain)

    @rule()
    def be_dropped_from_memory(self) -> None:
        known = self.store.scope(self.scope)
        if known:
            self.index.remove_turns(known[0], [NO_TURN])  # nothing of the files, and all of the scope from memory

    @invariant()
    def what_stands_is_evidence_and_nothing_else(self) -> None:
        stands = set().union(*(one.stands for one in self.conversations)) if self.conversations else set()
        history = self.portal.call(self.memory.history, self.scope)
        assert sorted(turn.text for turn in history) == sorted(stands)
        found = self.portal.call(self.memory.recall, self.scope, "What about the tea in the garden?", MAY_8)
        assert {one.turn.text for one in found.evidence} == stands
        everything = self.portal.call(lambda: self.memory.turns(self.scope, limit=1_000))
        assert sorted(turn.text for turn in everything) == sorted(self.stored), "all of it stays, once"

    def news(self) -> str:
        number = next(self.numbers)
        return f"The {COLOURS[number % len(COLOURS)]} tea number {number} grows in garden {number * 7}."

    def those(self, *, answered: bool | None = None, named: bool = False, clear: bool = False) -> list[Conversation]:
        """The conversations of a kind; `clear` are those in which something may be replaced without doubt."""
        return [
            one
            for one in self.conversations
            if (answered is None or one.answered == answered)
            and (one.name is not None or not named)
            and (not clear or (len(one.turns) > 2 and (one.name is not None or not one.retried)))
        ]

    def one(
        self, number: int, *, answered: bool | None = None, named: bool = False, clear: bool = False
    ) -> Conversation:
        those = self.those(answered=answered, named=named, clear=clear)
        return those[number % len(those)]

    def send(
        self,
        one: Conversation,
        *,
        first: int = 0,
        whole: bool = True,
        answered: bool = True,
        checked: bool = True,
        replaces: int = 0,
    ) -> None:
        sent = spoken(one.turns[first:], first)
        placed = self.portal.call(
            self.memory.place, Follow(scope=self.scope, session_id=one.name, turns=sent, whole=whole)
        )
        followed = self.follow(one, sent, whole=whole)
        assert followed.replaced == replaces
        assert (placed.new, placed.replaced) == (len(followed.receipt.stored), replaces)
        assert placed.session_id == (followed.receipt.session_id if one.name or len(sent) > 1 else None)
        self.stored |= {*one.turns}
        if answered:
            self.answer(one, followed, checked=checked)

    def answer(self, one: Conversation, followed: Followed, *, checked: bool) -> None:
        flag: Flag | None = None if checked else "unchecked"
        answer = self.news()
        one.turns.append(answer)
        self.stored.add(answer)
        if not checked:
            one.unchecked.add(answer)
        turn = NewTurn(role="assistant", text=answer, flag=flag, said_at=MAY_8)
        request = Follow(scope=self.scope, session_id=followed.receipt.session_id, turns=[turn], whole=False)
        assert self.portal.call(self.memory.follow, request).receipt.outcomes == ("stored",)

    def follow(self, one: Conversation, turns: list[NewTurn], *, whole: bool = True) -> Followed:
        request = Follow(scope=self.scope, session_id=one.name, turns=turns, whole=whole)
        return self.portal.call(self.memory.follow, request)


@pytest.fixture
def followed(tmp_path: Path, encoder: Encoder) -> Iterator[None]:
    with (
        database_in(tmp_path) as database,
        start_blocking_portal() as portal,
    ):
        index = PassageIndex(tmp_path / "index", model=encoder.name, dimension=encoder.dimension, cache_bytes=2**24)
        with portal.wrap_async_context_manager(memory_over(index, database, encoder)) as memory:
            Clients.portal, Clients.memory, Clients.store, Clients.index = portal, memory, TurnStore(database), index
            yield


@pytest.mark.usefixtures("followed")
def test_what_clients_hold_is_what_is_recalled() -> None:
    chosen = settings(tried_on(20, suppress_health_check=list(HealthCheck)), stateful_step_count=20, derandomize=True)
    run_state_machine_as_test(Clients, settings=chosen)


class Twins(RuleBasedStateMachine):
    """Conversations without a name that all begin with "hi", and perhaps with the same answer: nothing of any is ever lost.

    What is edited may stand on, where it is not clear whose it was; what a client still holds must stand.
    """

    store: ClassVar[TurnStore]

    @initialize()
    def begin(self) -> None:
        self.scope = Scope(tenant="default", user_id=uuid4().hex)
        self.conversations: list[Conversation] = []
        self.waiting: dict[int, Followed] = {}
        self.numbers = count()

    @rule()
    def greet(self) -> None:
        self.conversations.append(Conversation(name=None, turns=["hi"]))
        self.send(len(self.conversations) - 1)

    @precondition(lambda self: self.waiting)
    @rule(number=INDEX, text=st.sampled_from(["hello", "hello you", "new"]))
    def answer(self, number: int, text: str) -> None:
        place = [*self.waiting][number % len(self.waiting)]
        one, followed = self.conversations[place], self.waiting.pop(place)
        one.turns.append(text if len(one.turns) == 1 and text != "new" else f"answer {next(self.numbers)}")
        turn = NewTurn(role="assistant", text=one.turns[-1])
        session = followed.receipt.session_id
        self.store.follow(Follow(scope=self.scope, session_id=session, turns=[turn], whole=False))

    @precondition(lambda self: len(self.waiting) < len(self.conversations))
    @rule(number=INDEX)
    def say(self, number: int) -> None:
        place = self.answered(number)
        self.conversations[place].turns.append(f"question {next(self.numbers)}")
        self.send(place)

    @precondition(lambda self: len(self.waiting) < len(self.conversations))
    @rule(number=INDEX, cut=INDEX, again=st.booleans())
    def go_back(self, number: int, cut: int, again: bool) -> None:
        """A later question is asked otherwise, or asked again."""
        place = self.answered(number)
        turns = self.conversations[place].turns
        if len(turns) > 2:
            at = range(2, len(turns), 2)[cut % (len(turns) // 2 - 1)]
            turns[at:] = [turns[at] if again else f"question {next(self.numbers)}"]
            self.send(place)

    @precondition(lambda self: self.waiting)
    @rule(number=INDEX)
    def retry(self, number: int) -> None:
        self.send([*self.waiting][number % len(self.waiting)])

    @invariant()
    def what_a_client_holds_stands(self) -> None:
        known = self.store.scope(self.scope)
        stands = {turn.text for turn in self.store.history(known[0])} if known else set()
        for one in self.conversations:
            assert {*one.turns} <= stands

    def answered(self, number: int) -> int:
        places = [place for place in range(len(self.conversations)) if place not in self.waiting]
        return places[number % len(places)]

    def send(self, place: int) -> None:
        request = Follow(scope=self.scope, session_id=None, turns=spoken(self.conversations[place].turns))
        self.waiting[place] = self.store.follow(request)


def test_conversations_that_begin_alike_lose_nothing(tmp_path: Path) -> None:
    with database_in(tmp_path) as database:
        Twins.store = TurnStore(database)
        chosen = settings(tried_on(50, suppress_health_check=list(HealthCheck)), stateful_step_count=25)
        run_state_machine_as_test(Twins, settings=chosen)
