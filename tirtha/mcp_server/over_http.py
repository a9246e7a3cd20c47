"""The memory behind a server's HTTP contract (docs/http.md), for a process that has no engine of its own. Imports none."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import httpx

from tirtha.mcp_server.arguments import TurnArgument
from tirtha.mcp_server.errors import Refused
from tirtha.mcp_server.ports import Owner
from tirtha.mcp_server.results import (
    AskResult,
    ForgetResult,
    RecallResult,
    RememberResult,
    SessionsResult,
    TurnsResult,
)

__all__ = ["MemoryOverHttp", "Requests"]

_Json = Mapping[str, Any]


class Requests(Protocol):
    """What sends requests to the server. Raises Refused where it cannot be reached."""

    async def request(self, method: str, path: str, *, query: _Json, body: _Json | None) -> httpx.Response:
        """Send a request and return its answer."""


class MemoryOverHttp:
    """A memory whose every method is one request."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def remember(self, owner: Owner, turns: Sequence[TurnArgument], session_id: str | None) -> RememberResult:
        """Keep turns of a conversation; of a new one by default."""
        said = [turn.model_dump(mode="json", exclude_none=True) for turn in turns]
        return RememberResult.model_validate(await self._post("/v1/remember", owner, turns=said, session_id=session_id))

    async def recall(self, owner: Owner, question: str, *, budget: int) -> RecallResult:
        """Return what was said on a question, within a budget of tokens."""
        answer = await self._post("/v1/context", owner, question=question, budget=budget)
        return RecallResult.model_validate(answer)

    async def ask(self, owner: Owner, question: str) -> AskResult:
        """Answer a question, or abstain."""
        return AskResult.model_validate(await self._post("/v1/ask", owner, question=question))

    async def forget(self, owner: Owner, *, session_id: str | None, turn_id: str | None) -> ForgetResult:
        """Forget a turn, a conversation or, without either, everything of the owner."""
        answer = await self._post("/v1/forget", owner, session_id=session_id, turn_id=turn_id)
        return ForgetResult.model_validate(answer)

    async def sessions(self, owner: Owner, *, limit: int, cursor: str | None) -> SessionsResult:
        """List conversations, oldest first."""
        answer = await self._sent("GET", "/v1/sessions", query=_given(owner, limit=limit, cursor=cursor))
        return SessionsResult.model_validate(answer)

    async def turns(self, owner: Owner, session_id: str, *, limit: int, cursor: str | None) -> TurnsResult:
        """List the turns of a conversation, oldest first."""
        query = _given(owner, session_id=session_id, limit=limit, cursor=cursor)
        return TurnsResult.model_validate(await self._sent("GET", "/v1/memories", query=query))

    async def _post(self, path: str, owner: Owner, **fields: object) -> _Json:
        return await self._sent("POST", path, query={}, body=_given(owner, **fields))

    async def _sent(self, method: str, path: str, *, query: _Json, body: _Json | None = None) -> _Json:
        """Send a request, and return its answer. Raises Refused in the words of a problem."""
        response = await self._requests.request(method, path, query=query, body=body)
        try:
            answer: _Json = response.json()
            if response.is_error:
                raise Refused(str(answer["detail"]), retry_after_s=_seconds(response.headers.get("retry-after")))
        except (ValueError, KeyError, TypeError):
            place = response.request.url.copy_with(path="", query=None)
            raise Refused(
                f"{place} answered {response.status_code} and not as Tirtha does; is another program there?"
            ) from None
        return answer


def _given(owner: Owner, **fields: object) -> dict[str, object]:
    """Return the fields of a request, without those that were not given."""
    whole = {"user_id": owner.user_id, "agent_id": owner.agent_id} | fields
    return {name: value for name, value in whole.items() if value is not None}


def _seconds(header: str | None) -> int | None:
    return int(header) if header and header.isdecimal() else None
