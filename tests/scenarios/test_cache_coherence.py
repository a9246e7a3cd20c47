"""Whatever is remembered, edited, forgotten and asked, by two tenants and at once: no answer is stale, and none is another's."""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from memory.encoding.encoder import Encoder
from tests.support.turns import said
from tirtha.caller import local_caller
from tirtha.operations.answering import Answered
from tirtha.operations.ask import AskRequest
from tirtha.operations.forget import ForgetRequest
from tirtha.operations.remember import RememberRequest
from tirtha.service import Service
from tirtha.settings import Settings
from tirtha.wiring.service import open_service

TENANTS = st.sampled_from(["red", "blue"])
NAMES = st.sampled_from(["Miso", "Bella", "Rex", "Luna", "Otto", "Coco"])
TURNS = st.sampled_from(["t1", "t2", "t3"])
QUESTION = "What is my cat called?"


def statement(name: str) -> str:
    return f"My cat is called {name}."


class CacheMachine(RuleBasedStateMachine):
    """One service; in every example new users of two tenants, who have the same name."""

    portal: ClassVar[BlockingPortal]
    service: ClassVar[Service]
    hits: ClassVar[int] = 0

    @initialize()
    def new_users(self) -> None:
        self.user = uuid4().hex
        self.held: dict[str, dict[str, str]] = {"red": {}, "blue": {}}

    @rule(tenant=TENANTS, turn=TURNS, name=NAMES)
    def remember(self, tenant: str, turn: str, name: str) -> None:
        if turn not in self.held[tenant]:
            self.portal.call(self._remember, tenant, turn, name)
            self.held[tenant][turn] = name

    @rule(tenant=TENANTS, turn=TURNS)
    def forget_a_turn(self, tenant: str, turn: str) -> None:
        self.portal.call(self._forget, tenant, turn)
        self.held[tenant].pop(turn, None)

    @rule(tenant=TENANTS)
    def forget_all(self, tenant: str) -> None:
        self.portal.call(self._forget, tenant, None)
        self.held[tenant].clear()

    @rule(tenant=TENANTS, turn=TURNS, name=NAMES)
    def edit(self, tenant: str, turn: str, name: str) -> None:
        self.portal.call(self._edit, tenant, turn, name)
        self.held[tenant][turn] = name

    @rule(tenant=TENANTS)
    def ask(self, tenant: str) -> None:
        self._check(self.portal.call(self._ask, tenant), set(self.held[tenant].values()), must=bool(self.held[tenant]))

    @rule(tenant=TENANTS, turn=TURNS, name=NAMES)
    def ask_while_it_is_edited(self, tenant: str, turn: str, name: str) -> None:
        before = set(self.held[tenant].values())
        for answered in self.portal.call(self._ask_and_edit, tenant, turn, name):
            self._check(answered, before | {name}, must=False)
        self.held[tenant][turn] = name

    def _check(self, answered: Answered, allowed: set[str], *, must: bool) -> None:
        decision = answered.decision
        type(self).hits += answered.cache == "hit"
        seen = {quote.text for quote in decision.brief.quotes} | {quote.text for quote in decision.citations}
        assert seen <= {statement(name) for name in allowed}, (seen, allowed)
        assert not must or not decision.abstained
        assert decision.abstained or any(name in decision.answer for name in allowed)

    async def _remember(self, tenant: str, turn: str, name: str) -> None:
        request = RememberRequest(user_id=self.user, session_id="s1", turns=[said(statement(name), id=turn)])
        await self.service.remember(local_caller(tenant), request)

    async def _forget(self, tenant: str, turn: str | None) -> None:
        session = "s1" if turn else None
        request = ForgetRequest(user_id=self.user, session_id=session, turn_id=turn)
        await self.service.forget(local_caller(tenant), request)

    async def _edit(self, tenant: str, turn: str, name: str) -> None:
        await self._forget(tenant, turn)
        await self._remember(tenant, turn, name)

    async def _ask(self, tenant: str) -> Answered:
        return await self.service.ask(local_caller(tenant), AskRequest(user_id=self.user, question=QUESTION))

    async def _ask_and_edit(self, tenant: str, turn: str, name: str) -> list[Answered]:
        asked = [asyncio.create_task(self._ask(tenant)) for _ in range(3)]
        await self._edit(tenant, turn, name)
        return list(await asyncio.gather(*asked))


@pytest.fixture
def machine(encoder: Encoder) -> Iterator[type[CacheMachine]]:
    with TemporaryDirectory() as folder, start_blocking_portal() as portal:
        opened: AbstractContextManager[Any] = portal.wrap_async_context_manager(
            open_service(Settings(home=Path(folder), abstain_below=0.0), encoder=encoder)
        )
        with opened as service:
            CacheMachine.portal, CacheMachine.service, CacheMachine.hits = portal, service, 0
            yield CacheMachine


def test_no_answer_is_stale_or_anothers(machine: type[CacheMachine]) -> None:
    play(machine, examples=25)


@pytest.mark.long
@pytest.mark.parametrize("series", range(10))
def test_no_answer_is_stale_in_many_plays(machine: type[CacheMachine], series: int) -> None:
    play(machine, examples=200)


def play(machine: type[CacheMachine], *, examples: int) -> None:
    case = machine.TestCase
    case.settings = settings(
        max_examples=examples, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
    )
    case("runTest").runTest()
    assert machine.hits > 10, "the cache was hardly used, so this showed nothing"
