"""Tiers over scripted models, in this process: what a model would say is a list, taken in turn."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from cascade.errors import ChatFailed
from cascade.model import Brief, ChatRequest, Completion, Usage
from cascade.pricing import Price
from cascade.tiers.deployment import Breaker, Deployment
from cascade.tiers.model import ModelTier

__all__ = ["CHEAP", "DEAR", "OneContext", "Scripted", "tier"]

CHEAP = Price(
    input_usd=Decimal("0.5"), output_usd=Decimal("1.5"), cached_usd=None, as_of=date(2024, 4, 1), source="test"
)
DEAR = Price(input_usd=Decimal(10), output_usd=Decimal(30), cached_usd=None, as_of=date(2024, 4, 1), source="test")


class Scripted:
    """A chat that says what it is given, in order; the last one over and over."""

    def __init__(self, *replies: str | ChatFailed | Completion) -> None:
        self.replies = list(replies)
        self.requests: list[ChatRequest] = []

    async def complete(self, request: ChatRequest, *, timeout_s: float) -> Completion:
        self.requests.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, ChatFailed):
            raise reply
        if isinstance(reply, Completion):
            return reply
        usage = Usage(prompt_tokens=100, completion_tokens=10)
        return Completion(text=reply, model="", finish_reason="stop", usage=usage)


async def no_wait(seconds: float) -> None:
    """Do not wait."""


def tier(
    *chats: Scripted, name: str = "local", price: Price = CHEAP, tries: int = 3, window: int = 131_072
) -> ModelTier:
    """A tier over scripted chats, one a replica."""
    return ModelTier(
        name=name,
        model=name,
        price=price,
        window_tokens=window,
        max_tokens=100,
        timeout_s=5,
        tries=tries,
        deployments=[Deployment(chat, name=str(n), breaker=Breaker(failures=3)) for n, chat in enumerate(chats)],
        count=lambda text: len(text.split()),
        sleep=no_wait,
    )


class OneContext:
    """Contexts that were drawn up beforehand, by budget."""

    def __init__(self, briefs: Sequence[Brief], raw: Brief | None = None) -> None:
        self.briefs = {brief.budget: brief for brief in briefs}
        self.whole = raw

    async def at(self, budget: int) -> Brief:
        return self.briefs.get(budget) or list(self.briefs.values())[-1]

    async def raw(self, limit: int) -> Brief:
        return self.whole or list(self.briefs.values())[-1]
