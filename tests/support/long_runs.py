"""Long tests: begun for so many minutes at most, and gone on with where the last run stopped.

A pytest plugin. What has passed is noted in pytest's cache and not run again, until all of it has passed; then it begins anew.
"""

from time import monotonic

import pytest

__all__ = ["LongRuns", "pytest_addoption", "pytest_configure"]

_PASSED = "tirtha/long-passed"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --minutes."""
    parser.addoption("--minutes", type=float, help="begin no further long test after so many minutes")


def pytest_configure(config: pytest.Config) -> None:
    """Watch over the long tests if they are asked for."""
    minutes = config.getoption("--minutes")
    if minutes is not None:
        config.pluginmanager.register(LongRuns(config, limit_s=60 * float(minutes)))


class LongRuns:
    """Which long tests have passed, and how much time is left to begin another."""

    def __init__(self, config: pytest.Config, *, limit_s: float) -> None:
        self._cache = config.cache
        self._ends_s = monotonic() + limit_s
        self._passed: set[str] = set(self._cache.get(_PASSED, [])) if self._cache else set()

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what has passed already; if that is all of it, begin anew."""
        if {item.nodeid for item in items} <= self._passed:
            self._passed.clear()
        done = [item for item in items if item.nodeid in self._passed]
        items[:] = [item for item in items if item.nodeid not in self._passed]
        config.hook.pytest_deselected(items=done)

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Skip a test for which no time is left."""
        if monotonic() > self._ends_s:
            pytest.skip(f"the time is up; another run goes on with {item.name}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what has passed."""
        if report.when == "call" and report.passed and self._cache:
            self._passed.add(report.nodeid)
            self._cache.set(_PASSED, sorted(self._passed))
