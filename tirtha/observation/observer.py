"""The observer: what operations and tiers report of their work, counted and traced. All of them have it, and it changes nothing.

Calls of models are spans with the attributes of OpenTelemetry's conventions for generative AI
(https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/), without the contents that those allow.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from urllib.parse import urlsplit

from cascade.decision import Call
from cascade.errors import ChatFailed
from cascade.model import Completion
from cascade.tiers.watching import CallBegun
from tirtha.observation.metrics import Metrics, Stage
from tirtha.observation.tracing import Attributes, Span, Tracer

__all__ = ["Observer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _ObservedCall:
    metrics: Metrics
    span: Span

    def ended(self, call: Call, how: Completion | ChatFailed) -> None:
        self.metrics.called(call, how)
        usage = call.usage
        self.span.note(
            {
                "gen_ai.usage.input_tokens": usage.prompt_tokens,
                "gen_ai.usage.output_tokens": usage.completion_tokens,
                "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
                "gen_ai.usage.reasoning.output_tokens": usage.reasoning_tokens,
                "tirtha.cost_nanousd": call.cost_nanousd,
            }
        )
        if isinstance(how, ChatFailed):
            self.span.fail(how.kind)
        else:
            self.span.note({"gen_ai.response.model": call.model, "gen_ai.response.finish_reasons": [how.finish_reason]})


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """Counts in `metrics`, traces with `tracer`."""

    metrics: Metrics
    tracer: Tracer

    @contextmanager
    def stage(self, name: Stage) -> Iterator[None]:
        """Time a stage of a question."""
        began_s = perf_counter()
        with self.tracer.span(name, "internal", {}):
            yield
        self.metrics.staged(name, perf_counter() - began_s)

    @contextmanager
    def calling(self, begun: CallBegun) -> Iterator[_ObservedCall]:
        """Watch one call of a model."""
        with self.tracer.span(f"chat {begun.model}", "client", _attributes(begun)) as span:
            yield _ObservedCall(metrics=self.metrics, span=span)


def _attributes(begun: CallBegun) -> Attributes:
    place = urlsplit(begun.address)
    where = {"server.address": place.hostname or begun.address} | ({"server.port": place.port} if place.port else {})
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",  # whose protocol is spoken; the convention's name for servers that speak it
        "gen_ai.request.model": begun.model,
        "gen_ai.request.max_tokens": begun.max_tokens,
        "gen_ai.request.temperature": begun.temperature,
        "tirtha.tier": begun.tier,
        "tirtha.purpose": begun.purpose,
        **where,
    }
