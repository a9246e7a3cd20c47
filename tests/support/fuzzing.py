"""What Schemathesis is given beside the schema, loaded into its own process by its configuration (`hooks`).

The schema says of lines and files only that they are text or bytes. Here they are made: an export of a memory that was made before,
`export.jsonl` in the working folder, with some of its values changed and a trailer that fits; turns a line; and bytes that mean
nothing. `kept_keys.json` there lists the ids of keys that are not to be revoked.
"""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import strategies as st

__all__ = ["filter_case"]

Json = None | bool | int | float | str | list[Any] | dict[str, Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]

_lines = [json.loads(line) for line in Path("export.jsonl").read_bytes().splitlines()]
_kept_keys = set(json.loads(Path("kept_keys.json").read_bytes()))
_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
_anything: st.SearchStrategy[Json] = st.recursive(
    _scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5
)


@st.composite
def _changed(draw: Draw, value: Json, times: int = 1) -> Json:
    """A value, of which some part is another one, or missing, or more than it was."""
    steps: list[Any] = []
    part: Any = value
    while isinstance(part, dict | list) and part and draw(st.integers(0, 5)):
        keys = sorted(part) if isinstance(part, dict) else range(len(part))
        steps.append(draw(st.sampled_from(keys)))
        part = part[steps[-1]]
    copy: Any = json.loads(json.dumps(value))
    if not steps:
        return draw(_anything)  # type: ignore[no-any-return]
    holder = copy
    for step in steps[:-1]:
        holder = holder[step]
    match draw(st.sampled_from(["replace", "remove", "add"])):
        case "remove":
            del holder[steps[-1]]
        case "add" if isinstance(holder, dict):
            holder[draw(st.text())] = draw(_anything)
        case _:
            holder[steps[-1]] = draw(_anything)
    return copy  # type: ignore[no-any-return]


@st.composite
def _exports(draw: Draw) -> bytes:
    """An export, whose header and lines are sometimes as they should be."""
    header, *held, _ = _lines
    header = draw(st.just(header) | _changed(header))
    lines = draw(st.lists(st.sampled_from(held).flatmap(lambda line: st.just(line) | _changed(line)), max_size=6))
    body = b"".join(_line(line) for line in lines)
    counts = {"turn": len(lines), "decision": 0, "answer": 0}
    trailer = {"kind": "trailer", "counts": counts, "sha256": sha256(body).hexdigest()}
    return _line(header) + body + _line(draw(st.just(trailer) | _changed(trailer)))


@st.composite
def _turns(draw: Draw) -> bytes:
    turn = {"user_id": "u1", "session_id": "s1", "id": "t1", "role": "user", "text": "The key is under the stone."}
    return b"".join(_line(one) for one in draw(st.lists(st.just(turn) | _changed(turn), max_size=5)))


@st.composite
def _conversations(draw: Draw) -> bytes:
    """A file as ChatGPT writes one."""
    said = {"author": {"role": "user"}, "create_time": 1.7e9, "content": {"content_type": "text", "parts": ["Hello."]}}
    mapping: Json = {"n1": {"id": "n1", "message": said | {"id": "n1"}, "parent": None, "children": []}}
    file = [{"title": "One", "create_time": 1.7e9, "mapping": mapping, "current_node": "n1", "conversation_id": "c1"}]
    return _line(draw(st.just(file) | _changed(file)))


def _line(value: Json) -> bytes:
    return json.dumps(value).encode() + b"\n"


schemathesis.openapi.media_type("application/x-ndjson", _exports() | _turns() | st.binary())
schemathesis.openapi.media_type("application/octet-stream", _exports() | _conversations() | st.binary())


@schemathesis.hook
def filter_case(context: schemathesis.HookContext, case: schemathesis.Case[Any]) -> bool:
    """Leave the caller able to call: its tenant's limits stay, and its key is not revoked.

    Else the first such request would be the last one that finds out anything: 429 or 401 to all that follow. Nor is a bulk of
    turns held to be refused where a line is wrong: the good ones are stored, and the bad ones named in a 201.
    """
    named = case.path_parameters or {}
    match case.operation.label:
        case "POST /v1/remember":
            wrong = case.meta is not None and case.meta.generation.mode.is_negative
            return not (wrong and case.media_type == "application/x-ndjson")
        case "PATCH /v1/tenants/{name}":
            return named.get("name") != "default"
        case "DELETE /v1/keys/{key_id}":
            return named.get("key_id") not in _kept_keys
        case _:
            return True
