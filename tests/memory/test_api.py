"""Memory as a whole, on real SQLite, LanceDB and the real encoder."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.from_thread
import lancedb
import pyarrow as pa
import pytest
from sqlalchemy import Engine, event

from language import analysis
from memory import Counts, Remember, Scope
from memory.api import Memory, MemorySettings
from memory.encoding.encoder import Encoder
from memory.errors import HomeInUse, IndexBehind, IndexMismatch, StoreUnavailable
from memory.index.faults import discard
from memory.index.lance import PassageIndex
from memory.index.rows import IndexRow
from memory.model import ScopeId
from memory.opening import open_memory, rebuild_index
from memory.storage.database import Database
from memory.storage.store import TurnStore
from tests.support.memory import database_in, memory_in, memory_over
from tests.support.remembering import CHAT, found, indexed, remember
from tests.support.turns import MAY_8, SCOPE, said


def passages_in(home: Path, encoder: Encoder) -> int:
    """Count the passages of the index in a folder that nobody has open."""
    return PassageIndex(home / "index", model=encoder.name, dimension=encoder.dimension).count()


class FullDisk(PassageIndex):
    """The real index, for which the disk is full while `full` is true."""

    full = True
    refused: anyio.Event

    def add(self, rows: Sequence[IndexRow]) -> None:
        if self.full:
            anyio.from_thread.run_sync(self.refused.set)
            raise StoreUnavailable("the passage index: no space left")
        super().add(rows)


@asynccontextmanager
async def memory_on_a_full_disk(
    database: Database, encoder: Encoder, settings: MemorySettings
) -> AsyncIterator[tuple[Memory, FullDisk]]:
    index = FullDisk(database.home / "index", model=encoder.name, dimension=encoder.dimension)
    index.refused = anyio.Event()
    async with memory_over(index, database, encoder, settings) as memory:
        yield memory, index


async def test_what_was_not_indexed_is_indexed_at_the_next_start(tmp_path: Path, encoder: Encoder) -> None:
    with database_in(tmp_path) as database:  # as if killed right after the turns were durable
        receipt = TurnStore(database).remember(Remember(scope=SCOPE, session_id="s1", turns=CHAT))
        assert TurnStore(database).counts().waiting == len(receipt.stored) == len(CHAT)
    async with memory_in(tmp_path, encoder) as memory:
        await memory.drain()
        assert await memory.counts() == Counts(turns=len(CHAT), waiting=0)
        assert (await found(memory, "Where does the support group meet?"))[0] == "5"


async def test_rows_that_a_crash_left_in_the_index_are_not_doubled(tmp_path: Path, encoder: Encoder) -> None:
    async with memory_in(tmp_path, encoder) as memory:
        await indexed(memory, await remember(memory, *CHAT))
    passages = passages_in(tmp_path, encoder)
    with database_in(tmp_path) as database:
        TurnStore(database).mark_all_unindexed()  # as if killed between the index and the store
    async with memory_in(tmp_path, encoder) as memory:
        await memory.drain()
    assert passages_in(tmp_path, encoder) == passages


async def test_a_lost_index_is_rebuilt_from_the_truth(tmp_path: Path, encoder: Encoder) -> None:
    async with memory_in(tmp_path, encoder) as memory:
        await indexed(memory, await remember(memory, *CHAT))
    passages = passages_in(tmp_path, encoder)
    discard(tmp_path / "index")
    async with memory_in(tmp_path, encoder) as memory:
        await memory.drain()
    assert passages_in(tmp_path, encoder) == passages


async def test_another_model_is_refused_until_the_index_is_rebuilt(tmp_path: Path, encoder: Encoder) -> None:
    async with memory_in(tmp_path, encoder) as memory:
        await indexed(memory, await remember(memory, *CHAT))
    with pytest.raises(IndexMismatch, match="tirtha reindex") as caught:
        PassageIndex(tmp_path / "index", model="other", dimension=encoder.dimension)
    assert caught.value.stored.startswith(encoder.name)
    seen: list[Counts] = []
    with database_in(tmp_path) as database:
        assert await rebuild_index(MemorySettings(), database, seen.append) == len(CHAT)
    assert seen[-1] == Counts(turns=len(CHAT), waiting=0)


async def test_an_index_of_full_precision_goes_on_in_half(tmp_path: Path, encoder: Encoder) -> None:
    async with memory_in(tmp_path, encoder) as memory:
        await indexed(memory, await remember(memory, *CHAT))
    table = await (await lancedb.connect_async(tmp_path / "index")).open_table("passage")
    await table.alter_columns({"path": "vector", "data_type": pa.list_(pa.float32(), encoder.dimension)})
    async with memory_in(tmp_path, encoder) as memory:
        await indexed(memory, await remember(memory, said("The cat is called Tom.", id="6", speaker="Caroline")))
        assert (await found(memory, "What does Mel paint?"))[0] == "4"
        assert (await found(memory, "What is the cat called?"))[0] == "6"


async def test_one_process_at_a_time(tmp_path: Path, encoder: Encoder, memory: Memory) -> None:
    with pytest.raises(HomeInUse) as caught:
        async with memory_in(tmp_path / "home", encoder):
            pass
    assert str(tmp_path / "home") in str(caught.value)
    assert (await memory.counts()).turns == 0


async def test_a_full_database_is_an_error_and_loses_nothing(tmp_path: Path, encoder: Encoder) -> None:
    with database_in(tmp_path) as database:
        store = TurnStore(database)
        store.remember(Remember(scope=SCOPE, session_id="s1", turns=CHAT))
        with database.reading() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(
                f"PRAGMA max_page_count={pages}"
            )  # of this connection, which the pool gives again
        big = Remember(scope=SCOPE, session_id="s1", turns=[said("x" * 50_000, id=f"big{n}") for n in range(5)])
        with pytest.raises(StoreUnavailable) as caught:
            store.remember(big)
        assert caught.value.full
        assert store.counts().turns == len(CHAT)
    async with memory_in(tmp_path, encoder) as memory:
        assert (await found(memory, "Where does the support group meet?"))[0] == "5"


async def test_a_folder_that_is_a_file_is_an_error(tmp_path: Path, encoder: Encoder) -> None:
    (tmp_path / "taken").write_text("not a folder")
    with pytest.raises(StoreUnavailable, match="taken"):
        async with memory_in(tmp_path / "taken", encoder):
            pass


async def test_closing_waits_for_the_batch_under_way(tmp_path: Path, encoder: Encoder) -> None:
    with database_in(tmp_path) as database:
        async with open_memory(MemorySettings(), database, encoder=encoder) as memory:
            await remember(memory, *[said(f"Fact number {n} about otters and lakes.", id=str(n)) for n in range(300)])
        waiting = TurnStore(database).counts().waiting
        passages = passages_in(tmp_path, encoder)
        await asyncio.sleep(1.5)  # longer than such a batch takes
        assert TurnStore(database).counts().waiting == waiting, "nothing is written after the memory is closed"
        assert passages_in(tmp_path, encoder) == passages


@pytest.mark.slow
async def test_a_bulk_far_ahead_of_the_index_waits_for_it(tmp_path: Path, encoder: Encoder) -> None:
    async with memory_in(tmp_path, encoder, MemorySettings(max_tail_turns=50)) as memory:
        for start in range(0, 400, 40):
            turns = [said(f"Fact number {n}.", id=str(n)) for n in range(start, start + 40)]
            await memory.remember_many([Remember(scope=SCOPE, session_id="s1", turns=turns)])
            assert (await memory.counts()).waiting < 50 + 40
        assert (await memory.counts()).turns == 400


async def test_one_request_too_many_is_refused_at_once_and_no_one_else_is(tmp_path: Path, encoder: Encoder) -> None:
    other = Scope(tenant="default", user_id="u2")
    with database_in(tmp_path) as database:
        settings = MemorySettings(max_tail_turns=3)
        async with memory_on_a_full_disk(database, encoder, settings) as (memory, index):
            receipt = await remember(memory, *CHAT)
            with pytest.raises(IndexBehind) as caught:
                await remember(memory, said("One more.", id="6"))
            assert (caught.value.waiting, caught.value.limit) == (5, 3)
            assert caught.value.retry_after_s >= 1
            assert (await memory.counts()).turns == len(CHAT), "nothing was stored"
            await remember(memory, said("Theirs.", id="1"), scope=other)
            index.full = False
            await indexed(memory, receipt)
            assert (await remember(memory, said("One more.", id="6"))).outcomes == ("stored",)


async def test_a_bulk_waits_for_an_index_that_fails_but_not_for_good(tmp_path: Path, encoder: Encoder) -> None:
    bulk = [Remember(scope=SCOPE, session_id="s2", turns=[said("One more.")])]
    with database_in(tmp_path) as database:
        settings = MemorySettings(max_tail_turns=3, index_timeout_s=0.2)
        async with memory_on_a_full_disk(database, encoder, settings) as (memory, _):
            await remember(memory, *CHAT)
            with pytest.raises(IndexBehind):
                await memory.remember_many(bulk)
            assert (await memory.counts()).turns == len(CHAT)
    with database_in(tmp_path) as database:
        settings = MemorySettings(max_tail_turns=3)
        async with memory_on_a_full_disk(database, encoder, settings) as (memory, index):
            memory._indexer.wake()
            await index.refused.wait()
            waiting = asyncio.create_task(memory.remember_many(bulk))
            index.full = False
            assert [receipt.outcomes for receipt in await waiting] == [("stored",)]


@pytest.mark.slow
async def test_a_live_turn_is_indexed_while_an_import_still_waits(tmp_path: Path, encoder: Encoder) -> None:
    live = Scope(tenant="other", user_id="live")
    async with memory_in(tmp_path, encoder) as memory:
        imported = await remember(memory, *[said(f"Fact number {n} about otters.", id=str(n)) for n in range(2_000)])
        receipt = await remember(memory, said("My passport number ends in 4471.", id="p"), scope=live)
        await indexed(memory, receipt)
        waiting = (await memory.counts()).waiting
        assert waiting > len(imported.stored) // 2, "within a batch or two, not behind the import"
        await memory.drain()
        assert (await found(memory, "What does the passport number end in?", live))[0] == "p"


async def test_what_was_known_counts_as_indexed_only_when_it_is(tmp_path: Path, encoder: Encoder) -> None:
    with database_in(tmp_path) as database:
        settings = MemorySettings(index_timeout_s=0.2)
        async with memory_on_a_full_disk(database, encoder, settings) as (memory, index):
            await remember(memory, *CHAT)
            again = await remember(memory, *CHAT)
            assert set(again.outcomes) == {"duplicate"}
            assert not await memory.until_indexed(again)
            index.full = False
            await memory.drain()
            assert await memory.until_indexed(again)


async def test_a_long_tail_is_searched_by_words_and_by_age(tmp_path: Path, encoder: Encoder) -> None:
    turns = [said(f"Small talk number {n} about nothing.", id=str(n)) for n in range(300)]
    turns[7] = said("My passport number ends in 4471.", id="7")
    with database_in(tmp_path) as database:
        async with memory_on_a_full_disk(database, encoder, MemorySettings()) as (memory, _):
            await remember(memory, *turns)
            for _ in ("read for the first time", "kept from the question before"):
                assert (await found(memory, "What does my passport number end in?"))[0] == "7"
            await remember(memory, said("The red key is under the mat.", id="300"))
            assert (await found(memory, "Where is the red key?"))[0] == "300"
            await memory.forget(SCOPE, session_id="s1", turn_id="7")
            assert "7" not in await found(memory, "What does my passport number end in?")


async def test_what_cannot_be_indexed_is_retried_and_found_meanwhile(
    tmp_path: Path, encoder: Encoder, caplog: pytest.LogCaptureFixture
) -> None:
    with database_in(tmp_path) as database:
        async with memory_on_a_full_disk(database, encoder, MemorySettings()) as (memory, index):
            receipt = await remember(memory, *CHAT)
            await index.refused.wait()
            assert (await found(memory, "Where does the support group meet?"))[0] == "5"
            index.full = False
            await indexed(memory, receipt)
    assert "no space left" in caplog.text


async def test_scopes_never_meet_in_the_index(memory: Memory) -> None:
    others = [Scope(tenant="t2", user_id="u1"), Scope(tenant="default", user_id="u1", agent_id="a")]
    await indexed(memory, await remember(memory, *CHAT))
    for other in others:
        own = await remember(memory, said("The support group meets nowhere.", id="own"), scope=other)
        assert await memory.until_indexed(own)
        assert await found(memory, "Where does the support group meet?", other) == ["own"]
    assert "own" not in await found(memory, "Where does the support group meet?")


async def test_the_index_is_optimised_without_losing_rows(memory: Memory) -> None:
    for number in range(3):
        await indexed(memory, await remember(memory, said(f"Fact {number} about otters.", id=str(number))))
    await memory.optimise()
    assert sorted(await found(memory, "What about otters?")) == ["0", "1", "2"]


async def test_echoes_stay_out_of_the_index(tmp_path: Path, encoder: Encoder) -> None:
    pasted = (
        "Known so far:\n8 May 2023\n[1] Caroline: The support group meets on Thursdays in Leeds.\nWhat else is there?"
    )
    async with memory_in(tmp_path, encoder) as memory:
        await indexed(memory, await remember(memory, *CHAT))
        receipt = await remember(memory, said(pasted, id="6", days=3))
        await indexed(memory, receipt)
        assert (await found(memory, "Where does the support group meet?"))[0] == "5"
        assert (await memory.history(SCOPE))[-1].text == pasted, "the turn itself is kept word for word"
    index = PassageIndex(tmp_path / "index", model=encoder.name, dimension=encoder.dimension)
    held = index.scope(receipt.scope_id).of_turns(receipt.stored)
    assert [pasted[one.passage.start : one.passage.end] for one in held] == ["Known so far:", "What else is there?"]


async def test_turns_are_read_one_by_one_and_page_by_page(memory: Memory) -> None:
    await remember(memory, *[said(f"Fact {n}.", id=str(n), days=9 - n) for n in range(5)])
    await remember(memory, said("Another conversation.", id="0"), session="s2")
    turn = await memory.turn(SCOPE, "s1", "3")
    assert turn is not None
    assert turn.text == "Fact 3."
    assert await memory.turn(SCOPE, "s1", "9") is None
    assert await memory.turn(Scope(tenant="other", user_id="u1"), "s1", "3") is None
    read: list[str] = []
    after = None
    while page := await memory.turns(SCOPE, session_id="s1", after=after, limit=2):
        read += [one.id for one in page]
        after = (page[-1].said_at, page[-1].pk)
        await memory.forget(SCOPE, session_id="s1", turn_id=page[-1].id)  # the cursor outlives the turn it points at
    assert read == ["4", "3", "2", "1", "0"], "in the order they were said"
    assert [one.session_id for one in await memory.turns(SCOPE, limit=1)] == ["s2"]


async def test_what_is_forgotten_is_in_no_cache_of_texts(memory: Memory) -> None:
    await indexed(memory, await remember(memory, said("My passport number is zq4471x.", id="1")))
    assert await found(memory, "What is my passport number?") == ["1"]
    kept = analysis.analyse("My passport number is zq4471x.", MAY_8.date())
    await memory.forget(SCOPE, session_id="s1", turn_id="1")
    await memory.wipe()
    assert analysis.analyse("My passport number is zq4471x.", MAY_8.date()) is not kept


def test_hot_queries_use_their_indexes(tmp_path: Path) -> None:
    """A partial index serves only queries that repeat its condition, and nothing else would tell that one does not."""
    seen: list[tuple[str, object]] = []

    def note(*call: Any) -> None:
        seen.append((call[2], call[3]))

    with database_in(tmp_path) as database:
        store = TurnStore(database)
        receipt = store.remember(Remember(scope=SCOPE, session_id="s1", turns=CHAT))
        event.listen(Engine, "before_cursor_execute", note)
        store.number_waiting(receipt.scope_id)
        store.waiting_scopes(after=ScopeId(0), limit=10)
        store.oldest_waiting(receipt.scope_id, 10)
        store.any_waiting(receipt.scope_id, "s1", receipt.turn_ids)
        store.turns_around(receipt.scope_id, [], receipt.stored)
        event.remove(Engine, "before_cursor_execute", note)
        with database.reading() as connection:
            for statement, parameters in [one for one in seen if one[0].startswith("SELECT")]:
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[arg-type]
                steps = [row[3] for row in plan]
                scans = [step for step in steps if step.startswith("SCAN turn") and "turn_waiting" not in step]
                assert not scans, (statement, steps)
