"""The exact cache: an accepted answer to the very same request, as long as nothing it could depend on has changed.

The key is a hash of the whole canonical request, the tenant, the scope and its epoch, and what decisions are made with (policy,
prompts, guards, models). So a change of memory or of settings makes an entry unreachable at once; entries are also dropped when a
turn that they used is forgotten, and when they expire. Identical requests that come in together are answered once.
"""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, TypeVar

import anyio
from pydantic import ValidationError
from sqlalchemy import Connection, delete, func, insert, select

from cascade.decision import Decision, Hashes
from cascade.storage.ledger import Owner, decode_decision
from cascade.storage.schema import CACHED, DECISION
from cascade.storage.transactions import Database, Transactions

__all__ = ["AnswerCache", "SingleFlight", "cache_key"]

_VERSION = 1
_JITTER = 0.1
_SWEEP_EVERY = 64
T = TypeVar("T")


def cache_key(request: Mapping[str, Any], *, owner: Owner, epoch: int, hashes: Hashes) -> str:
    """Return the key of a request: equal only if all of it is. `request` holds JSON values, defaults made explicit."""
    whole = {"v": _VERSION, "request": request, "owner": asdict(owner), "epoch": epoch, "hashes": asdict(hashes)}
    return blake2b(json.dumps(whole, sort_keys=True, ensure_ascii=True).encode(), digest_size=32).hexdigest()


class AnswerCache:
    """Accepted decisions by key. Holds at most `max_bytes` of them, each for `ttl` give or take a tenth."""

    def __init__(self, database: Database, *, ttl: timedelta, max_bytes: int) -> None:
        self._database = Transactions(database)
        self._ttl = ttl
        self._max_bytes = max_bytes
        self._stores = 0
        self._threads = anyio.CapacityLimiter(4)

    async def get(self, key: str, *, tenant: str) -> Decision | None:
        """Return the decision stored under `key`, if it is the tenant's and has not expired."""
        record = await anyio.to_thread.run_sync(self._select, key, tenant, limiter=self._threads)
        try:
            return decode_decision(record) if record else None
        except ValidationError:
            return None  # written by another version: answered anew

    async def put(
        self,
        key: str,
        decision: Decision,
        *,
        tenant: str,
        until: datetime | None = None,
        request: Mapping[str, Any] | None = None,
    ) -> None:
        """Store a decision that the ledger holds already, not beyond `until`. Raises ValueError if it was not accepted.

        `request` is what the key was made of; an archive can hold the answer only with it.
        """
        if not decision.verified:
            raise ValueError("only accepted answers are stored")
        of = json.dumps(request, sort_keys=True) if request else ""
        await anyio.to_thread.run_sync(self._insert, key, of, decision, tenant, until, limiter=self._threads)

    @property
    def longest(self) -> timedelta:
        """How long an answer is kept at most."""
        return self._ttl * (1 + _JITTER)

    @property
    def max_bytes(self) -> int:
        """How large all answers together may be."""
        return self._max_bytes

    async def size(self) -> tuple[int, int]:
        """Return how many answers are stored, expired ones too, and the bytes of their records."""
        return await anyio.to_thread.run_sync(self._size, limiter=self._threads)

    def _size(self) -> tuple[int, int]:
        with self._database.reading() as connection:
            entries, size = connection.execute(select(func.count(), func.sum(CACHED.c.bytes))).one()
        return entries, int(size or 0)

    def _select(self, key: str, tenant: str) -> str | None:
        query = (
            select(DECISION.c.record)
            .join(CACHED, CACHED.c.decision_id == DECISION.c.id)
            .where(
                CACHED.c.key == key,
                CACHED.c.tenant_id == tenant,
                DECISION.c.tenant_id == tenant,
                CACHED.c.expires_at > datetime.now(UTC),
            )
        )
        with self._database.reading() as connection:
            record: str | None = connection.execute(query).scalar()
        return record

    def _insert(self, key: str, request: str, decision: Decision, tenant: str, until: datetime | None) -> None:
        now = datetime.now(UTC)
        expires = now + self._ttl * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - so that not all expire together
        size = select(func.length(DECISION.c.record)).where(DECISION.c.id == decision.id, DECISION.c.record != "")
        with self._database.writing() as connection:
            measured = connection.execute(size).scalar()
            if measured is None or measured > self._max_bytes:
                return  # forgotten meanwhile, or larger than the whole cache
            connection.execute(delete(CACHED).where(CACHED.c.key == key))
            row = {"key": key, "tenant_id": tenant, "decision_id": decision.id, "request": request, "bytes": measured}
            times = {"stored_at": now, "expires_at": min(expires, until) if until else expires}
            connection.execute(insert(CACHED), row | times)
            self._stores += 1
            if self._stores % _SWEEP_EVERY == 1:
                self._sweep(connection, now)

    def _sweep(self, connection: Connection, now: datetime) -> None:
        """Drop what has expired, then the oldest until the rest fits."""
        connection.execute(delete(CACHED).where(CACHED.c.expires_at <= now))
        over = (connection.execute(select(func.sum(CACHED.c.bytes))).scalar() or 0) - self._max_bytes
        oldest = connection.execute(select(CACHED.c.key, CACHED.c.bytes).order_by(CACHED.c.stored_at)).all()
        for key, size in oldest:
            if over <= 0:
                return
            connection.execute(delete(CACHED).where(CACHED.c.key == key))
            over -= size


class SingleFlight:
    """One answer for identical requests that come in together. A caller that gives up leaves the others their answer."""

    def __init__(self) -> None:
        self._flights: dict[str, asyncio.Task[Any]] = {}

    async def run(self, key: str, work: Callable[[], Awaitable[T]]) -> tuple[T, bool]:
        """Return what `work` gives, and whether it was this call that started it. Raises what `work` raises."""
        flight = self._flights.get(key)
        leads = flight is None
        if flight is None:
            flight = asyncio.ensure_future(work())
            self._flights[key] = flight
            flight.add_done_callback(lambda done: self._landed(key, done))
        return await asyncio.shield(flight), leads

    async def close(self) -> None:
        """End what is still under way."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    def _landed(self, key: str, flight: asyncio.Task[Any]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # seen here, in case every caller has given up
