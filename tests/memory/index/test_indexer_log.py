"""What the log says of an index that fails and is tried again: one line, whatever LanceDB says."""

import logging
import threading
from pathlib import Path

import anyio.to_thread
import lancedb
import pytest

from memory import NewTurn, Receipt, Remember, Scope
from memory.api import Memory
from memory.encoding.encoder import Encoder
from memory.index.lance import PassageIndex
from tests.support.memory import database_in, memory_over

SCOPE = Scope(tenant="t", user_id="u")
APPENDS_BEFORE_OPTIMISE = 32


class Contested(PassageIndex):
    """The real index, whose files somebody else folds just before it does for the first time, as no second process should."""

    def __init__(self, folder: Path, *, model: str, dimension: int) -> None:
        super().__init__(folder, model=model, dimension=dimension)
        self.contested, self.again = False, threading.Event()
        self._files = folder

    def optimise(self) -> None:
        if self.contested:
            super().optimise()
            self.again.set()
        else:
            self.contested = True
            lancedb.connect(self._files).open_table("passage").optimize()
            super().optimise()


async def remembered(memory: Memory, text: str) -> Receipt:
    turn = NewTurn(role="user", text=text)
    return await memory.remember(Remember(scope=SCOPE, session_id="s", turns=[turn]))


@pytest.mark.slow
async def test_a_conflict_with_another_writer_is_one_line_and_tried_again(
    tmp_path: Path, encoder: Encoder, caplog: pytest.LogCaptureFixture
) -> None:
    with database_in(tmp_path) as database:
        index = Contested(tmp_path / "index", model=encoder.name, dimension=encoder.dimension)
        async with memory_over(index, database, encoder) as memory:
            for number in range(APPENDS_BEFORE_OPTIMISE):
                await memory.until_indexed(await remembered(memory, f"Number {number}."))
            assert await anyio.to_thread.run_sync(index.again.wait, 60)
            assert await memory.until_indexed(await remembered(memory, "One more."))
    lines = [record for record in caplog.records if record.name.startswith("memory.index")]
    assert any("two at once" in record.getMessage() for record in lines)
    for record in lines:
        assert record.levelno == logging.WARNING
        assert record.exc_info is None
        assert "\n" not in record.getMessage()
        assert ".rs:" not in record.getMessage()
