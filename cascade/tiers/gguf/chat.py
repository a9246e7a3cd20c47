"""Calls of a model that Tirtha serves itself: as of any other server, at whatever address its process has just now."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from cascade.errors import ChatFailed
from cascade.model import ChatRequest, Completion, RelayRequest
from cascade.tiers.deployment import OpenAIChat
from cascade.tiers.dialect import Dialect
from cascade.tiers.gguf.server import Address, GgufServer
from cascade.tiers.watching import Headers, no_headers

__all__ = ["GgufChat"]


class GgufChat:
    """A `Chat` over a `GgufServer`. While that does not answer the circuit is open: nothing is sent, nothing is waited for."""

    def __init__(
        self,
        server: GgufServer,
        *,
        dialect: Dialect | None = None,
        settings: str = "",
        headers: Headers = no_headers,
    ) -> None:
        self._server = server
        self._headers = headers
        self._dialect = dialect
        self._settings = settings
        self._open: tuple[Address, OpenAIChat] | None = None

    async def complete(self, request: ChatRequest, *, timeout_s: float) -> Completion:
        """Answer `request` within `timeout_s`. Raises ChatFailed; of the kind "circuit_open" while the server is started again."""
        chat = await self._chat()
        return await chat.complete(request, timeout_s=timeout_s)

    async def send(self, request: RelayRequest, *, timeout_s: float) -> dict[str, Any]:
        """Pass a request on whole, and return the response. Raises ChatFailed."""
        chat = await self._chat()
        return await chat.send(request, timeout_s=timeout_s)

    async def events(self, request: RelayRequest, *, timeout_s: float) -> AsyncGenerator[dict[str, Any], None]:
        """Pass a request on whole, and yield the events of its stream. Raises ChatFailed."""
        chat = await self._chat()
        async with aclosing(chat.events(request, timeout_s=timeout_s)) as events:
            async for event in events:
                yield event

    async def close(self) -> None:
        """Close the connections."""
        if self._open:
            await self._open[1].close()
        self._open = None

    async def _chat(self) -> OpenAIChat:
        """Return the chat at the server's address, a new one after a new start. Raises ChatFailed."""
        address = self._server.address
        if address is None:
            wait_s = self._server.answers_in_s()
            raise ChatFailed("circuit_open", "its server is being started again", lasting=True, retry_after_s=wait_s)
        if self._open is None or self._open[0] != address:
            made = OpenAIChat(
                url=address.url,
                model=self._server.model.name,
                key=address.key,
                dialect=self._dialect,
                settings=self._settings,
                headers=self._headers,
            )
            old, self._open = self._open, (address, made)
            if old:
                await old[1].close()
            return made
        return self._open[1]
