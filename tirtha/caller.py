"""Who calls: the tenant whose memory it is, and what the caller may do. Every operation takes a caller first."""

from dataclasses import dataclass
from datetime import tzinfo
from typing import Literal

from memory import Scope
from tirtha.errors import Forbidden, OtherUser, TenantWide

__all__ = ["OPERATORS_TENANT", "Caller", "Right", "local_caller"]

Right = Literal["read", "write", "admin"]
OPERATORS_TENANT = "default"  # who runs the server: its admins may name other tenants
_EVERY_RIGHT: frozenset[Right] = frozenset({"read", "write", "admin"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A caller of `tenant` with `rights`; `key_id` names the API key that was shown, if one was.

    A key may be bound to one user: then `user_id` is that user, and the caller acts for no one else. A key may be marked as that
    of a `trusted_proxy`: then a surface may believe what its requests say of the user behind them. `time_zone` is where the key's
    user is.
    """

    tenant: str
    rights: frozenset[Right]
    key_id: str | None = None
    user_id: str | None = None
    trusted_proxy: bool = False
    time_zone: tzinfo | None = None

    def scope(self, user_id: str, agent_id: str | None = None) -> Scope:
        """Return the scope of a user, or of one agent's memory of them, within the caller's tenant. Raises OtherUser."""
        if self.user_id is not None and user_id != self.user_id:
            raise OtherUser
        return Scope(tenant=self.tenant, user_id=user_id, agent_id=agent_id)

    def require(self, right: Right) -> None:
        """Raise Forbidden if the caller lacks a right."""
        if right not in self.rights:
            raise Forbidden(right)

    def require_whole_tenant(self) -> None:
        """Raise TenantWide if the caller is bound to one user."""
        if self.user_id is not None:
            raise TenantWide


def local_caller(tenant: str = OPERATORS_TENANT) -> Caller:
    """Return the caller on this machine: the command line, or loopback while no API key exists. May do everything."""
    return Caller(tenant=tenant, rights=_EVERY_RIGHT)
