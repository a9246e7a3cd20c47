"""Log lines: one line a record, the request in each, and no message of an error."""

import json
import logging
import sys

import pytest

from tirtha.observation.logs import JsonFormatter, TextFormatter
from tirtha.observation.request import REQUEST, RequestSeen, request_id_of

SAID = "my cat is called Miso"


def record(message: str, *arguments: object, name: str = "tirtha.x", error: BaseException | None = None) -> str:
    """A record as JSON."""
    return JsonFormatter().format(made(message, *arguments, name=name, error=error))


def made(
    message: str, *arguments: object, name: str = "tirtha.x", error: BaseException | None = None
) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord(name, logging.WARNING, __file__, 1, message, arguments, info)


def raised() -> BaseException:
    """An error with two others behind it, each of which quotes a text."""
    try:
        try:
            int(SAID)
        except ValueError as fault:
            raise ExceptionGroup(SAID, [KeyError(SAID)]) from fault
    except ExceptionGroup:
        error = sys.exc_info()[1]
    assert error is not None
    return error


def test_a_json_line_has_the_request_and_what_the_record_brings() -> None:
    token = REQUEST.set(RequestSeen(id="r1", tenant="t1", decision_id="d1"))
    try:
        line = made("done in %d ms", 7)
        line.fields = {"status": 200, "route": "/v1/ask"}
        written = json.loads(JsonFormatter().format(line))
    finally:
        REQUEST.reset(token)
    assert written.pop("at").endswith("+00:00")
    assert written == {
        "level": "warning",
        "logger": "tirtha.x",
        "message": "done in 7 ms",
        "request_id": "r1",
        "tenant": "t1",
        "decision_id": "d1",
        "status": 200,
        "route": "/v1/ask",
    }


def test_a_line_of_no_request_names_none() -> None:
    assert set(json.loads(record("started"))) == {"at", "level", "logger", "message"}


def test_a_json_line_is_one_line_and_steers_nothing() -> None:
    line = record("a\nb\x1b[2J\u202e\u2028%s", "\x9b")
    assert "\n" not in line
    assert line.isascii()
    assert json.loads(line)["message"] == "a\nb\x1b[2J\u202e\u2028\x9b"


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter("%(message)s")], ids=["json", "text"])
def test_an_error_has_its_frames_and_types_and_not_its_words(formatter: logging.Formatter) -> None:
    written = formatter.format(made("it broke", error=raised()))
    for shown in ("it broke", "ValueError", "ExceptionGroup", "KeyError", "test_logs.py", "which led to"):
        assert shown in written
    assert SAID not in written


def test_a_text_line_ends_with_its_request() -> None:
    token = REQUEST.set(RequestSeen(id="r1", tenant="t\n1"))
    try:
        written = TextFormatter("%(levelname)s %(message)s").format(made("done"))
    finally:
        REQUEST.reset(token)
    assert written == "WARNING done [request_id=r1 tenant=t\n  | 1]", "a tenant cannot make a line of its own"


def test_of_a_task_that_failed_only_the_first_line_is_logged() -> None:
    message = f"Task exception was never retrieved\nfuture: <Task exception=ValueError('{SAID}')>"
    assert SAID not in record(message, name="asyncio")


@pytest.mark.parametrize("given", ["a", "A-b_c.9", "x" * 128])
def test_a_sane_id_is_kept(given: str) -> None:
    assert request_id_of(given) == given


@pytest.mark.parametrize("given", [None, "", "x" * 129, "a b", "a\n", "\u0661", "a/b", "{}"])
def test_another_one_is_replaced(given: str | None) -> None:
    made, again = request_id_of(given), request_id_of(given)
    assert made != given
    assert made != again
    assert len(made) == 32
