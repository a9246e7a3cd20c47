"""The audit log: written after a change has succeeded, in the thread that made it where there is one.

An entry is a transaction of its own, so that a log which cannot be written undoes nothing and refuses nothing: the change has
happened. Then the entry is lost; its loss is logged and counted, and `check` raises until the log can be written again.

**Who was forgotten** is named no more: a hash of the user's id stands in its place, SHA-256 keyed (HMAC) with a random salt of the
tenant. A reader of the log alone, or of a copy of some of it, learns no id. A reader of the whole database has the salt too, and
can still find out whether an id they think of is in it. That is meant: an admin can prove that somebody was forgotten.
"""

import hmac
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import anyio
import anyio.to_thread
from sqlalchemy import Connection, Row, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from memory.errors import StoreUnavailable
from memory.storage.database import Database, store_faults
from tirtha.audit.entries import AuditQuery, Entry, What
from tirtha.audit.schema import AUDIT_ENTRY, AUDIT_SALT
from tirtha.caller import Caller
from tirtha.errors import NotAudited
from tirtha.observation.request import request_id

__all__ = ["AuditLog", "Change"]

log = logging.getLogger(__name__)

_SALT_BYTES = 32
_THREADS = 2

Change = Mapping[str, Any]  # a row that is not written yet
_ENTRY = AUDIT_ENTRY.c


class AuditLog:
    """The audit log of a database that is handed in. `on_failure` hears how many entries were lost."""

    def __init__(self, database: Database, *, on_failure: Callable[[int], None]) -> None:
        self._database = database
        self._on_failure = on_failure
        self._threads = anyio.CapacityLimiter(_THREADS)
        self._fault: str | None = None

    # writing

    async def record(
        self,
        caller: Caller,
        *,
        what: What,
        user_id: str | None = None,
        agent_id: str | None = None,
        count: int = 1,
    ) -> None:
        """Note a change that was made. Raises nothing if that fails: see the module.

        Args:
            caller: who made it; it is noted under the caller's tenant and key.
            what: the kind of change.
            user_id: of whose memory, if of one user's.
            agent_id: of which agent's, if of one agent's.
            count: how many things it changed, such as turns.
        """
        change = self.change(caller, what=what, user_id=user_id, agent_id=agent_id, count=count)
        await self.record_all([change])

    async def record_all(self, changes: Sequence[Change]) -> None:
        """Note changes that were made, all or none. Raises as little as `record`."""
        if changes:
            await anyio.to_thread.run_sync(self.write, changes, limiter=self._threads)

    def change(
        self, caller: Caller, *, what: What, user_id: str | None = None, agent_id: str | None = None, count: int = 1
    ) -> Change:
        """Return a change that `write` notes; the arguments are those of `record`."""
        return {
            "at": datetime.now(UTC),
            "tenant_id": caller.tenant,
            "key_id": caller.key_id,
            "what": what,
            "user_id": user_id,
            "agent_id": agent_id,
            "count": count,
            "request_id": request_id(),
        }

    def write(self, changes: Sequence[Change]) -> None:
        """Note changes, all or none; blocks. For code that is in a thread already; raises as little as `record`."""
        if not changes:
            return
        try:
            with store_faults(), self._database.writing() as connection:
                connection.execute(insert(AUDIT_ENTRY), list(changes))
        except (StoreUnavailable, SQLAlchemyError) as fault:
            self._lose(changes, _reason(fault))
        else:
            self._fault = None

    def _lose(self, changes: Sequence[Change], reason: str) -> None:
        self._fault = reason
        self._on_failure(len(changes))
        kinds = ", ".join(f"{one['what']} of {one['count']}" for one in changes)
        log.error("the audit log lacks what was done (%s): %s", kinds, reason)

    async def check(self) -> None:
        """Raise NotAudited if the last entry could not be written, and none could be now."""
        if self._fault is not None:
            await anyio.to_thread.run_sync(self._try_to_write, limiter=self._threads)

    def _try_to_write(self) -> None:
        try:
            with store_faults(), self._database.writing() as connection, connection.begin_nested() as attempt:
                row = {"at": datetime.now(UTC), "tenant_id": "", "what": "probe", "count": 0}
                connection.execute(insert(AUDIT_ENTRY), row)
                attempt.rollback()
        except (StoreUnavailable, SQLAlchemyError) as fault:
            raise NotAudited(_reason(fault)) from fault
        self._fault = None

    async def forget_user(self, tenant: str, user_id: str) -> None:
        """Put a hash in place of a user's id in every entry of the tenant. Raises StoreUnavailable.

        The database notes that its files hold copies of the id, which its next wipe removes.
        """
        await anyio.to_thread.run_sync(self._forget_user, tenant, user_id, limiter=self._threads)

    def _forget_user(self, tenant: str, user_id: str) -> None:
        named = (_ENTRY.tenant_id == tenant, _ENTRY.user_id == user_id)
        with store_faults(), self._database.forgetting() as connection:
            if connection.execute(select(_ENTRY.id).where(*named).limit(1)).first():
                hashed = _hashed(user_id, _own_salt(connection, tenant))
                connection.execute(update(AUDIT_ENTRY).where(*named).values(user_id=None, user_hash=hashed))

    # leaving

    async def expire(self, tenant: str, before: datetime, limit: int) -> int:
        """Remove up to `limit` entries of a tenant that are older than a moment; returns how many. Raises StoreUnavailable."""
        return await anyio.to_thread.run_sync(self._expire, tenant, before, limit, limiter=self._threads)

    async def forget_tenant(self, tenant: str) -> None:
        """Remove all entries of a tenant that is deleted, and its salt. Raises StoreUnavailable."""
        await anyio.to_thread.run_sync(self._forget_tenant, tenant, limiter=self._threads)

    def _expire(self, tenant: str, before: datetime, limit: int) -> int:
        old = select(_ENTRY.id).where(_ENTRY.tenant_id == tenant, _ENTRY.at < before).order_by(_ENTRY.id).limit(limit)
        with store_faults(), self._database.forgetting() as connection:
            ids = connection.execute(old).scalars().all()
            if ids:
                connection.execute(delete(AUDIT_ENTRY).where(_ENTRY.id.in_(ids)))
        return len(ids)

    def _forget_tenant(self, tenant: str) -> None:
        with store_faults(), self._database.forgetting() as connection:
            connection.execute(delete(AUDIT_ENTRY).where(_ENTRY.tenant_id == tenant))
            connection.execute(delete(AUDIT_SALT).where(AUDIT_SALT.c.tenant_id == tenant))

    # reading

    async def read(self, tenant: str, query: AuditQuery) -> list[Entry]:
        """Read entries of a tenant, the newest first. Raises StoreUnavailable."""
        return await anyio.to_thread.run_sync(self._read, tenant, query, limiter=self._threads)

    def _read(self, tenant: str, query: AuditQuery) -> list[Entry]:
        wanted = [_ENTRY.tenant_id == tenant]
        with store_faults(), self._database.reading() as connection:
            if query.user_id is not None:
                salt = _salt(connection, tenant)
                forgotten = [_ENTRY.user_hash == _hashed(query.user_id, salt)] if salt else []
                wanted.append(or_(_ENTRY.user_id == query.user_id, *forgotten))
            if query.what is not None:
                wanted.append(_ENTRY.what == query.what)
            if query.since is not None:
                wanted.append(_ENTRY.at >= query.since)
            if query.until is not None:
                wanted.append(_ENTRY.at < query.until)
            if query.before is not None:
                wanted.append(_ENTRY.id < query.before)
            newest = select(AUDIT_ENTRY).where(*wanted).order_by(_ENTRY.id.desc()).limit(query.limit)
            return [_entry(row) for row in connection.execute(newest)]


def _entry(row: Row[Any]) -> Entry:
    fields = dict(row._mapping)
    return Entry(tenant=fields.pop("tenant_id"), **fields)


def _reason(fault: Exception) -> str:
    return fault.reason if isinstance(fault, StoreUnavailable) else type(fault).__name__


def _hashed(user_id: str, salt: bytes) -> str:
    return hmac.digest(salt, user_id.encode(), "sha256").hex()


def _salt(connection: Connection, tenant: str) -> bytes | None:
    salt: bytes | None = connection.execute(select(AUDIT_SALT.c.salt).where(AUDIT_SALT.c.tenant_id == tenant)).scalar()
    return salt


def _own_salt(connection: Connection, tenant: str) -> bytes:
    """Return the salt of a tenant, which is made when its first user is forgotten."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = {"tenant_id": tenant, "salt": secrets.token_bytes(_SALT_BYTES)}
    connection.execute(dialect.insert(AUDIT_SALT).values(row).on_conflict_do_nothing())
    salt = _salt(connection, tenant)
    if salt is None:
        raise LookupError("the salt was written a moment ago")
    return salt
