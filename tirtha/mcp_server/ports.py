"""What the tools stand on: a memory that can be read and changed, and the connection that says whose it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tirtha.mcp_server.arguments import TurnArgument
from tirtha.mcp_server.errors import NobodyNamed, Refused
from tirtha.mcp_server.results import (
    AskResult,
    ForgetResult,
    RecallResult,
    RememberResult,
    SessionsResult,
    TurnsResult,
)

__all__ = ["Connection", "Memory", "Owner"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose memory: a user's, or what one agent remembers of them."""

    user_id: str
    agent_id: str | None = None


class _Readable(Protocol):
    async def recall(self, owner: Owner, question: str, *, budget: int) -> RecallResult:
        """Return what was said on a question, within a budget of tokens."""

    async def ask(self, owner: Owner, question: str) -> AskResult:
        """Answer a question, or abstain."""

    async def sessions(self, owner: Owner, *, limit: int, cursor: str | None) -> SessionsResult:
        """List conversations, oldest first."""

    async def turns(self, owner: Owner, session_id: str, *, limit: int, cursor: str | None) -> TurnsResult:
        """List the turns of a conversation, oldest first."""


class _Writable(Protocol):
    async def remember(self, owner: Owner, turns: Sequence[TurnArgument], session_id: str | None) -> RememberResult:
        """Keep turns of a conversation; of a new one by default."""

    async def forget(self, owner: Owner, *, session_id: str | None, turn_id: str | None) -> ForgetResult:
        """Forget a turn, a conversation or, without either, everything of the owner."""


class Memory(_Readable, _Writable, Protocol):
    """A memory. Every method raises Refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A client's connection: the memory that it may use, and whose it is.

    `user_id` and `agent_id` are those that the connection is for: then tools cannot name others. Where it is for no user in
    particular, a tool names the user, or else it is `default_user_id`, if there may be a default.
    """

    memory: Memory
    user_id: str | None = None
    agent_id: str | None = None
    default_user_id: str | None = None

    def owner(self, user_id: str | None = None, agent_id: str | None = None) -> Owner:
        """Return whose memory a request is about, of the user and agent that it names. Raises Refused and NobodyNamed."""
        user = _one("user_id", self.user_id, user_id) or self.default_user_id
        if user is None:
            raise NobodyNamed
        return Owner(user_id=user, agent_id=_one("agent_id", self.agent_id, agent_id))


def _one(name: str, bound: str | None, named: str | None) -> str | None:
    if bound is not None and named not in {None, bound}:
        raise Refused(f"this connection is for one {name} only, and {name} names another: leave {name} out")
    return bound if bound is not None else named
