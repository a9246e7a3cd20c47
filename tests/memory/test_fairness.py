"""Tenants that wait take turns; a queue that is full refuses; who gives up passes their place on."""

import asyncio

import anyio
import pytest

from memory.errors import TooManyQuestions
from memory.fairness import FairQueue


class House:
    """Questions that hold a place until they are let go, in the order they got one."""

    def __init__(self, *, slots: int, most_waiting: int) -> None:
        self.queue = FairQueue(slots=slots, most_waiting=most_waiting)
        self.begun: list[str] = []
        self.go_on = anyio.Event()

    async def ask(self, tenant: str, name: str) -> None:
        async with self.queue.turn(tenant):
            self.begun.append(name)
            await self.go_on.wait()
            await anyio.lowlevel.checkpoint()


async def test_one_question_of_another_tenant_waits_for_one_of_the_many() -> None:
    house = House(slots=2, most_waiting=256)
    async with anyio.create_task_group() as tasks:
        for n in range(200):
            tasks.start_soon(house.ask, "a", f"a{n}")
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(house.ask, "b", "b0")
        await anyio.wait_all_tasks_blocked()
        assert house.begun == ["a0", "a1"]
        assert house.queue.waiting == 199
        house.go_on.set()
    assert house.begun.index("b0") == 3, "behind the two that ran and the one that was next"
    assert len(house.begun) == 201
    assert house.queue.waiting == 0


async def test_tenants_take_turns_and_each_keeps_its_order() -> None:
    house = House(slots=1, most_waiting=10)
    async with anyio.create_task_group() as tasks:
        for name in ("a0", "a1", "a2", "b0", "b1", "c0"):
            tasks.start_soon(house.ask, name[0], name)
            await anyio.wait_all_tasks_blocked()
        house.go_on.set()
    assert house.begun == ["a0", "a1", "b0", "c0", "a2", "b1"]


async def test_a_full_queue_refuses_its_own_tenant_only() -> None:
    house = House(slots=1, most_waiting=2)
    async with anyio.create_task_group() as tasks:
        for n in range(3):
            tasks.start_soon(house.ask, "a", f"a{n}")
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(TooManyQuestions) as refused:
            await house.ask("a", "a3")
        assert (refused.value.waiting, refused.value.limit) == (2, 2)
        assert refused.value.retry_after_s >= 1
        tasks.start_soon(house.ask, "b", "b0")
        await anyio.wait_all_tasks_blocked()
        house.go_on.set()
    assert sorted(house.begun) == ["a0", "a1", "a2", "b0"]


async def test_who_gives_up_leaves_no_place_taken() -> None:
    house = House(slots=1, most_waiting=10)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(house.ask, "a", "a0")
        await anyio.wait_all_tasks_blocked()
        with anyio.move_on_after(0.01):
            await house.ask("b", "b0")
        assert house.queue.waiting == 0
        house.go_on.set()
    with anyio.fail_after(1):
        await house.ask("c", "c0")
    assert house.begun == ["a0", "c0"]


async def test_a_place_that_is_given_to_one_who_gives_up_goes_to_the_next() -> None:
    house = House(slots=1, most_waiting=10)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(house.ask, "a", "a0")
        await anyio.wait_all_tasks_blocked()
        impatient = asyncio.create_task(house.ask("b", "b0"))
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(house.ask, "c", "c0")
        await anyio.wait_all_tasks_blocked()
        house.queue._pass_on()  # as the end of a0 does, in the very moment that b0 gives up
        impatient.cancel()
        await anyio.wait_all_tasks_blocked()
        assert house.begun == ["a0", "c0"]
        house.go_on.set()
