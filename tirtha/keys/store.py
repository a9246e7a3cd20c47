"""The table of keys: what is kept of each. Rows are never removed: once there was a key, every request needs one.

Knows no secret and no pepper, only the digests that are handed in.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, func, insert, or_, select, update

from memory.storage.database import Database, store_faults
from tirtha.caller import Right
from tirtha.keys.key import RIGHTS, Key
from tirtha.keys.schema import API_KEY

__all__ = ["Kept", "KeyPlace", "KeyStore"]

KeyPlace = tuple[datetime, str]  # when a key was made, and its id: what listings are sorted by
_KEY = API_KEY.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A key's record with the digest of its secret."""

    key: Key
    digest: str = field(repr=False)


class KeyStore:
    """The keys in a database that is handed in. Every method blocks, and raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def any(self) -> bool:
        """Return whether a key was ever made, a revoked one too."""
        with store_faults(), self._database.reading() as connection:
            return connection.execute(select(_KEY.id).limit(1)).first() is not None

    def find(self, key_id: str) -> Kept | None:
        """Return what is kept of a key."""
        with store_faults(), self._database.reading() as connection:
            row = connection.execute(select(API_KEY).where(_KEY.id == key_id)).first()
        return Kept(key=_key(row), digest=row.digest) if row else None

    def insert(self, kept: Kept) -> None:
        """Keep a new key; durable on return."""
        with store_faults(), self._database.writing() as connection:
            connection.execute(insert(API_KEY), _row(kept))

    def page(self, tenant: str | None, *, after: KeyPlace | None, limit: int) -> list[Key]:
        """List up to `limit` keys of a tenant, or of all, in the order they were made, from after a place."""
        query = select(API_KEY).order_by(_KEY.created_at, _KEY.id).limit(limit)
        if tenant is not None:
            query = query.where(_KEY.tenant_id == tenant)
        if after is not None:
            made_at, last = after
            query = query.where(or_(_KEY.created_at > made_at, and_(_KEY.created_at == made_at, _KEY.id > last)))
        with store_faults(), self._database.reading() as connection:
            return [_key(row) for row in connection.execute(query)]

    def revoke(self, key_id: str, tenant: str | None, *, at: datetime) -> Key | None:
        """Revoke a key of a tenant, or of any; one that is revoked stays as it is. None if there is no such key."""
        named = and_(_KEY.id == key_id, _KEY.tenant_id == tenant) if tenant is not None else _KEY.id == key_id
        with store_faults(), self._database.writing() as connection:
            connection.execute(update(API_KEY).where(named, _KEY.revoked_at.is_(None)).values(revoked_at=at))
            row = connection.execute(select(API_KEY).where(named)).first()
        return _key(row) if row else None

    def forget_tenant(self, tenant: str, *, at: datetime) -> None:
        """Revoke every key of a tenant, and forget what they were called and whom they were for.

        The rows stay: without any, no caller would need a key.
        """
        own = _KEY.tenant_id == tenant
        with store_faults(), self._database.forgetting() as connection:
            connection.execute(update(API_KEY).where(own, _KEY.revoked_at.is_(None)).values(revoked_at=at))
            connection.execute(update(API_KEY).where(own).values(name="forgotten", user_id=None, time_zone=None))

    def note_use(self, key_id: str, *, at: datetime) -> None:
        """Note that a key was shown."""
        with store_faults(), self._database.writing() as connection:
            connection.execute(update(API_KEY).where(_KEY.id == key_id).values(last_used_at=at))

    def count_live(self, *, now: datetime, pepper: str | None) -> tuple[int, int]:
        """Count the keys that are neither expired nor revoked: those under the pepper of this fingerprint, and the others."""
        alive = and_(_KEY.revoked_at.is_(None), or_(_KEY.expires_at.is_(None), _KEY.expires_at > now))
        count = select(func.count()).select_from(API_KEY).where(alive)
        with store_faults(), self._database.reading() as connection:
            ours = connection.execute(count.where(_KEY.pepper == (pepper or ""))).scalar_one()
            return ours, connection.execute(count).scalar_one() - ours


def _row(kept: Kept) -> dict[str, Any]:
    key = kept.key
    return {
        "id": key.id,
        "tenant_id": key.tenant,
        "name": key.name,
        "rights": ",".join(right for right in RIGHTS if right in key.rights),
        "user_id": key.user_id,
        "trusted_proxy": key.trusted_proxy,
        "time_zone": key.time_zone,
        "digest": kept.digest,
        "pepper": key.pepper,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
    }


def _key(row: Row[Any]) -> Key:
    return Key(
        id=row.id,
        tenant=row.tenant_id,
        name=row.name,
        rights=_rights(row.rights),
        user_id=row.user_id,
        trusted_proxy=row.trusted_proxy,
        time_zone=row.time_zone,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
        pepper=row.pepper,
    )


def _rights(kept: str) -> frozenset[Right]:
    """Return the rights in a row; what this version does not know grants nothing."""
    names = kept.split(",")
    return frozenset(right for right in RIGHTS if right in names)
