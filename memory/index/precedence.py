"""Live requests go before indexing: they share two cores and Python's lock with it, and people wait for them.

The indexer works in slices and, before each, lets the live requests under way finish. It never waits for long: while questions
follow each other without a gap, it still has a fixed share of the time, so that what was remembered is indexed in the end.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from time import perf_counter

__all__ = ["Precedence"]

_PAUSE_FOR_WORK = 3.0  # so that a quarter of the time is the index's own
_LONGEST_PAUSE_S = 0.5


class Precedence:
    """Counts the live requests under way; used by any number of threads.

    For each second of work the indexer pauses at most `pause_for_work` seconds, and at once at most `longest_pause_s`.
    """

    def __init__(self, *, pause_for_work: float = _PAUSE_FOR_WORK, longest_pause_s: float = _LONGEST_PAUSE_S) -> None:
        self._pause_for_work = pause_for_work
        self._longest_pause_s = longest_pause_s
        self._changed = Condition()
        self._live = 0
        self._went_on_s = perf_counter()

    @contextmanager
    def live(self) -> Iterator[None]:
        """A request that somebody waits for; meanwhile the indexer pauses."""
        with self._changed:
            self._live += 1
        try:
            yield
        finally:
            with self._changed:
                self._live -= 1
                if not self._live:
                    self._changed.notify_all()

    def give_way(self) -> None:
        """Wait until no live request is under way, or as long as the work since the last pause has earned."""
        if self._live:
            worked_s = perf_counter() - self._went_on_s
            with self._changed:
                self._changed.wait_for(
                    lambda: not self._live, min(worked_s * self._pause_for_work, self._longest_pause_s)
                )
        self._went_on_s = perf_counter()
