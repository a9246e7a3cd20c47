"""Where the tests' processor time goes, by file: `pytest -p tests.support.processor_time`, in one process.

The clock on the wall says little on a machine that does other work. Counts processes that a test started and has waited for.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest

_SHOWN = 40
_spent_s: defaultdict[str, float] = defaultdict(float)
_tests: Counter[str] = Counter()


def _now_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _measured(item: pytest.Item) -> Iterator[None]:
    began_s = _now_s()
    yield
    _spent_s[item.nodeid.partition("::")[0]] += _now_s() - began_s


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    _tests[item.nodeid.partition("::")[0]] += 1
    yield from _measured(item)


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    yield from _measured(item)


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    yield from _measured(item)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.section(f"processor time: {sum(_spent_s.values()):.1f} s in {sum(_tests.values())} tests")
    for file, seconds in sorted(_spent_s.items(), key=lambda one: -one[1])[:_SHOWN]:
        terminalreporter.write_line(f"{seconds:7.1f} s  {_tests[file]:5} tests  {file}")
