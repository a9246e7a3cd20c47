"""Readiness: can turns be stored and found just now?"""

from dataclasses import dataclass

from memory import Counts
from memory.api import Memory

__all__ = ["CheckReadiness"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReadiness:
    """Try the database and the index. Raises StoreUnavailable."""

    memory: Memory

    async def __call__(self) -> Counts:
        """Return how many turns are held, and how many of them wait for the index."""
        return await self.memory.ping()
