"""Memory as a whole, on real SQLite, LanceDB and the real encoder."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import lancedb
import pyarrow as pa
import pytest
from sqlalchemy import event

from memory import Memory, MemorySettings, NewTurn, Receipt, Remember, Scope, open_memory
from memory.encoder import Encoder
from memory.errors import HomeInUse, IndexMismatch, StoreUnavailable
from memory.index import PassageIndex
from memory.memory import rebuild_index
from tests.support.turns import MAY_8, SCOPE, said

CHAT = [
    said("Hey Mel! Good to see you!", id="1", speaker="Caroline"),
    said("What did you call the new kitten?", id="2", role="assistant", speaker="Mel"),
    said("Miso!", id="3", speaker="Caroline"),
    said("I paint lakes at sunset, mostly in oils.", id="4", role="assistant", speaker="Mel"),
    said("The support group meets on Thursdays in Leeds.", id="5", speaker="Caroline"),
]


async def remember(memory: Memory, *turns: NewTurn, scope: Scope = SCOPE, session: str = "s1") -> Receipt:
    return await memory.remember(Remember(scope=scope, session_id=session, turns=turns))


async def found(memory: Memory, question: str, scope: Scope = SCOPE) -> list[str]:
    recollection = await memory.recall(scope, question, datetime.now(UTC))
    return list(dict.fromkeys(evidence.turn.id for evidence in recollection.evidence))


async def indexed(memory: Memory, receipt: Receipt, scope: Scope = SCOPE) -> None:
    assert await memory.until_indexed(scope, receipt)


async def test_recall_is_the_same_from_the_tail_and_from_the_index(tmp_path: Path, encoder: Encoder) -> None:
    question = "Where does the support group meet?"
    async with open_memory(MemorySettings(home=tmp_path), encoder=encoder) as memory:
        receipt = await remember(memory, *CHAT)
        waiting = await memory.recall(SCOPE, question, MAY_8)
        await indexed(memory, receipt)
        held = await memory.recall(SCOPE, question, MAY_8)
    assert waiting.evidence[0].turn.id == held.evidence[0].turn.id == "5"
    assert [e.quote for e in waiting.evidence] == [e.quote for e in held.evidence]
    assert [e.score for e in waiting.evidence] == pytest.approx([e.score for e in held.evidence], abs=1e-2)


async def test_the_answer_after_a_question_is_found_through_it(memory: Memory) -> None:
    await indexed(memory, await remember(memory, *CHAT))
    assert (await found(memory, "What is the kitten called?"))[:2] in (["2", "3"], ["3", "2"])


async def test_the_named_speaker_counts(memory: Memory) -> None:
    turns = [
        said("I took a pottery class in spring.", id="1", speaker="Caroline"),
        said("I took a pottery class in spring, too.", id="2", role="assistant", speaker="Mel"),
    ]
    await indexed(memory, await remember(memory, *turns))
    assert (await found(memory, "When did Caroline take a pottery class?"))[0] == "1"
    assert (await found(memory, "When did Mel take a pottery class?"))[0] == "2"


async def test_i_and_you_are_the_user_and_the_assistant(memory: Memory) -> None:
    turns = [
        said("I could cook a mushroom risotto tonight.", id="1"),
        said("You could cook a mushroom risotto tonight.", id="2", role="assistant"),
    ]
    await indexed(memory, await remember(memory, *turns))
    assert (await found(memory, "What did I say I could cook?"))[0] == "1"
    assert (await found(memory, "What did you suggest to cook?"))[0] == "2"


async def test_the_time_asked_about_counts(memory: Memory) -> None:
    for month in range(1, 7):
        at = datetime(2023, month, 10, tzinfo=UTC)
        turn = NewTurn(id=str(month), role="user", text="We had dinner with the neighbours.", said_at=at)
        await remember(memory, turn, session=f"s{month}")
    assert (await found(memory, "Who came to dinner in April 2023?"))[0] == "4"


async def test_what_was_not_indexed_is_indexed_at_the_next_start(tmp_path: Path, encoder: Encoder) -> None:
    settings = MemorySettings(home=tmp_path)
    async with open_memory(settings, encoder=encoder) as memory:
        memory.indexer.wake = lambda: None  # type: ignore[method-assign]
        receipt = await remember(memory, *CHAT)
        assert await memory.store.count(indexed=False) == len(CHAT)
    async with open_memory(settings, encoder=encoder) as memory:
        await indexed(memory, receipt)
        assert await memory.store.count(indexed=False) == 0
        assert (await found(memory, "Where does the support group meet?"))[0] == "5"


async def test_rows_that_a_crash_left_in_the_index_are_not_doubled(tmp_path: Path, encoder: Encoder) -> None:
    settings = MemorySettings(home=tmp_path)
    async with open_memory(settings, encoder=encoder) as memory:
        receipt = await remember(memory, *CHAT)
        await indexed(memory, receipt)
        passages = await memory.index.count()
        await memory.store.mark_all_unindexed()  # as if killed between the index and the store
    async with open_memory(settings, encoder=encoder) as memory:
        await indexed(memory, receipt)
        assert await memory.index.count() == passages


async def test_a_lost_index_is_rebuilt_from_the_truth(tmp_path: Path, encoder: Encoder) -> None:
    settings = MemorySettings(home=tmp_path)
    async with open_memory(settings, encoder=encoder) as memory:
        receipt = await remember(memory, *CHAT)
        await indexed(memory, receipt)
        passages = await memory.index.count()
    await PassageIndex.discard(tmp_path / "index")
    async with open_memory(settings, encoder=encoder) as memory:
        await indexed(memory, receipt)
        assert await memory.index.count() == passages


async def test_another_model_is_refused_until_the_index_is_rebuilt(tmp_path: Path, encoder: Encoder) -> None:
    settings = MemorySettings(home=tmp_path)
    async with open_memory(settings, encoder=encoder) as memory:
        await indexed(memory, await remember(memory, *CHAT))
    with pytest.raises(IndexMismatch, match="tirtha reindex") as caught:
        await PassageIndex.open(tmp_path / "index", model="other", dimension=encoder.dimension)
    assert caught.value.stored.startswith(encoder.name)
    seen: list[tuple[int, int]] = []
    assert await rebuild_index(settings, lambda done, total: seen.append((done, total))) == len(CHAT)
    assert seen[-1] == (len(CHAT), len(CHAT))


async def test_an_index_of_full_precision_goes_on_in_half(tmp_path: Path, encoder: Encoder) -> None:
    settings = MemorySettings(home=tmp_path)
    async with open_memory(settings, encoder=encoder) as memory:
        await indexed(memory, await remember(memory, *CHAT))
    table = await (await lancedb.connect_async(tmp_path / "index")).open_table("passage")
    await table.alter_columns({"path": "vector", "data_type": pa.list_(pa.float32(), encoder.dimension)})
    async with open_memory(settings, encoder=encoder) as memory:
        await indexed(memory, await remember(memory, said("The cat is called Tom.", id="6", speaker="Caroline")))
        for _ in ("from disk", "from memory"):
            assert (await found(memory, "What does Mel paint?"))[0] == "4"
            assert (await found(memory, "What is the cat called?"))[0] == "6"
            await memory.warm(SCOPE)


async def test_one_process_at_a_time(tmp_path: Path, encoder: Encoder, memory: Memory) -> None:
    with pytest.raises(HomeInUse) as caught:
        async with open_memory(MemorySettings(home=tmp_path / "home"), encoder=encoder):
            pass
    assert str(tmp_path / "home") in str(caught.value)
    assert await memory.store.count() == 0


async def test_a_full_database_is_an_error_and_loses_nothing(memory: Memory) -> None:
    await indexed(memory, await remember(memory, *CHAT))
    with memory.store.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    full = f"PRAGMA max_page_count={pages}"
    memory.store.engine.dispose()
    event.listen(memory.store.engine, "connect", lambda connection, _: connection.execute(full) and None)
    big = [said("x" * 50_000, id=f"big{n}") for n in range(5)]
    with pytest.raises(StoreUnavailable) as caught:
        await remember(memory, *big)
    assert caught.value.full
    assert await memory.store.count() == len(CHAT)
    assert (await found(memory, "Where does the support group meet?"))[0] == "5"


async def test_a_folder_that_is_a_file_is_an_error(tmp_path: Path, encoder: Encoder) -> None:
    (tmp_path / "taken").write_text("not a folder")
    with pytest.raises(StoreUnavailable, match="taken"):
        async with open_memory(MemorySettings(home=tmp_path / "taken"), encoder=encoder):
            pass


async def test_a_writer_far_ahead_of_the_index_waits_for_it(tmp_path: Path, encoder: Encoder) -> None:
    async with open_memory(MemorySettings(home=tmp_path, max_tail_turns=50), encoder=encoder) as memory:
        for start in range(0, 200, 40):
            await remember(memory, *[said(f"Fact number {n}.", id=str(n)) for n in range(start, start + 40)])
            assert await memory.store.count(indexed=False) < 50


async def test_a_long_tail_is_searched_by_words_and_by_age(tmp_path: Path, encoder: Encoder) -> None:
    async with open_memory(MemorySettings(home=tmp_path), encoder=encoder) as memory:
        memory.indexer.wake = lambda: None  # type: ignore[method-assign]
        turns = [said(f"Small talk number {n} about nothing.", id=str(n)) for n in range(300)]
        turns[7] = said("My passport number ends in 4471.", id="7")
        await remember(memory, *turns)
        assert (await found(memory, "What does my passport number end in?"))[0] == "7"


async def test_what_cannot_be_indexed_is_retried_and_found_meanwhile(
    memory: Memory, caplog: pytest.LogCaptureFixture
) -> None:
    add = memory.index.add

    failed = asyncio.Event()

    async def failing(rows: object) -> None:
        failed.set()
        raise StoreUnavailable("the passage index: no space left", full=True)

    memory.index.add = failing  # type: ignore[method-assign]
    receipt = await remember(memory, *CHAT)
    await failed.wait()
    assert (await found(memory, "Where does the support group meet?"))[0] == "5"
    memory.index.add = add  # type: ignore[method-assign]
    await indexed(memory, receipt)
    assert "no space left" in caplog.text


async def test_a_failing_index_does_not_hold_writers_up(tmp_path: Path, encoder: Encoder) -> None:
    async def failing(rows: object) -> None:
        raise StoreUnavailable("the passage index: no space left", full=True)

    async with open_memory(MemorySettings(home=tmp_path, max_tail_turns=2), encoder=encoder) as memory:
        memory.index.add = failing  # type: ignore[method-assign]
        for number in range(5):
            await asyncio.wait_for(remember(memory, said(f"Fact {number}.", id=str(number))), timeout=30)
        assert await memory.store.count() == 5


async def test_scopes_never_meet_in_the_index(memory: Memory) -> None:
    others = [Scope(tenant="t2", user_id="u1"), Scope(tenant="default", user_id="u1", agent_id="a")]
    await indexed(memory, await remember(memory, *CHAT))
    for other in others:
        own = await remember(memory, said("The support group meets nowhere.", id="own"), scope=other)
        assert await memory.until_indexed(other, own)
        assert await found(memory, "Where does the support group meet?", other) == ["own"]
    assert "own" not in await found(memory, "Where does the support group meet?")


async def test_the_index_is_optimised_without_losing_rows(memory: Memory) -> None:
    for number in range(3):
        await indexed(memory, await remember(memory, said(f"Fact {number} about otters.", id=str(number))))
    await memory.indexer.optimise()
    assert sorted(await found(memory, "What about otters?")) == ["0", "1", "2"]


async def test_echoes_stay_out_of_the_index(memory: Memory) -> None:
    await indexed(memory, await remember(memory, *CHAT))
    scope = await memory.store.scope(SCOPE)
    assert scope
    pasted = (
        "Known so far:\n8 May 2023\n[1] Caroline: The support group meets on Thursdays in Leeds.\nWhat else is there?"
    )
    receipt = await remember(memory, said(pasted, id="6", days=3))
    await indexed(memory, receipt)
    held = await memory.index.passages(scope[0], receipt.stored)
    assert [pasted[one.passage.start : one.passage.end] for one in held] == ["Known so far:", "What else is there?"]
    assert (await found(memory, "Where does the support group meet?"))[0] == "5"
    assert (await memory.history(SCOPE))[-1].text == pasted, "the turn itself is kept word for word"


async def test_hot_queries_use_their_indexes(memory: Memory) -> None:
    """A partial index serves only queries that repeat its condition, and nothing else would tell that one does not."""
    await indexed(memory, await remember(memory, *CHAT))
    scope = await memory.store.scope(SCOPE)
    assert scope
    seen: list[tuple[str, object]] = []

    def note(*call: Any) -> None:
        seen.append((call[2], call[3]))

    event.listen(memory.store.engine, "before_cursor_execute", note)
    await memory.store.tail(scope[0])
    await memory.store.tail_length(scope[0])
    await memory.store.unindexed(10)
    memory.store.turns_around(scope[0], [], [turn.pk for turn in await memory.store.history(scope[0])])
    event.remove(memory.store.engine, "before_cursor_execute", note)
    with memory.store.engine.connect() as connection:
        for statement, parameters in [one for one in seen if one[0].startswith("SELECT")]:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[arg-type]
            steps = [row[3] for row in plan]
            scans = [step for step in steps if step.startswith("SCAN turn") and "turn_waiting" not in step]
            assert not scans, (statement, steps)
