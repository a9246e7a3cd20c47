"""Readiness: can turns be stored and found just now, and what is done be noted?"""

from dataclasses import dataclass

from memory import Counts
from memory.api import Memory
from memory.errors import StoreUnavailable
from tirtha.audit.log import AuditLog
from tirtha.caller import OPERATORS_TENANT, Caller
from tirtha.errors import NotReady

__all__ = ["CheckReadiness"]

_SHOW_A_KEY = "show a key with the right to read to be told why"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReadiness:
    """Try the database, its folder and the index. Raises NotReady, and NotAudited if the audit log cannot be written."""

    memory: Memory
    audit: AuditLog

    async def __call__(self, reader: Caller | None) -> Counts | None:
        """Return how many turns are held, and how many of them wait for the index: those of the reader's tenant.

        A reader of the operator's tenant gets those of all. Without a reader nothing is disclosed but that it works, or does not.
        """
        try:
            tenant = reader.tenant if reader and reader.tenant != OPERATORS_TENANT else None
            counts = await self.memory.ping(tenant)
        except StoreUnavailable as fault:
            raise NotReady(fault.reason if reader else _SHOW_A_KEY) from fault
        await self.audit.check()
        return counts if reader else None
