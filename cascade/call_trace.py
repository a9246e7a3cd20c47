"""The trace of one request: its deadline, and every call that was made for it, answered or not."""

from time import perf_counter

from cascade.decision import Call

__all__ = ["Trace"]


class Trace:
    """What one request has used so far, and how long it still has."""

    def __init__(self, *, started_s: float, deadline_s: float) -> None:
        self.started_s = started_s
        self.calls: list[Call] = []
        self._ends_s = started_s + deadline_s

    def remaining_s(self) -> float:
        """Return the seconds left, never below 0."""
        return max(0.0, self._ends_s - perf_counter())

    def latency_ms(self) -> int:
        """Return the milliseconds since the request came in."""
        return round((perf_counter() - self.started_s) * 1_000)
