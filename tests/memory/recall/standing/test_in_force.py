"""Instructions in force come to requests for work and to no questions for facts, from the index and before it, as bounds allow."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from memory import Follow, NewTurn, Remember
from memory.api import Memory
from memory.encoding.encoder import Encoder
from memory.index import rows
from memory.opening import rebuild_index
from memory.settings import MemorySettings
from tests.support.memory import database_in, memory_in
from tests.support.turns import MAY_8, SCOPE, said

ASKED_AT = datetime(2023, 6, 1, tzinfo=UTC)
TYPES, MEAT, TABLES = (
    "Always show types when I ask for code.",
    "I don't eat meat.",
    "Please never use tables in your answers.",
)
SAID = [
    said(TYPES, id="1"),
    said("The code of the blue locker is 4471.", id="2", days=1),
    said(MEAT, id="3", days=2),
    said("Always answer in French.", id="4", role="assistant", days=3),
    said(TABLES, id="5", days=4),
]
WRITE_CODE = "Write a function that parses dates."


async def remember(memory: Memory, *turns: NewTurn, session_id: str = "s1") -> None:
    await memory.remember(Remember(scope=SCOPE, session_id=session_id, turns=turns))


async def standing(memory: Memory, request: str, **bounds: object) -> list[str]:
    found = await memory.recall(SCOPE, request, ASKED_AT, **bounds)  # type: ignore[arg-type]
    assert len(found.standing) == len(found.nearness)
    return [one.quote for one in found.standing]


async def test_they_come_to_work_the_nearest_first_and_to_no_fact(memory: Memory) -> None:
    await remember(memory, *SAID)
    await memory.drain()
    assert (await standing(memory, WRITE_CODE))[0] == TYPES
    assert (await standing(memory, "What can I cook with steak or beans for dinner?"))[0] == MEAT
    assert set(await standing(memory, WRITE_CODE)) == {TYPES, MEAT, TABLES}
    for fact in (
        "What did I say about types?",
        "When did I say that I don't eat meat?",
        "What is the code of the locker?",
    ):
        assert await standing(memory, fact) == []


async def test_a_fact_gets_the_one_instruction_that_names_such_questions(memory: Memory) -> None:
    dates = "Always write the month first when I ask about project deadlines."
    await remember(memory, *SAID, said(dates, id="6", days=5), said("The project is due on 9 June.", id="7", days=6))
    await memory.drain()
    assert await standing(memory, "When is the deadline of the project?") == [dates]
    assert await standing(memory, "What did I say about project deadlines?") == []
    assert await standing(memory, "Who is my dentist?") == []


async def test_a_waiting_turn_is_heeded_as_an_indexed_one_is(tmp_path: Path, encoder: Encoder) -> None:
    async with memory_in(tmp_path / "indexed", encoder) as memory:
        await remember(memory, *SAID)
        await memory.drain()
        indexed = await standing(memory, WRITE_CODE)
    async with memory_in(tmp_path / "waiting", encoder) as memory:
        memory._indexer.stop()
        await remember(memory, *SAID)
        assert (await memory.counts()).waiting == len(SAID)
        assert await standing(memory, WRITE_CODE) == indexed
        assert await memory.instructions.switch_off(SCOPE, session_id="s1", turn_id="1") is not None
        assert TYPES not in await standing(memory, WRITE_CODE)


async def test_one_that_is_switched_off_stays_a_turn_and_is_followed_no_more(memory: Memory) -> None:
    await remember(memory, *SAID)
    await memory.drain()
    before = await memory.epoch(SCOPE)
    assert await memory.instructions.switch_off(SCOPE, session_id="s1", turn_id="1") == (1, before + 1)
    assert await memory.instructions.switch_off(SCOPE, session_id="s1", turn_id="1") == (1, before + 1)
    assert TYPES not in await standing(memory, WRITE_CODE)
    assert await memory.turn(SCOPE, "s1", "1") is not None
    by_id = {one.turn.id: one for one in await memory.instructions.of_scope(SCOPE)}
    assert [by_id[id_].in_force for id_ in ("5", "3", "1")] == [True, True, False]
    found = await memory.recall(SCOPE, "What did I say about types?", ASKED_AT)
    assert found.evidence[0].turn.id == "1"
    found = await memory.recall(SCOPE, WRITE_CODE, ASKED_AT)
    assert "1" not in {one.turn.id for one in found.evidence}


@pytest.mark.parametrize(("session_id", "turn_id"), [("s1", "2"), ("s1", "4"), ("s1", "9"), ("s9", "1")])
async def test_what_is_no_instruction_cannot_be_switched_off(memory: Memory, session_id: str, turn_id: str) -> None:
    await remember(memory, *SAID)
    before = await memory.epoch(SCOPE)
    assert await memory.instructions.switch_off(SCOPE, session_id=session_id, turn_id=turn_id) is None
    assert await memory.epoch(SCOPE) == before


async def test_a_replaced_one_is_not_followed_until_the_newer_is_forgotten(memory: Memory) -> None:
    await remember(memory, said("Call me Sam.", id="1"), said("Call me Samuel.", id="2", days=3))
    await memory.drain()
    assert await standing(memory, "Write me a birthday card.") == ["Call me Samuel."]
    assert await standing(memory, "Write me a birthday card.", until=MAY_8.replace(day=9)) == ["Call me Sam."]
    newer, older = await memory.instructions.of_scope(SCOPE)
    assert (newer.replaced_by, older.replaced_by) == (None, newer.turn)
    await memory.forget(SCOPE, session_id="s1", turn_id="2")
    assert await standing(memory, "Write me a birthday card.") == ["Call me Sam."]
    await memory.forget(SCOPE)
    assert await memory.instructions.of_scope(SCOPE) == []


async def test_what_the_prompt_holds_is_left_out_and_replaces_all_the_same(memory: Memory) -> None:
    await remember(memory, said("Call me Sam.", id="1"))
    await remember(memory, said("Call me Samuel.", id="2", days=3), said(MEAT, id="3", days=3), session_id="s2")
    await memory.drain()
    shown = frozenset({("s2", "2")})
    assert await standing(memory, "Write me a card.", exclude=shown) == [MEAT]
    assert await standing(memory, "Write me a card.", exclude_session_id="s2") == []


async def test_an_edited_turn_is_followed_no_more(memory: Memory) -> None:
    begun = [NewTurn(role="user", text="Good morning to you."), NewTurn(role="assistant", text="Good morning.")]
    asked = [*begun, NewTurn(role="user", text=TABLES), NewTurn(role="assistant", text="I will not.")]
    await memory.follow(Follow(scope=SCOPE, session_id="s1", turns=asked))
    assert await standing(memory, "Write me a card.") == [TABLES]
    edited = [
        *begun,
        NewTurn(role="user", text="Thank you for everything."),
        NewTurn(role="assistant", text="Welcome."),
    ]
    await memory.follow(Follow(scope=SCOPE, session_id="s1", turns=edited))
    assert await standing(memory, "Write me a card.") == []
    await memory.drain()
    assert await standing(memory, "Write me a card.") == []


async def test_rebuilding_recognises_anew_and_keeps_what_is_off(tmp_path: Path, encoder: Encoder) -> None:
    async with memory_in(tmp_path, encoder) as memory:
        await remember(memory, *SAID)
        await memory.drain()
        await memory.instructions.switch_off(SCOPE, session_id="s1", turn_id="3")
    with database_in(tmp_path) as database:
        with database.writing() as connection:
            connection.exec_driver_sql("DELETE FROM instruction")
        await rebuild_index(MemorySettings(), database, lambda _: None)
        with database.reading() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM instruction").scalar_one() == 3
    async with memory_in(tmp_path, encoder) as memory:
        by_id = {one.turn.id: one.in_force for one in await memory.instructions.of_scope(SCOPE)}
        assert by_id == {"5": True, "3": False, "1": True}


async def test_an_index_from_before_is_made_anew_and_with_it_the_instructions(
    tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setitem(rows.VERSIONS, "tirtha.instructions", "0")
        async with memory_in(tmp_path, encoder) as memory:
            await remember(memory, *SAID)
            await memory.drain()
    with database_in(tmp_path) as database, database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM instruction")
    async with memory_in(tmp_path, encoder) as memory:
        await memory.drain()
    async with memory_in(tmp_path, encoder) as memory:
        assert (await memory.counts()).waiting == 0
        assert len(await memory.instructions.of_scope(SCOPE)) == 3
