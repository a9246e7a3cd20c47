"""The metrics as Prometheus reads them: what was counted, and beside it what is true at this moment, read when it is asked for.

A database out of reach is itself a figure (`tirtha_store_readable` is 0), and no reason to show nothing.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

import tirtha
from cascade.errors import LedgerUnavailable
from cascade.storage.cache import AnswerCache
from cascade.tiers.model import ModelTier
from memory import Counts
from memory.api import Memory
from memory.errors import StoreUnavailable
from tirtha.caller import OPERATORS_TENANT, Caller
from tirtha.errors import Forbidden
from tirtha.observation.metrics import Metrics

__all__ = ["Scrape", "ScrapeMetrics"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """The metrics in one of the formats of Prometheus, and its media type."""

    text: bytes
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeMetrics:
    """Read all metrics. `cache` is the exact cache, if there is one."""

    metrics: Metrics
    memory: Memory
    cache: AnswerCache | None
    tiers: Sequence[ModelTier]

    async def __call__(self, caller: Caller, accept: str = "") -> Scrape:
        """Return the metrics in the format that `accept` asks for, by default Prometheus's text format.

        Raises Forbidden but for the operator's tenant.
        """
        caller.require("read")
        caller.require_whole_tenant()
        if caller.tenant != OPERATORS_TENANT:  # they are of all tenants together
            raise Forbidden(f"read of the tenant {OPERATORS_TENANT}")
        families = [*self._of_this_process(), *await self._of_the_database()]
        encode, media_type = choose_encoder(accept)
        return Scrape(text=encode(_Both(self.metrics.registry, families)), media_type=media_type)

    def _of_this_process(self) -> Iterator[Metric]:
        yield InfoMetricFamily("tirtha_build", "The version that runs.", value={"version": tirtha.__version__})
        load = self.memory.load()
        threads = load.threads.items()
        yield _gauges("tirtha_threads", "Threads there are.", "kind", {kind: one.most for kind, one in threads})
        yield _gauges(
            "tirtha_threads_working", "Threads at work.", "kind", {kind: one.working for kind, one in threads}
        )
        yield _gauges(
            "tirtha_threads_waiting",
            "Requests that wait for a thread.",
            "kind",
            {kind: one.waiting for kind, one in threads},
        )
        yield _gauge("tirtha_hot_scopes", "Memories kept at hand for the next question.", load.hot_scopes)
        yield _gauge("tirtha_hot_scopes_bytes", "Bytes that they take.", load.hot_bytes)
        replicas = [(tier.name, tier.deployments) for tier in self.tiers]
        yield _gauges(
            "tirtha_tier_addresses", "Addresses of a tier.", "tier", {name: len(all_) for name, all_ in replicas}
        )
        yield _gauges(
            "tirtha_tier_open_circuits",
            "Addresses of a tier that are not asked just now, because they failed too often.",
            "tier",
            {name: sum(one.breaker.opens_in_s() > 0 for one in all_) for name, all_ in replicas},
        )
        yield _gauges(
            "tirtha_tier_calls_in_flight",
            "Calls under way, or waiting for their turn.",
            "tier",
            {name: sum(one.in_flight for one in all_) for name, all_ in replicas},
        )

    async def _of_the_database(self) -> list[Metric]:
        readable = "tirtha_store_readable", "Whether the database can be read."
        try:
            counts = await self.memory.counts()
            entries, size = await self.cache.size() if self.cache else (0, 0)
        except (StoreUnavailable, LedgerUnavailable) as fault:
            log.warning("the metrics lack what the database knows: %s", fault)
            return [_gauge(*readable, 0)]
        return [
            _gauge(*readable, 1),
            _gauge("tirtha_turns", "Turns held.", counts.turns),
            _gauge("tirtha_index_waiting_turns", "Turns that wait for the index.", counts.waiting),
            _gauge("tirtha_index_oldest_waiting_seconds", "How long the first of them has waited.", _waited_s(counts)),
            _gauge("tirtha_cache_entries", "Answers in the exact cache.", entries),
            _gauge("tirtha_cache_bytes", "Bytes of their records.", size),
        ]


class _Both(Collector):
    """What was counted, and what is true now."""

    def __init__(self, counted: Collector, now: Sequence[Metric]) -> None:
        self._counted = counted
        self._now = now

    def collect(self) -> Iterable[Metric]:
        """Yield all of it."""
        yield from self._counted.collect()
        yield from self._now


def _waited_s(counts: Counts) -> float:
    if counts.waiting_since is None:
        return 0.0
    return max(0.0, (datetime.now(UTC) - counts.waiting_since).total_seconds())


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(name, what, value=value)


def _gauges(name: str, what: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, what, labels=(label,))
    for of, value in values.items():
        family.add_metric((of,), value)
    return family
