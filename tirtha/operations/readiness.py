"""Readiness: can turns be stored and found just now, and what is done be noted?"""

from dataclasses import dataclass

from memory import Counts
from memory.api import Memory
from memory.errors import StoreUnavailable
from tirtha.audit.log import AuditLog
from tirtha.errors import NotReady

__all__ = ["CheckReadiness"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReadiness:
    """Try the database, its folder and the index. Raises NotReady, and NotAudited if the audit log cannot be written."""

    memory: Memory
    audit: AuditLog

    async def __call__(self) -> Counts:
        """Return how many turns are held, and how many of them wait for the index."""
        try:
            counts = await self.memory.ping()
        except StoreUnavailable as fault:
            raise NotReady(fault.reason) from fault
        await self.audit.check()
        return counts
