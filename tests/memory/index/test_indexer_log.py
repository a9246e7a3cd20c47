"""What the log says of an index that fails and is tried again: one line, whatever LanceDB tells."""

import logging
import threading
from pathlib import Path

import lancedb
import pytest

from memory import NewTurn, Remember, Scope
from memory.encoding.encoder import Encoder
from memory.index import indexer
from tests.support.memory import memory_in

SCOPE = Scope(tenant="t", user_id="u")


@pytest.mark.slow
async def test_a_conflict_with_another_writer_is_one_line_and_tried_again(
    tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(indexer, "_APPENDS_BEFORE_OPTIMISE", 1)
    home = tmp_path / "home"
    enough = threading.Event()

    def meddle() -> None:
        """Fold the same table's files again and again, as no second process should."""
        table = lancedb.connect(home / "index").open_table("passage")
        while not enough.is_set():
            try:
                table.optimize()
                table.delete("turn = -1")
            except (RuntimeError, OSError):
                continue

    async with memory_in(home, encoder) as memory:
        await memory.remember(Remember(scope=SCOPE, session_id="s", turns=[NewTurn(role="user", text="The first.")]))
        await memory.drain()
        other = threading.Thread(target=meddle)
        other.start()
        try:
            for number in range(400):
                turn = NewTurn(role="user", text=f"This is line {number}.")
                await memory.until_indexed(await memory.remember(Remember(scope=SCOPE, session_id="s", turns=[turn])))
                if any("conflict" in record.getMessage() for record in caplog.records):
                    break
        finally:
            enough.set()
            other.join()
        await memory.drain()
    told = [record for record in caplog.records if record.name.startswith("memory.index")]
    assert any("conflict" in record.getMessage() for record in told)
    for record in told:
        assert record.levelno == logging.WARNING
        assert record.exc_info is None
        assert "\n" not in record.getMessage()
        assert ".rs:" not in record.getMessage()
