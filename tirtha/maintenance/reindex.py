"""Reindexing: throw the index away and build it anew from the stored turns."""

from collections.abc import Callable

from memory import Counts
from memory.opening import rebuild_index
from tirtha.settings import Settings
from tirtha.wiring.database import database_of
from tirtha.wiring.service import memory_settings

__all__ = ["reindex_all"]


async def reindex_all(settings: Settings, progress: Callable[[Counts], None]) -> int:
    """Index every stored turn anew; returns their number. `progress` hears of the turns held and waiting.

    What the database holds is taken as all there is: an operator who calls this accepts what it has lost.

    Raises as `open_database` and `open_memory` do.
    """
    with database_of(settings, accept_loss=True) as database:
        return await rebuild_index(memory_settings(settings), database, progress)
