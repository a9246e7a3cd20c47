"""Trace headers are read as W3C Trace Context says, and what is not valid counts as absent."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tirtha.observation.trace_context import TraceContext, read_trace

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
VALID = f"00-{TRACE}-{SPAN}-01"


def test_a_valid_header_is_read() -> None:
    found = read_trace([VALID], ["rojo=00f067aa0ba902b7 , congo=t61rcWkgMzE"])
    assert found == TraceContext(trace_id=TRACE, span_id=SPAN, flags=1, state="rojo=00f067aa0ba902b7,congo=t61rcWkgMzE")
    assert found.headers == {"traceparent": VALID, "tracestate": "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"}


@pytest.mark.parametrize(
    "header",
    [
        "",
        VALID.upper(),
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}",
        f"0-{TRACE}-{SPAN}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE[:-1]}g-{SPAN}-01",
        f"01-{TRACE}-{SPAN}-01.more",
        f"00-{TRACE}-{SPAN}-01\n",
        "\u0660" + VALID[1:],
    ],
)
def test_an_invalid_header_is_none_and_takes_the_state_along(header: str) -> None:
    assert read_trace([header], ["rojo=1"]) is None


def test_none_or_two_headers_are_none() -> None:
    assert read_trace([], ["rojo=1"]) is None
    assert read_trace([VALID, VALID], []) is None


def test_a_later_version_is_read_as_far_as_it_is_known_and_sent_as_ours() -> None:
    found = read_trace([f"cc-{TRACE}-{SPAN}-01-what-the-future-holds"], [])
    assert found is not None
    assert found.headers == {"traceparent": VALID}


def test_flags_that_are_not_known_are_cleared() -> None:
    found = read_trace([f"00-{TRACE}-{SPAN}-ff"], [])
    assert found is not None
    assert found.flags == 0b11


@pytest.mark.parametrize(
    ("headers", "state"),
    [
        (["a=1", "b=2,,c=3"], "a=1,b=2,c=3"),
        (["a=1,a=2"], ""),
        (["A=1"], ""),
        (["a"], ""),
        (["a="], ""),
        (["a=1=2"], ""),
        (["a=\u00e9"], ""),
        (["fw529a3039@dt=FfD0"], "fw529a3039@dt=FfD0"),
        ([",".join(f"k{n}=1" for n in range(33))], ""),
        ([",".join(f"k{n}=1" for n in range(32))], ",".join(f"k{n}=1" for n in range(32))),
        ([f"long={'x' * 200},b={'y' * 250},d={'z' * 200},c=1"], "c=1"),
        ([f"a={'x' * 256}"], f"a={'x' * 256}"),
        ([f"a={'x' * 257}"], ""),
    ],
)
def test_states_are_joined_checked_and_kept_short(headers: list[str], state: str) -> None:
    found = read_trace([VALID], headers)
    assert found is not None
    assert found.state == state


def test_a_state_that_is_too_long_loses_its_last_members() -> None:
    found = read_trace([VALID], [",".join(f"k{n}={'x' * 50}" for n in range(20))])
    assert found is not None
    assert len(found.state) <= 512
    assert found.state.startswith("k0=")


def test_a_child_is_another_span_of_the_same_trace() -> None:
    parent = TraceContext(trace_id=TRACE, span_id=SPAN, flags=1, state="a=1")
    child = parent.child()
    assert (child.trace_id, child.flags, child.state) == (TRACE, 1, "a=1")
    assert child.span_id != SPAN


def test_a_made_trace_is_valid() -> None:
    for _ in range(50):
        [header] = TraceContext.made().headers.values()
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", header)
        assert read_trace([header], []) is not None


@given(some.text(max_size=80), some.text(max_size=80))
def test_no_header_is_an_error(parent: str, state: str) -> None:
    read_trace([parent], [state])
    read_trace([VALID], [state, parent])
