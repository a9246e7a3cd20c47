"""What an admin may ask of the audit log, and how an entry is shown."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from tirtha.audit.entries import AuditQuery, Entry, What
from tirtha.http.cursors import LONGEST_CURSOR
from tirtha.http.schemas.fields import Moment, OwnerId

__all__ = ["AuditOut", "AuditParameters", "EntryOut"]


class AuditParameters(BaseModel):
    """GET /v1/audit: entries of a user, of a kind, from `since` on and before `until`."""

    model_config = ConfigDict(extra="forbid")

    user_id: OwnerId | None = None
    what: What | None = None
    since: Moment | None = None
    until: Moment | None = None
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100
    cursor: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_CURSOR)] | None = None

    def request(self, before: int | None) -> AuditQuery:
        """Return the request as the operation takes it."""
        return AuditQuery(
            user_id=self.user_id,
            what=self.what,
            since=self.since,
            until=self.until,
            limit=self.limit,
            before=before,
        )


class EntryOut(BaseModel):
    """One change. Of a user who was forgotten later, `user_hash` stands in place of `user_id`."""

    at: datetime
    tenant: str
    key_id: str | None
    what: What
    user_id: str | None
    user_hash: str | None
    agent_id: str | None
    count: int
    request_id: str | None

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """Report an entry."""
        return cls(
            at=entry.at,
            tenant=entry.tenant,
            key_id=entry.key_id,
            what=entry.what,
            user_id=entry.user_id,
            user_hash=entry.user_hash,
            agent_id=entry.agent_id,
            count=entry.count,
            request_id=entry.request_id,
        )


class AuditOut(BaseModel):
    """200 of GET /v1/audit; `next` is the cursor of the following page, if there is one."""

    entries: list[EntryOut]
    next: str | None
