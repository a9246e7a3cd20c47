"""A memory alone, over a folder: its own tables in SQLite, the real index and encoder."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from memory.api import Memory, MemorySettings
from memory.encoding.encoder import Encoder
from memory.opening import open_memory
from memory.storage.database import Database
from memory.storage.opening import open_database
from tirtha.wiring.database import MIGRATIONS

__all__ = ["database_in", "memory_in"]


@contextmanager
def database_in(home: Path, url: str | None = None) -> Iterator[Database]:
    """Open the database of a folder, with every package's tables."""
    with open_database(home, url, migrations=MIGRATIONS) as database:
        yield database


@asynccontextmanager
async def memory_in(home: Path, encoder: Encoder, settings: MemorySettings | None = None) -> AsyncIterator[Memory]:
    """Open the memory in a folder."""
    with database_in(home) as database:
        async with open_memory(settings or MemorySettings(), database, encoder=encoder) as memory:
            yield memory
