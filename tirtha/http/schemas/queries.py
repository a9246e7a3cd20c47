"""What callers may ask for in a query string: pages of the listings, and one turn.

A query string holds text only, so numbers are read from it.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from memory import TurnCursor
from tirtha.http.cursors import LONGEST_CURSOR
from tirtha.http.schemas.fields import ItemId, OwnerId, Prose
from tirtha.operations.listing import (
    FoundSoFar,
    SearchRequest,
    SessionsRequest,
    TurnRequest,
    TurnsRequest,
    UsersRequest,
)

__all__ = ["MemoriesQuery", "SessionsQuery", "TurnLookup", "UsersQuery"]


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Paged(_Query):
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100
    cursor: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_CURSOR)] | None = None


class UsersQuery(_Paged):
    """GET /v1/users."""

    def request(self, after: str | None) -> UsersRequest:
        """Return the request as the operation takes it."""
        return UsersRequest(limit=self.limit, after=after)


class SessionsQuery(_Paged):
    """GET /v1/sessions."""

    user_id: OwnerId
    agent_id: OwnerId | None = None

    def request(self, after: TurnCursor | None) -> SessionsRequest:
        """Return the request as the operation takes it."""
        return SessionsRequest(user_id=self.user_id, agent_id=self.agent_id, limit=self.limit, after=after)


class MemoriesQuery(_Paged):
    """GET /v1/memories: oldest first, or, with `query`, best first."""

    user_id: OwnerId
    agent_id: OwnerId | None = None
    session_id: ItemId | None = None
    query: Prose | None = None

    def request(self, after: TurnCursor | None) -> TurnsRequest:
        """Return the request as the operation takes it that lists."""
        return TurnsRequest(
            user_id=self.user_id,
            agent_id=self.agent_id,
            session_id=self.session_id,
            limit=self.limit,
            after=after,
        )

    def search(self, query: str, after: FoundSoFar | None) -> SearchRequest:
        """Return the request as the operation takes it that searches for `query`."""
        return SearchRequest(
            user_id=self.user_id,
            agent_id=self.agent_id,
            session_id=self.session_id,
            query=query,
            limit=self.limit,
            after=after,
        )


class TurnLookup(_Query):
    """GET /v1/memories/{turn_id}: whose turn, and, where others may have its id, of which session."""

    user_id: OwnerId
    agent_id: OwnerId | None = None
    session_id: ItemId | None = None

    def request(self, turn_id: str) -> TurnRequest:
        """Return the request as the operation takes it."""
        return TurnRequest(user_id=self.user_id, agent_id=self.agent_id, session_id=self.session_id, turn_id=turn_id)
