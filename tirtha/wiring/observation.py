"""From settings to the observer: metrics always; traces to a collector if one is configured and the extra for it is installed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.to_thread

from cascade.errors import Misconfigured
from tirtha.observation.metrics import Metrics
from tirtha.observation.observer import Observer
from tirtha.observation.tracing import PlainTracer, Tracer
from tirtha.settings import Settings

__all__ = ["open_observer"]


@asynccontextmanager
async def open_observer(settings: Settings) -> AsyncIterator[Observer]:
    """Make the configured observer; at the end what is traced and not sent yet is sent. Raises Misconfigured."""
    tracer = _tracer(settings.otlp_url)
    try:
        yield Observer(metrics=Metrics(), tracer=tracer)
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(tracer.close)


def _tracer(url: str | None) -> Tracer:
    if url is None:
        return PlainTracer()
    try:
        from tirtha.observation.otel import otlp_tracer  # noqa: PLC0415 - an extra that need not be there
    except ModuleNotFoundError as fault:
        why = f"traces need the extra `otel` ({fault.name} is not there): pip install 'tirtha[otel]'"
        raise Misconfigured(setting="TIRTHA_OTLP_URL", why=why) from fault
    return otlp_tracer(url)
