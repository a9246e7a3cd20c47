"""What the log says of an index that fails and is tried again: one line, whatever LanceDB tells."""

import logging
import threading
from pathlib import Path

import anyio.to_thread
import lancedb
import pytest

from memory import NewTurn, Remember, Scope
from memory.encoding.encoder import Encoder
from memory.index import indexer
from memory.index.lance import PassageIndex
from tests.support.memory import memory_in

SCOPE = Scope(tenant="t", user_id="u")


async def test_a_conflict_with_another_writer_is_one_line_and_tried_again(
    tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(indexer, "_APPENDS_BEFORE_OPTIMISE", 2)
    home, optimise = tmp_path / "home", PassageIndex.optimise
    first, again = threading.Event(), threading.Event()

    def after_another_writer(index: PassageIndex) -> None:
        """Optimise after the table's files were folded behind our back, as no second process should."""
        if not first.is_set():
            first.set()
            lancedb.connect(home / "index").open_table("passage").optimize()
            optimise(index)
        else:
            optimise(index)
            again.set()

    monkeypatch.setattr(PassageIndex, "optimise", after_another_writer)
    async with memory_in(home, encoder) as memory:
        for text in ("The first.", "The second."):
            turn = NewTurn(role="user", text=text)
            await memory.until_indexed(await memory.remember(Remember(scope=SCOPE, session_id="s", turns=[turn])))
        assert await anyio.to_thread.run_sync(again.wait, 60)
        turn = NewTurn(role="user", text="The third.")
        assert await memory.until_indexed(await memory.remember(Remember(scope=SCOPE, session_id="s", turns=[turn])))
    told = [record for record in caplog.records if record.name.startswith("memory.index")]
    assert any("two at once" in record.getMessage() for record in told)
    for record in told:
        assert record.levelno == logging.WARNING
        assert record.exc_info is None
        assert "\n" not in record.getMessage()
        assert ".rs:" not in record.getMessage()
