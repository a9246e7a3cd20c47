"""The database against itself and the index against the database, on real files: what is noticed, and what is then done."""

import contextlib
import logging
import shutil
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import anyio
import lancedb
import numpy as np
import pytest
from sqlalchemy import select, text

from memory.api import Memory, MemorySettings
from memory.encoding.encoder import Encoder
from memory.errors import DatabaseBehind, IndexDamaged, IndexOutdated, LogLost, StoreDamaged, StoreUnavailable
from memory.index import rows
from memory.index.faults import damaged_rows, index_fault
from memory.index.lance import PassageIndex
from memory.opening import examine_database, examine_memory, rebuild_index
from memory.storage.opening import open_database
from memory.storage.schema import TenantRow
from memory.storage.store import TurnStore
from tests.support.memory import database_in, memory_in
from tests.support.remembering import CHAT, found, indexed, remember
from tests.support.turns import MAY_8, SCOPE, said
from tirtha.maintenance.doctor import examine
from tirtha.settings import Settings
from tirtha.wiring.database import MIGRATIONS

QUESTION = "Where does the support group meet?"
OLDER_HOME = Path(__file__).parents[1] / "data" / "home_066a48d.tar.xz"


async def filled(home: Path, encoder: Encoder) -> None:
    async with memory_in(home, encoder) as memory:
        await indexed(memory, await remember(memory, *CHAT))


def spoil(home: Path, pattern: str) -> None:
    """Overwrite all of the files of a kind."""
    files = list((home / "index").rglob(pattern))
    assert files
    for file in files:
        file.write_bytes(b"\xa5" * file.stat().st_size)


async def until_rebuilt(memory: Memory) -> None:
    with anyio.fail_after(60):
        while True:
            with contextlib.suppress(IndexDamaged):
                if not (await memory.ping()).waiting:
                    return
            await anyio.sleep(0.05)


@pytest.mark.parametrize("loss", ["deleted", "emptied"])
async def test_a_lost_database_beside_an_index_is_refused_until_that_is_accepted(
    tmp_path: Path, encoder: Encoder, loss: str
) -> None:
    await filled(tmp_path, encoder)
    file = tmp_path / "memory.sqlite3"
    file.unlink() if loss == "deleted" else file.write_bytes(b"")
    for _ in range(2):  # it stays so
        with pytest.raises(DatabaseBehind, match="tirtha reindex") as caught:
            async with memory_in(tmp_path, encoder):
                pass
        assert caught.value.turns == len(CHAT)
    with database_in(tmp_path) as database:
        assert await rebuild_index(MemorySettings(), database, lambda counts: None) == 0
    async with memory_in(tmp_path, encoder) as memory:
        await indexed(memory, await remember(memory, said("The kettle is green.", id="k")))
        assert await found(memory, QUESTION) == ["k"], "no vector of the lost turns is served under the key of another"


async def test_an_older_database_beside_a_newer_index_is_refused(tmp_path: Path, encoder: Encoder) -> None:
    await filled(tmp_path, encoder)
    backup = shutil.copy(tmp_path / "memory.sqlite3", tmp_path / "backup")
    async with memory_in(tmp_path, encoder) as memory:
        await indexed(memory, await remember(memory, said("The kettle is green.", id="k"), session="s2"))
    shutil.copy(backup, tmp_path / "memory.sqlite3")
    with pytest.raises(DatabaseBehind):
        async with memory_in(tmp_path, encoder):
            pass


async def test_another_database_beside_the_index_means_a_new_index(tmp_path: Path, encoder: Encoder) -> None:
    await filled(tmp_path / "one", encoder)
    async with memory_in(tmp_path / "two", encoder) as memory:
        texts = [said(f"Parrot number {number} is blue.", id=f"p{number}") for number in range(9)]
        await indexed(memory, await remember(memory, *texts))
    shutil.copy(tmp_path / "two" / "memory.sqlite3", tmp_path / "one" / "memory.sqlite3")
    async with memory_in(tmp_path / "one", encoder) as memory:
        await until_rebuilt(memory)
        assert "p7" in await found(memory, "What colour is parrot number 7?")


async def test_an_older_index_is_filled_up_and_forgets_what_was_forgotten(tmp_path: Path, encoder: Encoder) -> None:
    await filled(tmp_path, encoder)
    shutil.copytree(tmp_path / "index", tmp_path / "older")
    async with memory_in(tmp_path, encoder) as memory:
        await indexed(memory, await remember(memory, said("The kettle is green.", id="k"), session="s2"))
        await memory.forget(SCOPE, session_id="s1", turn_id="5")
    shutil.rmtree(tmp_path / "index")
    (tmp_path / "older").rename(tmp_path / "index")
    async with memory_in(tmp_path, encoder) as memory:
        await until_rebuilt(memory)
        assert "k" in await found(memory, "What colour is the kettle?")
    held = PassageIndex(tmp_path / "index", model=encoder.name, dimension=encoder.dimension).keys().column("turn")
    assert 6 in held.to_pylist()
    assert 5 not in held.to_pylist()


async def test_echoes_without_rows_are_no_loss(
    tmp_path: Path, encoder: Encoder, caplog: pytest.LogCaptureFixture
) -> None:
    async with memory_in(tmp_path, encoder) as memory:
        quote = said("The support group meets on Thursdays in Leeds.", id="e", role="assistant")
        await indexed(memory, await remember(memory, *CHAT, quote))
    async with memory_in(tmp_path, encoder) as memory:
        assert (await memory.counts()).waiting == 0
    assert "lost" not in caplog.text


async def test_an_index_of_which_another_version_made_the_terms_is_filled_anew_once(
    tmp_path: Path, encoder: Encoder, caplog: pytest.LogCaptureFixture
) -> None:
    with tarfile.open(OLDER_HOME) as packed:
        packed.extractall(tmp_path, filter="data")
    with database_in(tmp_path) as database, pytest.raises(IndexOutdated, match="next start"):
        await examine_memory(MemorySettings(), database)
    for _ in range(2):
        async with memory_in(tmp_path, encoder) as memory:
            assert "Leeds" in (await memory.recall(SCOPE, QUESTION, MAY_8)).evidence[0].quote
            await until_rebuilt(memory)
            assert "Leeds" in (await memory.recall(SCOPE, QUESTION, MAY_8)).evidence[0].quote
    assert caplog.text.count("of another version of Tirtha: it is filled anew") == 1
    assert "damaged" not in caplog.text
    with database_in(tmp_path) as database:
        assert await examine_memory(MemorySettings(), database) == 3


async def test_an_index_whose_passages_another_version_made_is_filled_anew_once(
    tmp_path: Path, encoder: Encoder, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setitem(rows.VERSIONS, "tirtha.passages", "0")
        await filled(tmp_path, encoder)
    with database_in(tmp_path) as database, pytest.raises(IndexOutdated, match="next start"):
        await examine_memory(MemorySettings(), database)
    for _ in range(2):
        async with memory_in(tmp_path, encoder) as memory:
            await until_rebuilt(memory)
            assert "Leeds" in (await memory.recall(SCOPE, QUESTION, MAY_8)).evidence[0].quote
    assert caplog.text.count("of another version of Tirtha: it is filled anew") == 1


async def test_a_lost_database_beside_an_index_of_another_version_is_refused(tmp_path: Path, encoder: Encoder) -> None:
    with tarfile.open(OLDER_HOME) as packed:
        packed.extractall(tmp_path, filter="data")
    (tmp_path / "memory.sqlite3").unlink()
    with pytest.raises(DatabaseBehind):
        async with memory_in(tmp_path, encoder):
            pass


async def test_no_index_of_words_is_built(tmp_path: Path, encoder: Encoder) -> None:
    await filled(tmp_path, encoder)
    table = lancedb.connect(tmp_path / "index").open_table("passage")
    assert {column for one in table.list_indices() for column in one.columns} == {"scope", "turn", "fingerprint"}


async def test_an_index_that_is_a_file_is_made_anew(tmp_path: Path, encoder: Encoder) -> None:
    await filled(tmp_path, encoder)
    shutil.rmtree(tmp_path / "index")
    (tmp_path / "index").write_text("no index")
    async with memory_in(tmp_path, encoder) as memory:
        await until_rebuilt(memory)
        assert "5" in await found(memory, QUESTION)


async def test_vectors_that_were_zeroed_are_noticed_when_they_come_into_memory(
    tmp_path: Path, encoder: Encoder, caplog: pytest.LogCaptureFixture
) -> None:
    await filled(tmp_path, encoder)
    (data,) = (tmp_path / "index").rglob("data/*.lance")
    whole = bytearray(data.read_bytes())
    vectors = encoder.dimension * 2 * 5  # of the five passages: the first long column of the file
    start = len(whole) // 2 - vectors // 2
    whole[start : start + vectors] = bytes(vectors)
    data.write_bytes(bytes(whole))
    with database_in(tmp_path) as database, pytest.raises(IndexDamaged, match="vectors"):
        await examine_memory(MemorySettings(), database)
    async with memory_in(tmp_path, encoder) as memory:
        assert "5" in await found(memory, QUESTION), "answered from the turns"
        await until_rebuilt(memory)
        assert (await memory.ping()).waiting == 0
        assert "5" in await found(memory, QUESTION)
    assert caplog.text.count("is rebuilt from the stored turns") == 1


async def test_an_index_that_is_damaged_while_it_is_open_is_rebuilt_once_more_and_then_left(
    tmp_path: Path, encoder: Encoder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with memory_in(tmp_path, encoder) as memory:
        await indexed(memory, await remember(memory, *CHAT))
        for time in range(3):
            memory._index.mark_damaged("it was dropped")
            assert "5" in await found(memory, QUESTION)
            if time < 2:
                await until_rebuilt(memory)
        with pytest.raises(IndexDamaged, match="tirtha reindex"):
            await memory.ping()
        await remember(memory, said("The kettle is green.", id="k"))
        assert "k" in await found(memory, "What colour is the kettle?")
        await memory.forget(SCOPE, session_id="s1", turn_id="5")
        assert "5" not in await found(memory, QUESTION)
    assert caplog.text.count("is rebuilt from the stored turns") == 2
    assert caplog.text.count("damaged again") == 1
    async with memory_in(tmp_path, encoder) as memory:
        assert "5" not in await found(memory, QUESTION)


async def test_a_damage_that_a_search_finds_is_answered_from_the_turns(tmp_path: Path, encoder: Encoder) -> None:
    await filled(tmp_path, encoder)
    async with memory_in(tmp_path, encoder, MemorySettings(hot_vectors_mb=0)) as memory:
        for file in (tmp_path / "index").rglob("data/*.lance"):
            file.unlink()
        assert "5" in await found(memory, QUESTION)
        await until_rebuilt(memory)
        assert "5" in await found(memory, QUESTION)
        assert list((tmp_path / "index").rglob("data/*.lance"))


@pytest.mark.parametrize(
    "message", ["No space left on device", "Permission denied (os error 13)", "Retryable commit conflict"]
)
def test_what_is_no_damage_is_not_taken_for_one(message: str) -> None:
    fault = index_fault(RuntimeError(f"lance error: {message}, /home/me/.tirtha/index/passage.lance/x, src/io.rs:3"))
    assert type(fault) is StoreUnavailable
    assert "passage.lance" not in str(fault)
    assert ".rs" not in str(fault)


def test_rows_that_cannot_be_right() -> None:
    unit = np.eye(4, 8, dtype=np.float16)
    one, two = np.array([0, 5, 9, 20]), np.array([4, 8, 19, 40])
    assert damaged_rows(one, two, (unit, unit)) is None
    assert damaged_rows(two, one, (unit, unit))
    for value in (0, 7, np.nan, np.inf):
        spoilt = unit.copy()
        spoilt[2, 2] = value
        assert damaged_rows(one, two, (unit, spoilt))


async def test_a_database_that_turns_out_damaged_is_neither_read_nor_written(tmp_path: Path) -> None:
    with database_in(tmp_path) as database, database.writing() as connection:
        connection.execute(
            text("CREATE TABLE other (a TEXT)")
        )  # more than SQLite has in its memory when it is asked for it
        connection.execute(text("INSERT INTO other VALUES (hex(zeroblob(2000000)))"))
    file = tmp_path / "memory.sqlite3"
    with database_in(tmp_path) as database:
        with file.open("r+b") as opened:
            opened.seek(file.stat().st_size // 2)
            opened.write(b"\xa5" * 4096 * 8)
        store = TurnStore(database)
        store.ping()
        with pytest.raises(StoreDamaged, match="backup"):
            examine_database(database)
        for use in (store.counts, store.ping):
            with pytest.raises(StoreDamaged, match="nothing is read or written"):
                use()


@pytest.mark.parametrize("name", ["memory.sqlite3", "memory.sqlite3-wal"])
def test_files_that_vanish_under_a_running_database_end_the_writing(tmp_path: Path, name: str) -> None:
    with database_in(tmp_path) as database:
        store = TurnStore(database)
        store.ping()
        (tmp_path / name).unlink()
        with pytest.raises(StoreDamaged, match=f"{name} was removed"):
            store.ping()
        with pytest.raises(StoreDamaged):
            store.counts()


def test_a_row_that_the_schema_forbids_is_damage_and_a_wrong_argument_is_not(tmp_path: Path) -> None:
    with database_in(tmp_path) as database:
        with pytest.raises(ValueError, match="ours"), database.reading():
            raise ValueError("ours")
        with database.writing() as connection:
            connection.execute(text("INSERT INTO tenant (id, created_at) VALUES ('t', 'no date')"))
        with pytest.raises(StoreDamaged), database.reading() as connection:
            connection.execute(select(TenantRow)).all()


def test_bytes_that_are_no_text_are_damage(tmp_path: Path) -> None:
    with database_in(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / "memory.sqlite3")) as driver, driver:
        driver.execute("INSERT INTO tenant (id, created_at) VALUES (CAST(x'a5a5' AS TEXT), '2026-01-01 00:00:00')")
    with database_in(tmp_path) as database:
        with pytest.raises(StoreDamaged) as caught, database.reading() as connection:
            connection.execute(text("SELECT id FROM tenant")).all()
        assert "UTF-8" in str(caught.value)


def test_a_lost_log_is_reported_and_accepted_only_on_demand(tmp_path: Path) -> None:
    (tmp_path / "memory.sqlite3-shm").write_bytes(b"")
    with closing(sqlite3.connect(tmp_path / "memory.sqlite3")) as connection:
        connection.execute("CREATE TABLE other (a TEXT)")
    (tmp_path / "memory.sqlite3-shm").write_bytes(b"")
    with pytest.raises(LogLost, match="tirtha reindex"), database_in(tmp_path):
        pass
    with open_database(tmp_path, None, migrations=MIGRATIONS, accept_loss=True):
        pass
    with database_in(tmp_path):
        pass


async def test_the_doctor_names_a_damage_and_repairs_nothing(tmp_path: Path, encoder: Encoder) -> None:
    await filled(tmp_path, encoder)
    spoil(tmp_path, "page_data.lance")
    for _ in range(2):
        [finding] = [one for one in await examine(Settings(home=tmp_path)) if one.check == "memory"]
        assert not finding.works
        assert "tirtha reindex" in finding.seen
        assert ".lance" not in finding.seen
