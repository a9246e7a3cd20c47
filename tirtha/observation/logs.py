"""Log lines: as text or as JSON, each with the request it belongs to, and none with a word that somebody said.

Three things could carry such words into a log, and are kept from it here. Messages of exceptions quote what they choke on, so that
a traceback has its frames and types without them. Libraries log whole requests to models when they may, so that their own lines are
shown from warnings on, whatever level ours have. And access lines have the route's template, not the path with its ids.
"""

import json
import logging
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType

from tirtha.observation.request import REQUEST
from tirtha.settings import LogFormat, LogLevel
from tirtha.terminal import PrintableFormatter

__all__ = ["JsonFormatter", "TextFormatter", "set_up_logging"]

_OURS = ("tirtha", "language", "memory", "compaction", "cascade", "uvicorn")
_WHOLE = "%(asctime)s %(levelname)s %(name)s %(message)s"
_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def set_up_logging(level: LogLevel, form: LogFormat) -> None:
    """Write the log to standard error: our lines from `level` on, those of libraries from warnings on."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter(_WHOLE))
    ours = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(level=max(ours, logging.WARNING), handlers=[handler])
    for name in _OURS:
        logging.getLogger(name).setLevel(ours)


class TextFormatter(PrintableFormatter):
    """A line of text, with the request in brackets at its end."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the line without its traceback."""
        record.message = _message(record)
        about = " ".join(f"{name}={value}" for name, value in _about().items())
        return super().formatMessage(record) + (f" [{about}]" if about else "")

    def formatException(self, ei: _ExcInfo) -> str:  # noqa: N802 - logging's name
        """Return the frames and types of an error, without its message."""
        return _withheld(ei[1])


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `at`, `level`, `logger`, `message`; what is known of the request; `error` for a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; ASCII only, so that it can neither steer a terminal nor end early."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "level": record.levelname.lower(), "logger": record.name, "message": _message(record)}
        line |= _about() | getattr(record, "fields", {})
        if record.exc_info:
            line["error"] = _withheld(record.exc_info[1])
        return json.dumps(line)


def _about() -> dict[str, str]:
    """Return what is known of the request that is being answered."""
    seen = REQUEST.get()
    if seen is None:
        return {}
    known = {"request_id": seen.id, "tenant": seen.tenant, "decision_id": seen.decision_id}
    return {name: value for name, value in known.items() if value}


def _message(record: logging.LogRecord) -> str:
    """Return the message; of asyncio's, which go on with the failed task and its error in full, the first line."""
    message = record.getMessage()
    return message.partition("\n")[0] if record.name == "asyncio" else message


def _withheld(error: BaseException | None) -> str:
    return "".join(_frames(error)).rstrip("\n") if error else ""


def _frames(error: BaseException) -> Iterator[str]:
    """Yield the frames and the type of an error, of what it came from first, and of those that it groups."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _frames(before)
        yield "which led to\n"
    yield from traceback.format_tb(error.__traceback__)
    yield f"{type(error).__module__}.{type(error).__qualname__} (its message is withheld)\n"
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _frames(one)
