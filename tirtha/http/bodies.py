"""Bodies as bytes: which are lines of JSON, and one strict reader of JSON, in UTF-8 and without an ambiguity.

Python's own reader guesses UTF-16 and UTF-32, takes the last of two equal keys, and knows NaN; a caller who sends any of these
has made a mistake that would pass silently. It does not know what a request means.
"""

import json
from collections.abc import Sequence

from starlette.exceptions import HTTPException

__all__ = ["NDJSON", "BadBody", "check_encoding", "is_json", "is_ndjson", "read_json"]

NDJSON = "application/x-ndjson"
_NDJSON_TYPES = frozenset(
    f"application/{name}"
    for name in ("x-ndjson", "ndjson", "jsonl", "x-jsonl", "jsonlines", "x-jsonlines", "json-lines")
)


class BadBody(HTTPException):
    """A body, or a line of one, that cannot be read: 400, or 422 where it is JSON and yet means nothing certain."""

    def __init__(self, status: int, *, why: str, at: str = "body") -> None:
        self.at = at
        self.why = why
        super().__init__(status, f"{at} {why}" if at != "body" else f"the body {why}")


def is_json(content_type: str) -> bool:
    """Return whether a content type means one JSON value."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def is_ndjson(content_type: str) -> bool:
    """Return whether a content type means a JSON value a line, whatever its case and parameters."""
    return content_type.partition(";")[0].strip().lower() in _NDJSON_TYPES


def check_encoding(body: bytes) -> None:
    """Raise BadBody if the body, or the first line of one, is JSON in UTF-16 or UTF-32."""
    encoding = json.detect_encoding(body)
    if not encoding.startswith("utf-8"):
        raise BadBody(400, why=f"is {encoding[:6].upper()}; send UTF-8")


def read_json(body: bytes) -> object:
    """Parse one JSON value; a byte-order mark before it is ignored. Raises BadBody."""
    check_encoding(body)
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise BadBody(400, why=f"is not UTF-8: 0x{body[fault.start]:02x} at byte {fault.start:,}") from None
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as fault:
        raise BadBody(400, why=f"is no JSON: {fault.msg} at character {fault.pos:,}") from None
    except RecursionError:
        raise BadBody(400, why="is nested too deeply to be read") from None
    except ValueError:  # Python's limit on the digits of an integer
        raise BadBody(400, why="holds a number with too many digits to be read") from None


def _object(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    read = dict(pairs)
    if len(read) < len(pairs):
        names = [name for name, _ in pairs]
        raise BadBody(422, why="is given more than once", at=next(name for name in names if names.count(name) > 1))
    return read


def _no_number(name: str) -> object:
    raise BadBody(400, why=f"is no JSON: {name} is no number of it")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_number)
