"""What the cascade asks of others: contexts, models to call, vectors. What is exchanged with them stands in `cascade.model`."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cascade.model import Brief, ChatRequest, Completion, RelayRequest

__all__ = ["Chat", "Contexts", "Embed", "Relay"]


class Contexts(Protocol):
    """The means to get a context for one question, and wider ones."""

    async def at(self, budget: int) -> Brief:
        """Distil the evidence to at most `budget` tokens."""

    async def raw(self, limit: int) -> Brief:
        """Return the raw history, newest first, within `limit` tokens."""


class Relay(Protocol):
    """One deployment of a model, asked in its own protocol: one call, no second try; nothing is translated."""

    async def send(self, request: RelayRequest, *, timeout_s: float) -> dict[str, Any]:
        """Return the response to a request that is not streamed. Raises ChatFailed, RelayRefused among them."""

    def events(self, request: RelayRequest, *, timeout_s: float) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the events of a streamed response, each within `timeout_s` of the one before. Raises as `send` does."""


class Chat(Protocol):
    """One deployment of a model: one call, no second try."""

    async def complete(self, request: ChatRequest, *, timeout_s: float) -> Completion:
        """Answer `request` within `timeout_s`. Raises ChatFailed."""


class Embed(Protocol):
    """Sentence vectors."""

    async def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts: `(len(texts), d) float32`, unit length."""
