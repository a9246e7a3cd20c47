"""Python and JSON as models write them: whether a text is either, and the objects that stand in a text.

Lenient only where one reading is possible: a trailing comma, a comment, Python's quotes and names, a line end within a string. It
does not know smart quotes, nor an object that was cut off.
"""

import ast
import json
import re
import warnings
from collections.abc import Collection, Iterator
from typing import Final, NoReturn

__all__ = ["NO_PYTHON", "answer_object", "compiles", "is_json", "last_object", "parse", "parsed"]

NO_PYTHON: Final = (SyntaxError, ValueError, RecursionError, MemoryError)
_MOST_REPAIRED = 20  # objects of a text that are repaired if they are no JSON: each try takes time
_STRING = r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\''
_BRACES = re.compile(rf"{_STRING}|[{{}}]", re.DOTALL)
_LOOSE = re.compile(
    rf"(?P<string>{_STRING})|(?P<noise>//[^\n]*|/\*.*?\*/|,(?=\s*[}}\]]))|(?P<key>[A-Za-z_]\w*)(?=\s*:)|(?P<word>\b[A-Za-z]+\b)",
    re.DOTALL,
)
_IN_JSON = {"None": "null", "True": "true", "False": "false"}
_IN_PYTHON = {word: name for name, word in _IN_JSON.items()}


def parse(source: str) -> ast.Module:
    """Parse Python without its warnings. Raises one of NO_PYTHON."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def parsed(source: str) -> ast.Module | None:
    """Return the tree of a Python text, None if it is none."""
    try:
        return parse(source)
    except NO_PYTHON:
        return None


def compiles(source: str) -> bool:
    """Whether Python would take a program; nothing of it is run."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source, "<program>", "exec", dont_inherit=True)
    except NO_PYTHON:
        return False
    return True


def is_json(text: str) -> bool:
    """Whether all of `text` is one JSON object or list."""
    bare = text.strip()
    return bare[:1] in {"{", "["} and _decoded(bare) == len(bare)


def last_object(text: str, keys: Collection[str]) -> dict[str, object] | None:
    """Return the last complete object in `text` that has one of `keys`, with all its keys in lower case; None without one."""
    found = None
    for one in _objects(text, keys):
        found = one
    return found


def answer_object(text: str) -> dict[str, object] | None:
    """Return the last complete object in `text` that has an "answer", also if it was written as a string of JSON."""
    found = last_object(text, {"answer"}) or last_object(_unquoted(text), {"answer"})
    inner = found and isinstance(found["answer"], str) and last_object(found["answer"], {"answer"})
    return {**found, **inner} if found and inner else found


def _unquoted(text: str) -> str:
    """Return what a JSON string says, "" for anything else."""
    bare = text.strip()
    try:
        read = json.loads(bare) if bare.startswith('"') else ""
    except ValueError:
        return ""
    return read if isinstance(read, str) else ""


def _objects(text: str, keys: Collection[str]) -> Iterator[dict[str, object]]:
    """Walk through the outermost objects that have one of `keys`; one without them is looked into."""
    at, repaired = 0, 0
    while (at := text.find("{", at)) >= 0:
        read, end = _read(text, at)
        if read is None and repaired < _MOST_REPAIRED:
            repaired += 1
            read, end = _repaired(text, at)
        named = {key.strip().casefold(): value for key, value in (read or {}).items()}
        if named.keys() & set(keys):
            yield named
            at = end
        else:
            at += 1


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


# Numbers with a point keep their digits, as text: 5.10 is not 5.1. Line ends within strings are taken as they are.
_DECODER = json.JSONDecoder(strict=False, parse_float=str, parse_constant=_no_number)


def _read(text: str, at: int) -> tuple[dict[str, object] | None, int]:
    try:
        read, end = _DECODER.raw_decode(text, at)
    except (ValueError, ArithmeticError, RecursionError):
        return None, at
    return (read, end) if isinstance(read, dict) else (None, at)


def _decoded(text: str) -> int:
    try:
        return _DECODER.raw_decode(text)[1]
    except (ValueError, ArithmeticError, RecursionError):
        return -1


def _repaired(text: str, at: int) -> tuple[dict[str, object] | None, int]:
    """Read an object that is nearly JSON, or is Python's."""
    end = _closing(text, at)
    if end is None:
        return None, at
    body = text[at:end]
    read, _ = _read(_LOOSE.sub(_as_json, body), 0)
    return (read or _literal(_LOOSE.sub(_as_python, body))), end


def _closing(text: str, at: int) -> int | None:
    """Return where the object ends that begins at `at`; braces within strings do not count."""
    depth = 0
    for token in _BRACES.finditer(text, at):
        depth += {"{": 1, "}": -1}.get(token[0], 0)
        if depth == 0:
            return token.end()
    return None


def _as_json(found: re.Match[str]) -> str:
    if found["noise"]:
        return ""
    return f'"{found["key"]}"' if found["key"] else _IN_JSON.get(found[0], found[0])


def _as_python(found: re.Match[str]) -> str:
    if found["noise"]:
        return ""
    return f'"{found["key"]}"' if found["key"] else _IN_PYTHON.get(found[0], found[0])


def _literal(body: str) -> dict[str, object] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read = ast.literal_eval(body)
    except (*NO_PYTHON, TypeError):
        return None
    return read if isinstance(read, dict) and all(isinstance(key, str) for key in read) else None
