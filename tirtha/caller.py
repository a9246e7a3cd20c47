"""Who calls: the tenant whose memory it is, and what the caller may do. Every operation takes a caller first."""

from dataclasses import dataclass
from typing import Literal

from memory import Scope
from tirtha.errors import Forbidden

__all__ = ["Caller", "Right", "local_caller"]

Right = Literal["read", "write", "admin"]
_TENANT = "default"
_EVERY_RIGHT: frozenset[Right] = frozenset({"read", "write", "admin"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A caller of `tenant` with `rights`; `key_id` names the API key that was shown, if one was."""

    tenant: str
    rights: frozenset[Right]
    key_id: str | None = None

    def scope(self, user_id: str, agent_id: str | None = None) -> Scope:
        """Return the scope of a user, or of one agent's memory of them, within the caller's tenant."""
        return Scope(tenant=self.tenant, user_id=user_id, agent_id=agent_id)

    def require(self, right: Right) -> None:
        """Raise Forbidden if the caller lacks a right."""
        if right not in self.rights:
            raise Forbidden(right)


def local_caller(tenant: str = _TENANT) -> Caller:
    """Return the caller on this machine: the command line, or loopback while no API key exists. May do everything."""
    return Caller(tenant=tenant, rights=_EVERY_RIGHT)
