"""What every chat answer says of itself beside the model's words: the block `tirtha`, and the same as `x-tirtha-*` headers.

Clients of some frameworks drop fields that they do not know, and keep headers; so both are sent. A stream's headers say what is
known before its first word, its last event has the block.
"""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from cascade import Quote, dollars
from tirtha.http.schemas.answers import CitationOut
from tirtha.operations.chat.asked import Begun, ChatOutcome
from tirtha.operations.chat.run import ChatStream

__all__ = ["EventStream", "block", "headers", "sse", "stream_headers"]


def block(outcome: ChatOutcome) -> dict[str, Any]:
    """Return what became of a request, as the object `tirtha` of its answer."""
    decision, begun = outcome.decision, outcome.begun
    return {
        "path": decision.path,
        "tier": decision.tier,
        "model": decision.model,
        "verified": outcome.verified,
        "reason": decision.reason,
        "memory": begun.memory,
        "session_id": begun.session_id,
        "citations": [_citation(quote) for quote in decision.citations],
        "tokens_added": begun.tokens_added,
        "tokens_saved": outcome.tokens_saved,
        "cost_usd": dollars(decision.cost_nanousd),
        "decision_id": decision.id,
    }


def headers(outcome: ChatOutcome) -> dict[str, str]:
    """Return the headers of an answer that is sent whole."""
    decision = outcome.decision
    verified = {None: "unchecked", True: "true", False: "false"}[outcome.verified]
    return {
        **stream_headers(outcome.begun),
        "x-tirtha-path": decision.path,
        "x-tirtha-verified": verified,
        "x-tirtha-tokens-saved": str(outcome.tokens_saved),
        "x-tirtha-cost-usd": dollars(decision.cost_nanousd),
    }


def stream_headers(begun: Begun) -> dict[str, str]:
    """Return the headers of an answer that is streamed."""
    headers = {
        "x-tirtha-memory": begun.memory,
        "x-tirtha-decision-id": begun.decision_id,
        "x-tirtha-tokens-added": str(begun.tokens_added),
    }
    if begun.session_id is not None:
        headers["x-tirtha-session"] = _in_header(begun.session_id)
    return headers


def sse(data: Mapping[str, Any] | str, *, event: str | None = None) -> bytes:
    """Write one server-sent event."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    named = f"event: {event}\n" if event else ""
    return f"{named}data: {text}\n\n".encode("utf-8", "backslashreplace")


class EventStream(StreamingResponse):
    """Server-sent events of a chat that is closed when they end, or when no one listens any more, even before the first."""

    def __init__(
        self, events: AsyncIterator[bytes], headers: Mapping[str, str], said: ChatStream | None = None
    ) -> None:
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._said = said

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self._said is not None:
                await self._said.aclose()


def _citation(quote: Quote) -> dict[str, Any]:
    shown = CitationOut(turn_id=quote.turn_id, session_id=quote.session_id, said_at=quote.said_at, quote=quote.text)
    return shown.model_dump(mode="json")


def _in_header(value: str) -> str:
    """Write an id so that a header can carry it: what is not printable ASCII is percent-encoded."""
    return "".join(
        one if "!" <= one <= "~" and one != "%" else "".join(f"%{byte:02X}" for byte in one.encode()) for one in value
    )
