"""Listing: the sessions of a user."""

from dataclasses import dataclass

from memory import SessionSummary
from memory.api import Memory
from tirtha.caller import Caller

__all__ = ["ListSessions", "SessionsRequest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionsRequest:
    """Up to `limit` sessions of a user, from after the session `after`."""

    user_id: str
    agent_id: str | None = None
    limit: int = 100
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSessions:
    """List sessions. Raises StoreUnavailable."""

    memory: Memory

    async def __call__(self, caller: Caller, request: SessionsRequest) -> list[SessionSummary]:
        """Return the sessions, oldest first."""
        caller.require("read")
        scope = caller.scope(request.user_id, request.agent_id)
        return await self.memory.sessions(scope, limit=request.limit, after=request.after)
