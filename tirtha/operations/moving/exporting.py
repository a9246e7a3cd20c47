"""Export: all that is kept of a user, or of a whole tenant, in one order and of one moment.

Everything is read in one transaction over the tables of every package. What arrives meanwhile is in the next export, whole.
By user and agent: turns in the order they were stored, decisions by time, then the stored answers that are still in force.
Decisions that forgetting emptied hold nothing of anybody and are left out, and so is what an index can be rebuilt from.
"""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from heapq import merge
from itertools import groupby
from pathlib import Path

from anyio import CapacityLimiter
from sqlalchemy import Connection

from cascade.storage.archive import archived_answers, archived_decisions, owners_of
from memory import ArchivedTurn, Scope
from memory.storage.archive import archived_turns, extent_of, scopes_of
from memory.storage.database import Database, store_faults
from tirtha.audit.log import AuditLog
from tirtha.caller import Caller
from tirtha.operations.answering import key_of, owner_of
from tirtha.operations.moving.lines import Held

__all__ = ["ExportMemory", "ExportRequest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """Whose: one agent's memory of a user, all of a user, or, without a user, the whole tenant."""

    user_id: str | None = None
    agent_id: str | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for an agent without a user: agents are named within one."""
        if self.agent_id is not None and self.user_id is None:
            raise ValueError("an agent's memory is of a user: name the user, too")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportMemory:
    """Read what is kept. Reading blocks, so it is for a worker thread, of which `threads` has a few; it raises StoreUnavailable."""

    database: Database
    audit: AuditLog
    threads: CapacityLimiter

    @property
    def folder(self) -> Path:
        """The data folder, which has room for an export on its way if anything has."""
        return self.database.home

    def __call__(self, caller: Caller, request: ExportRequest) -> Generator[Held]:
        """Return what will be read as it is asked for, in one transaction: it ends with the last of it, or is closed."""
        caller.require("read")
        if request.user_id is None:
            caller.require("admin")
            caller.require_whole_tenant()
        only = caller.scope(request.user_id, request.agent_id) if request.user_id is not None else None
        return self._noted(caller, request, self._read(caller.tenant, only))

    def _noted(self, caller: Caller, request: ExportRequest, kept: Generator[Held]) -> Generator[Held]:
        """Pass on what is read, and note in the audit log how many turns that was, also where it is cut off."""
        turns = 0
        try:
            with closing(kept):
                for held in kept:
                    turns += isinstance(held.item, ArchivedTurn)
                    yield held
        finally:
            change = self.audit.change(
                caller, what="export", user_id=request.user_id, agent_id=request.agent_id, count=turns
            )
            self.audit.write([change])

    def _read(self, tenant: str, only: Scope | None) -> Generator[Held]:
        with store_faults(), self.database.reading() as connection:
            one_agent = only is not None and only.agent_id is not None
            scopes = [only] if only and one_agent else _scopes(connection, tenant, only.user_id if only else None)
            for scope in scopes:
                yield from _kept(connection, scope)


def _scopes(connection: Connection, tenant: str, user_id: str | None) -> Iterator[Scope]:
    """Yield every scope that holds turns or has decisions, once."""
    asking = owners_of(connection, tenant, user_id=user_id)
    asked = (Scope(tenant=tenant, user_id=one.user_id, agent_id=one.agent_id or None) for one in asking)
    remembered = scopes_of(connection, tenant, user_id=user_id)
    return (scope for scope, _ in groupby(merge(remembered, asked, key=_place)))


def _place(scope: Scope) -> tuple[str, str]:
    return scope.user_id, scope.agent_id or ""


def _kept(connection: Connection, scope: Scope) -> Iterator[Held]:
    owner, held = owner_of(scope), partial(Held, user_id=scope.user_id, agent_id=scope.agent_id)
    for turn in archived_turns(connection, scope):
        yield held(item=turn)
    for decision in archived_decisions(connection, owner):
        yield held(item=decision)
    epoch = extent_of(connection, scope).epoch
    in_force = archived_answers(
        connection, owner, lambda request, hashes: key_of(request, owner=owner, epoch=epoch, hashes=hashes)
    )
    for answer in in_force:
        yield held(item=answer)
