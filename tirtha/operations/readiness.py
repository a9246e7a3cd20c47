"""Readiness: can turns be stored and found just now?"""

from dataclasses import dataclass

from memory import Counts
from memory.api import Memory
from memory.errors import StoreUnavailable
from tirtha.errors import NotReady

__all__ = ["CheckReadiness"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReadiness:
    """Try the database, its folder and the index. Raises NotReady."""

    memory: Memory

    async def __call__(self) -> Counts:
        """Return how many turns are held, and how many of them wait for the index."""
        try:
            return await self.memory.ping()
        except StoreUnavailable as fault:
            raise NotReady(fault.reason) from fault
