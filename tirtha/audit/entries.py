"""What the audit log notes: the kinds of changes, one change, and which of them somebody asks for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

__all__ = ["AuditQuery", "Entry", "What"]

What = Literal[
    "remember",
    "forget.turn",
    "forget.session",
    "forget.user",
    "instructions.off",
    "export",
    "import",
    "key.created",
    "key.revoked",
    "tenant.created",
    "tenant.set",
    "tenant.deleted",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One change: of what, by which key, in which request, and how many things it was (turns, of what is remembered).

    Of somebody who was forgotten later `user_hash` stands in place of `user_id`. Without either it is the tenant's. `id` is the
    log's own.
    """

    id: int
    at: datetime
    tenant: str
    key_id: str | None
    what: What
    user_id: str | None
    user_hash: str | None
    agent_id: str | None
    count: int
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """Up to `limit` entries, the newest first, below the entry `before`: of a user, of a kind, from `since` on, before `until`."""

    user_id: str | None = None
    what: What | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 100
    before: int | None = None
