"""Readiness: can turns be stored and found just now?"""

from dataclasses import dataclass

from memory import Counts
from memory.api import Memory
from memory.errors import StoreUnavailable
from tirtha.caller import OPERATORS_TENANT, Caller
from tirtha.errors import NotReady

__all__ = ["CheckReadiness"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReadiness:
    """Try the database, its folder and the index. Raises NotReady."""

    memory: Memory

    async def __call__(self, reader: Caller | None) -> Counts | None:
        """Return how many turns are held, and how many of them wait for the index: those of the reader's tenant.

        A reader of the operator's tenant is told those of all. Without a reader nothing is told but that it works, or does not.
        """
        try:
            if reader is None:
                await self.memory.ping()
                return None
            return await self.memory.ping(None if reader.tenant == OPERATORS_TENANT else reader.tenant)
        except StoreUnavailable as fault:
            raise NotReady(fault.reason if reader else "show a key with the right to read to be told why") from fault
