"""The counts and times that grow while the service works, on a registry of their own: what `/metrics` shows of the past.

Labels are names of ours (routes, stages, tiers, guards), never a tenant, a user or anything they sent: those would grow without
end, and show each tenant the others. What is true just now, and known elsewhere, is read when it is asked for (`scraping`).
"""

from typing import Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

from cascade.decision import Call, Decision, Path
from cascade.errors import ChatFailed
from cascade.model import Completion

__all__ = ["CacheResult", "Metrics", "Stage"]

Stage = Literal["recall", "distil"]
CacheResult = Literal["hit", "miss", "bypass"]
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})  # any other word may be sent, too
_NO_ROUTE = "none"
_NANO = 1_000_000_000
_REQUEST_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_STAGE_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_CALL_S = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120)


class Metrics:
    """Counters and histograms; `registry` has them all."""

    def __init__(self) -> None:
        own = self.registry = CollectorRegistry()
        ProcessCollector(registry=own)
        self._requests = Counter(
            "tirtha_http_requests", "HTTP requests answered.", ("method", "route", "status"), registry=own
        )
        self._request_s = Histogram(
            "tirtha_http_request_seconds",
            "Time until an HTTP request was answered to the end.",
            ("method", "route"),
            buckets=_REQUEST_S,
            registry=own,
        )
        self._stage_s = Histogram(
            "tirtha_stage_seconds",
            "Time of a stage of a question; recall has the wait for a thread in it.",
            ("stage",),
            buckets=_STAGE_S,
            registry=own,
        )
        self._call_s = Histogram(
            "tirtha_tier_call_seconds",
            "Time of one call of a model; `outcome` is answered, or the kind of fault.",
            ("tier", "outcome"),
            buckets=_CALL_S,
            registry=own,
        )
        self._tokens = Counter(
            "tirtha_tokens",
            "Tokens that calls of models were billed for; cached ones are part of prompt, reasoning ones of completion.",
            ("tier", "kind"),
            registry=own,
        )
        self._cost_usd = Counter("tirtha_cost_usd", "Cost of calls of models, US dollars.", ("tier",), registry=own)
        self._decisions = Counter(
            "tirtha_decisions", "Questions decided, by where they ended.", ("path",), registry=own
        )
        self._verdicts = Counter("tirtha_verdicts", "Judgements of guards.", ("guard", "status"), registry=own)
        self._cache = Counter(
            "tirtha_cache_requests", "Questions, by what the exact cache did.", ("result",), registry=own
        )
        self._turns = Counter("tirtha_remembered_turns", "Turns stored.", registry=own)
        self._tool_calls = Counter(
            "tirtha_mcp_tool_calls",
            "Calls of MCP tools over HTTP; `outcome` is answered, asked (the user's consent), refused or failed.",
            ("tool", "outcome"),
            registry=own,
        )
        self._audit = Counter(
            "tirtha_audit_failures", "Entries that could not be written to the audit log.", registry=own
        )
        self._show_zeroes()

    def _show_zeroes(self) -> None:
        """Name what may be counted, so that a rate is 0 and not absent until the first time."""
        for path in get_args(Path):
            self._decisions.labels(path)
        for result in get_args(CacheResult):
            self._cache.labels(result)
        for stage in get_args(Stage):
            self._stage_s.labels(stage)

    def answered(self, *, method: str, route: str, status: int, took_s: float) -> None:
        """Count an HTTP request. `route` is a template; "" where none matched."""
        method, route = method if method in _METHODS else "other", route or _NO_ROUTE
        self._requests.labels(method, route, str(status)).inc()
        self._request_s.labels(method, route).observe(took_s)

    def staged(self, stage: Stage, took_s: float) -> None:
        """Count a stage of a question."""
        self._stage_s.labels(stage).observe(took_s)

    def called(self, call: Call, how: Completion | ChatFailed) -> None:
        """Count a call of a model: its time, tokens and cost."""
        outcome = how.kind if isinstance(how, ChatFailed) else "answered"
        self._call_s.labels(call.tier, outcome).observe(call.latency_ms / 1_000)
        for kind in ("prompt", "completion", "cached", "reasoning"):
            self._tokens.labels(call.tier, kind).inc(getattr(call.usage, f"{kind}_tokens"))
        self._cost_usd.labels(call.tier).inc(call.cost_nanousd / _NANO)

    def decided(self, decision: Decision, *, anew: bool) -> None:
        """Count a decision; and, if it was made `anew` and is no copy of one, how its drafts were judged."""
        self._decisions.labels(decision.path).inc()
        if anew:
            judged = [attempt.verdicts for attempt in decision.attempts] or [decision.verdicts]
            for verdict in (one for verdicts in judged for one in verdicts):
                self._verdicts.labels(verdict.guard, verdict.status).inc()

    def looked_up(self, result: CacheResult) -> None:
        """Count a question by what the exact cache did."""
        self._cache.labels(result).inc()

    def remembered(self, turns: int) -> None:
        """Count turns that were stored."""
        self._turns.inc(turns)

    def called_tool(self, tool: str, outcome: str) -> None:
        """Count a call of one of our MCP tools."""
        self._tool_calls.labels(tool, outcome).inc()

    def audit_failed(self, entries: int) -> None:
        """Count entries of the audit log that were not written."""
        self._audit.inc(entries)
