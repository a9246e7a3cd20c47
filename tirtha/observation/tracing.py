"""Traces: a port that work is reported to as spans, and the tracer that records none but carries the caller's trace on to models.

Another one, which sends spans to a collector, is in `otel`; it is imported only where it is configured. A span gets names,
counts and kinds of faults, and never a word that was said.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar
from typing import Literal, Protocol

from tirtha.observation.trace_context import TraceContext

__all__ = ["TRACE", "Attributes", "PlainTracer", "Span", "SpanKind", "Tracer", "in_trace", "outgoing_headers"]

Attributes = Mapping[str, str | int | float | Sequence[str]]
SpanKind = Literal["server", "client", "internal"]

TRACE: ContextVar[TraceContext | None] = ContextVar("tirtha_trace", default=None)  # where in a trace we are


class Span(Protocol):
    """A piece of work that is being traced."""

    def note(self, attributes: Attributes) -> None:
        """Note what is known of it by now."""

    def rename(self, name: str) -> None:
        """Set the name that is known by now."""

    def fail(self, kind: str) -> None:
        """Note that it failed, and how."""


class Tracer(Protocol):
    """Makes spans. Within one, `TRACE` is its place, which `outgoing_headers` carries on."""

    def span(self, name: str, kind: SpanKind, attributes: Attributes) -> AbstractContextManager[Span]:
        """Trace the work of a block as a part of the current trace, or of a new one."""

    def close(self) -> None:
        """Send what is not sent yet; blocks."""


@contextmanager
def in_trace(place: TraceContext) -> Iterator[None]:
    """Make a place in a trace the current one for the length of a block.

    A stream's block may end in another task than it began in, where nothing has to be put back.
    """
    token = TRACE.set(place)
    try:
        yield
    finally:
        with suppress(ValueError):
            TRACE.reset(token)


def outgoing_headers() -> Mapping[str, str]:
    """Return the headers that carry the current trace on, or a new one where there is none."""
    return (TRACE.get() or TraceContext.made()).headers


class PlainTracer:
    """Records nothing; each span is a fresh id in the caller's trace."""

    @contextmanager
    def span(self, name: str, kind: SpanKind, attributes: Attributes) -> Iterator["PlainTracer"]:  # noqa: ARG002
        """Take a place of its own in the trace."""
        before = TRACE.get()
        with in_trace(before.child() if before else TraceContext.made()):
            yield self

    def note(self, attributes: Attributes) -> None:
        """Note nothing."""

    def rename(self, name: str) -> None:
        """Need no name."""

    def fail(self, kind: str) -> None:
        """Note nothing."""

    def close(self) -> None:
        """Have nothing to send."""
