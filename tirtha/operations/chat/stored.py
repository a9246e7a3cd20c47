"""Stored responses: a client goes on from one by its id and sends only what is new; they are forgotten with their user."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cascade.storage.ledger import Owner
from cascade.storage.responses import ResponseStore, StoredResponse
from tirtha.caller import Caller
from tirtha.errors import UnknownResponse
from tirtha.operations.chat.asked import Begun
from tirtha.operations.under_way import UnderWay

__all__ = ["RESPONSE_PREFIX", "StoredResponses"]

RESPONSE_PREFIX = "resp_"  # of a response's id, before its decision's


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResponses:
    """The stored responses of tenants. All raise LedgerUnavailable for an outage."""

    store: ResponseStore
    under_way: UnderWay

    async def chain(self, caller: Caller, response_id: str, *, user_id: str | None) -> list[StoredResponse]:
        """Return a response and those before it, the oldest first. A caller that names another user than its own gets none.

        Raises UnknownResponse.
        """
        caller.require("read")
        chain = await self.store.chain(_decision(response_id), tenant=caller.tenant, user_id=caller.user_id)
        if not chain or (user_id is not None and chain[-1].owner.user_id != user_id):
            raise UnknownResponse(response_id)
        return chain

    async def of_session(
        self, caller: Caller, session_id: str, *, user_id: str | None, agent_id: str | None
    ) -> list[StoredResponse]:
        """Return the newest response of a session and those before it, the oldest first; nothing where it has none yet.

        Args:
            caller: who asks; the session is of the caller's tenant.
            session_id: the session.
            user_id: whose it is.
            agent_id: of which agent.
        """
        caller.require("read")
        owner = Owner(tenant=caller.tenant, user_id=user_id or "", agent_id=agent_id or "")
        latest = await self.store.latest(owner, session_id)
        return await self.store.chain(latest, tenant=caller.tenant) if latest else []

    async def keep(
        self,
        caller: Caller,
        begun: Begun,
        *,
        previous_id: str | None,
        sent: Sequence[dict[str, Any]],
        body: Mapping[str, Any],
    ) -> None:
        """Store a response, unless something of its user was forgotten while it was made.

        Args:
            caller: who asked for it.
            begun: its decision, owner and session, as they were when it began.
            previous_id: the response that it continues.
            sent: the items of the request.
            body: the response, as it was sent.
        """
        caller.require("read")
        stored = StoredResponse(
            decision_id=begun.decision_id,
            owner=begun.owner,
            session_id=begun.session_id or "",
            previous_id=previous_id,
            stored_at=datetime.now(UTC),
            input=sent,
            body=dict(body),
        )
        async with self.under_way.recording:
            if self.under_way.forgettings(begun.owner) == begun.forgettings:
                await self.store.put(stored)

    async def read(self, caller: Caller, response_id: str) -> StoredResponse:
        """Return a stored response. Raises UnknownResponse."""
        caller.require("read")
        found = await self.store.read(_decision(response_id), tenant=caller.tenant, user_id=caller.user_id)
        if found is None:
            raise UnknownResponse(response_id)
        return found

    async def remove(self, caller: Caller, response_id: str) -> None:
        """Remove a stored response; what was remembered of its conversation stays. Raises UnknownResponse."""
        caller.require("write")
        if not await self.store.remove(_decision(response_id), tenant=caller.tenant, user_id=caller.user_id):
            raise UnknownResponse(response_id)


def _decision(response_id: str) -> str:
    """Return the decision of a response. Raises UnknownResponse for an id that is none of ours."""
    if not response_id.startswith(RESPONSE_PREFIX):
        raise UnknownResponse(response_id)
    return response_id.removeprefix(RESPONSE_PREFIX)
