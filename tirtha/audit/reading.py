"""Reading the audit log: what an admin of a tenant may see of it, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tirtha.audit.entries import AuditQuery, Entry
from tirtha.audit.log import AuditLog
from tirtha.caller import Caller

__all__ = ["AuditPage", "ReadAudit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """Entries, the newest first, and the one that the next page begins below; None on the last page."""

    entries: Sequence[Entry]
    end: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAudit:
    """Read the audit log. Raises StoreUnavailable."""

    log: AuditLog

    async def __call__(self, caller: Caller, query: AuditQuery) -> AuditPage:
        """Return a page of the entries of the caller's tenant."""
        caller.require("admin")
        caller.require_whole_tenant()
        found = await self.log.read(caller.tenant, replace(query, limit=query.limit + 1))
        entries = found[: query.limit]
        return AuditPage(entries=entries, end=entries[-1].id if len(found) > query.limit else None)
