"""Keys are made, listed and revoked: by an administrator of their tenant, or of the operator's own tenant, `default`."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import anyio
import anyio.to_thread

from tirtha.audit.log import AuditLog
from tirtha.caller import OPERATORS_TENANT, Caller, Right
from tirtha.errors import OtherTenant, UnknownKey
from tirtha.keys.authentication import Authentication
from tirtha.keys.key import Key, KeyState, new_text
from tirtha.keys.pepper import PepperFile
from tirtha.keys.store import Kept, KeyPlace, KeyStore

__all__ = ["KeyPage", "KeyRequest", "Keys", "KeysRequest", "ListedKey", "MadeKey", "MakeTenant"]

log = logging.getLogger(__name__)

MakeTenant = Callable[[str], Awaitable[None]]  # makes sure that there is a tenant of this name


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRequest:
    """A key to make, for the caller's own tenant if none is named."""

    name: str
    tenant: str | None = None
    rights: frozenset[Right]
    user_id: str | None = None
    expires_at: datetime | None = None
    trusted_proxy: bool = False
    time_zone: str | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for a key that could do nothing, or of which one half contradicts the other."""
        if not self.rights:
            raise ValueError("a key needs a right")
        if self.user_id is not None and "admin" in self.rights:
            raise ValueError("a key that is bound to a user cannot administer the tenant")
        if self.user_id is not None and self.trusted_proxy:
            raise ValueError("a key that is bound to a user speaks for no other")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysRequest:
    """Up to `limit` keys in the order they were made, from after the place `after`; of one tenant, if one is named."""

    tenant: str | None = None
    limit: int = 100
    after: KeyPlace | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedKey:
    """A key, and whether it is good now."""

    key: Key
    state: KeyState


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeKey(ListedKey):
    """A new key with its text, which cannot be shown again."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPage:
    """A page of keys, and the place that the next one begins after; None on the last page."""

    keys: Sequence[ListedKey]
    end: KeyPlace | None


class Keys:
    """Make, list and revoke keys. Every method raises Forbidden, TenantWide, OtherTenant, PepperUnusable and StoreUnavailable."""

    def __init__(
        self,
        store: KeyStore,
        pepper: PepperFile,
        authentication: Authentication,
        *,
        make_tenant: MakeTenant,
        audit: AuditLog,
    ) -> None:
        self._store = store
        self._pepper = pepper
        self._authentication = authentication
        self._make_tenant = make_tenant
        self._audit = audit
        self._threads = anyio.CapacityLimiter(1)

    async def create(self, caller: Caller, request: KeyRequest) -> MadeKey:
        """Make a key, and its tenant if there is none of that name. The first one makes the pepper, too."""
        _require_admin(caller)
        tenant = request.tenant or caller.tenant
        if caller.tenant not in {tenant, OPERATORS_TENANT}:
            raise OtherTenant
        await self._make_tenant(tenant)
        made = await anyio.to_thread.run_sync(self._insert, request, tenant, limiter=self._threads)
        self._authentication.forget_known(key_needed=True)
        await self._audit.record(replace(caller, tenant=tenant), what="key.created", user_id=request.user_id)
        return made

    async def page(self, caller: Caller, request: KeysRequest) -> KeyPage:
        """List keys of the caller's tenant; an administrator of the operator's tenant sees those of all."""
        _require_admin(caller)
        tenant = request.tenant or _reach(caller)
        if caller.tenant not in {tenant, OPERATORS_TENANT}:
            raise OtherTenant

        def listed() -> list[ListedKey]:
            keys = self._store.page(tenant, after=request.after, limit=request.limit + 1)
            pepper, now = self._fingerprint(), datetime.now(UTC)
            return [ListedKey(key=key, state=key.state(now, pepper)) for key in keys]

        found = await anyio.to_thread.run_sync(listed, limiter=self._threads)
        keys = found[: request.limit]
        end = (keys[-1].key.created_at, keys[-1].key.id) if len(found) > request.limit else None
        return KeyPage(keys=keys, end=end)

    async def revoke(self, caller: Caller, key_id: str) -> ListedKey:
        """Revoke a key for good; one that is revoked already stays so. Raises UnknownKey, also for another tenant's."""
        _require_admin(caller)
        now = datetime.now(UTC)
        revoked = await anyio.to_thread.run_sync(
            lambda: self._store.revoke(key_id, _reach(caller), at=now), limiter=self._threads
        )
        if revoked is None:
            raise UnknownKey(key_id)
        self._authentication.forget_known(key_needed=True)
        await self._audit.record(replace(caller, tenant=revoked.tenant), what="key.revoked", user_id=revoked.user_id)
        return ListedKey(key=revoked, state="revoked")

    async def forget_tenant(self, name: str) -> None:
        """Revoke the keys of a tenant, for code that deletes it and has checked the right. Raises StoreUnavailable."""
        now = datetime.now(UTC)
        await anyio.to_thread.run_sync(lambda: self._store.forget_tenant(name, at=now), limiter=self._threads)
        self._authentication.forget_known(key_needed=False)

    async def what_is_wrong(self) -> list[str]:
        """Return what an operator should know of the keys before anybody is refused: a lost pepper, no key that is good."""
        if not await self._authentication.find_out_whether_needed():
            return []

        def counted() -> tuple[int, int]:
            return self._store.count_live(now=datetime.now(UTC), pepper=self._fingerprint())

        good, lost = await anyio.to_thread.run_sync(counted, limiter=self._threads)
        wrong = []
        if lost:
            wrong.append(
                f"{lost} API keys were made with another pepper than {self._pepper.path} holds, and are refused: put the file "
                "back, or make new keys with `tirtha keys create NAME`"
            )
        if not good:
            wrong.append(
                "every request needs an API key, and none is good any more: make one with `tirtha keys create NAME`"
            )
        return wrong

    def _insert(self, request: KeyRequest, tenant: str) -> MadeKey:
        pepper, text = self._pepper.read_or_make(), new_text()
        key = Key(
            id=text.id,
            tenant=tenant,
            name=request.name,
            rights=request.rights,
            user_id=request.user_id,
            trusted_proxy=request.trusted_proxy,
            time_zone=request.time_zone,
            created_at=datetime.now(UTC),
            expires_at=request.expires_at,
            pepper=pepper.fingerprint,
        )
        self._store.insert(Kept(key=key, digest=pepper.digest(text.secret)))
        return MadeKey(key=key, state="valid", text=str(text))

    def _fingerprint(self) -> str | None:
        pepper = self._pepper.read()
        return pepper.fingerprint if pepper else None


def _require_admin(caller: Caller) -> None:
    caller.require("admin")
    caller.require_whole_tenant()


def _reach(caller: Caller) -> str | None:
    """Return the tenant whose keys a caller may reach; None stands for all."""
    return None if caller.tenant == OPERATORS_TENANT else caller.tenant
