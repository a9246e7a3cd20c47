"""Plain values on the wire: numbers, texts and containers of them, as tagged JSON; nothing that could carry behaviour.

A value of a subclass goes over as its base's plain value, read by the base's own methods, so that an overridden `__eq__`,
`__iter__` or `__float__` never decides anything on the other side.
"""

import json
from typing import Any

__all__ = ["NotPlain", "decode", "encode"]

_DEEPEST = 200


class NotPlain(ValueError):
    """The value is no plain one; the message names its type."""


def encode(value: Any) -> str:
    """Write a plain value as one line. Raises NotPlain."""
    return json.dumps(_tagged(value, 0), ensure_ascii=True, separators=(",", ":"))


def decode(line: str) -> Any:
    """Read what `encode` wrote. Raises NotPlain for anything else."""
    try:
        return _untagged(json.loads(line), 0)
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as fault:
        raise NotPlain(f"the value cannot be read: {type(fault).__name__}") from None


def _tagged(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        raise NotPlain("the value is nested too deeply")
    scalar = _scalar(value)
    if scalar is not None:
        return scalar
    for kind, name, read in _CONTAINERS:
        if isinstance(value, kind):
            return [name, [_tagged(item, depth + 1) for item in read(value)]]
    if isinstance(value, dict):
        items = dict.items(value)
        return ["dict", [[_tagged(key, depth + 1), _tagged(item, depth + 1)] for key, item in items]]
    raise NotPlain(f"a value of type {type(value).__name__} is not plain")


_CONTAINERS: tuple[tuple[Any, str, Any], ...] = (
    (list, "list", list.__iter__),
    (tuple, "tuple", tuple.__iter__),
    (set, "set", set.__iter__),
    (frozenset, "frozenset", frozenset.__iter__),
)
_MADE: dict[str, Any] = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}


def _scalar(value: Any) -> Any:
    if value is None:
        return ["none"]
    if value is True or value is False:
        return ["bool", value]
    if isinstance(value, int):
        return ["int", int.__format__(value, "x")]  # linear in its length, as decimal digits are not
    if isinstance(value, float):
        return ["float", float.__repr__(value)]
    if isinstance(value, complex):
        return ["complex", float.__repr__(value.real), float.__repr__(value.imag)]
    if isinstance(value, str):
        return ["str", str.__str__(value)]
    if isinstance(value, bytes):
        return ["bytes", bytes.hex(value)]
    return None


def _untagged(tagged: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        raise NotPlain("the value is nested too deeply")
    name, *rest = tagged
    match name:
        case "none":
            return None
        case "bool":
            return bool(rest[0])
        case "int":
            return int(rest[0], 16)
        case "float":
            return float(rest[0])
        case "complex":
            return complex(float(rest[0]), float(rest[1]))
        case "str":
            return str(rest[0])
        case "bytes":
            return bytes.fromhex(rest[0])
        case "dict":
            return {_untagged(key, depth + 1): _untagged(item, depth + 1) for key, item in rest[0]}
        case _:
            return _MADE[name](_untagged(item, depth + 1) for item in rest[0])
