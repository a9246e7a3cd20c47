"""Who watches the calls of models: a port that hears when a call begins and how it ended, for metrics and traces.

The cascade knows neither. A watch hears names, counts and times of a call, and never a word that went to or from a model.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from cascade.decision import Call
from cascade.errors import ChatFailed
from cascade.model import ChatRequest, Completion

__all__ = ["CallBegun", "Headers", "Unwatched", "Watch", "WatchedCall", "no_headers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBegun:
    """A call that is about to be made: by which tier, of which model, at which address, for what, and its limits."""

    tier: str
    model: str
    address: str
    purpose: str
    max_tokens: int
    temperature: float

    @classmethod
    def of(cls, request: ChatRequest, *, tier: str, model: str, address: str, purpose: str) -> "CallBegun":
        """Describe the call of a request, without what it says."""
        return cls(
            tier=tier,
            model=model,
            address=address,
            purpose=purpose,
            max_tokens=request.max_tokens,
            temperature=request.temperature,
        )


class WatchedCall(Protocol):
    """One call that is watched."""

    def ended(self, call: Call, how: Completion | ChatFailed) -> None:
        """Hear how the call ended, with its record. Not called if the caller gave up."""


class Watch(Protocol):
    """Hears of every call of a model."""

    def calling(self, begun: CallBegun) -> AbstractContextManager[WatchedCall]:
        """Watch one call, for as long as the block lasts."""


class Headers(Protocol):
    """What a request to a model's server carries beside its own headers: the trace that it belongs to."""

    def __call__(self) -> Mapping[str, str]:
        """Return the headers of the request that is made now."""


class Unwatched:
    """A watch that looks away."""

    @contextmanager
    def calling(self, begun: CallBegun) -> Iterator["Unwatched"]:  # noqa: ARG002
        """Watch nothing."""
        yield self

    def ended(self, call: Call, how: Completion | ChatFailed) -> None:
        """Hear nothing."""


def no_headers() -> Mapping[str, str]:
    """Return none."""
    return {}
