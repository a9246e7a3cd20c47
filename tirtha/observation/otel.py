"""Traces for a collector: our spans as OpenTelemetry's, sent over OTLP. Needs the extra `otel`, and is imported only for it.

It keeps a provider of its own and sets no global one, so that nothing else in the process begins to trace by itself. What a span
raises is noted by its type alone: messages of exceptions may hold what somebody said.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import NonRecordingSpan, SpanContext, Status, StatusCode, TraceFlags, TraceState

import tirtha
from tirtha.observation.trace_context import TraceContext
from tirtha.observation.tracing import TRACE, Attributes, SpanKind, in_trace

__all__ = ["OtelSpan", "OtelTracer", "otlp_tracer"]

_KINDS = {"server": trace.SpanKind.SERVER, "client": trace.SpanKind.CLIENT, "internal": trace.SpanKind.INTERNAL}


class OtelSpan:
    """A span of OpenTelemetry's."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self._failed = False

    def note(self, attributes: Attributes) -> None:
        """Set attributes."""
        self._span.set_attributes(attributes)

    def rename(self, name: str) -> None:
        """Set the name."""
        self._span.update_name(name)

    def fail(self, kind: str) -> None:
        """Set the status, and `error.type`; who knows first how it failed knows it best."""
        if not self._failed:
            self._failed = True
            self._span.set_attribute("error.type", kind)
            self._span.set_status(Status(StatusCode.ERROR))


class OtelTracer:
    """Hands every finished span to a processor."""

    def __init__(self, processor: SpanProcessor) -> None:
        resource = Resource.create({"service.name": "tirtha", "service.version": tirtha.__version__})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("tirtha", tirtha.__version__)

    @contextmanager
    def span(self, name: str, kind: SpanKind, attributes: Attributes) -> Iterator[OtelSpan]:
        """Record the work of a block as a span under the current place of the trace."""
        span = self._tracer.start_span(name, _under(TRACE.get()), _KINDS[kind], attributes)
        watched = OtelSpan(span)
        try:
            with in_trace(_place(span.get_span_context())):
                yield watched
        except BaseException as fault:
            watched.fail(type(fault).__qualname__)
            raise
        finally:
            span.end()

    def close(self) -> None:
        """Send what waits, and stop."""
        self._provider.shutdown()


def otlp_tracer(url: str) -> OtelTracer:
    """Return a tracer that sends its spans, in batches, to the OTLP/HTTP endpoint `url`."""
    return OtelTracer(BatchSpanProcessor(OTLPSpanExporter(endpoint=url)))


def _under(place: TraceContext | None) -> Context:
    """Return OpenTelemetry's context of a place; an empty one begins a trace."""
    if place is None:
        return Context()
    parent = SpanContext(
        trace_id=int(place.trace_id, 16),
        span_id=int(place.span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(place.flags),
        trace_state=TraceState.from_header([place.state]) if place.state else TraceState(),
    )
    return trace.set_span_in_context(NonRecordingSpan(parent), Context())


def _place(context: SpanContext) -> TraceContext:
    return TraceContext(
        trace_id=trace.format_trace_id(context.trace_id),
        span_id=trace.format_span_id(context.span_id),
        flags=int(context.trace_flags),
        state=context.trace_state.to_header(),
    )
