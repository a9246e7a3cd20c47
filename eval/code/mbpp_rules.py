"""MBPP+'s own rules (evalplus 0.3.1, Apache-2.0): types that JSON inputs lost, and tasks whose right answers are not one value."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["accepts", "only_found", "saying_found", "with_types"]

Inputs = Sequence[Any]


def with_types(task_id: str, inputs: Inputs) -> tuple[Any, ...]:
    """Return a task's arguments with the types that they had before they were written as JSON."""
    shape = _SHAPES.get(int(task_id.rpartition("/")[2]))
    return tuple(shape(inputs) if shape else inputs)


def only_found(entry_point: str) -> bool:
    """Return whether all that counts of a value is that there is one: it may be an object, such as a match."""
    return entry_point in _FOUND


def saying_found(entry_point: str, program: str) -> str:
    """Return a program that says "found" instead of returning such an object."""
    return program + _SAYING_FOUND.format(entry_point=entry_point)


def accepts(entry_point: str, inputs: Inputs, expected: object, got: object) -> bool | None:
    """Judge a value by the task's own rule; None for a task without one, or where equality decides after all."""
    if entry_point == "are_equivalent" or (entry_point == "sum_div" and got == 0):
        return True
    if entry_point == "surface_Area":
        return True if isinstance(got, int | float) and got == _surface_area(*inputs) else None
    if entry_point == "digit_distance_nums":
        return True if got == _digit_distance(*inputs) else None
    if entry_point in _SETS:
        return _as_set(got) == _as_set(expected)
    if only_found(entry_point):
        return got == expected if isinstance(got, bool) else expected == (got is not None)
    return None


_SETS = frozenset(
    "Diff common_in_nested_lists extract_singly find_char_long find_dissimilar intersection_array larg_nnum".split()
) | {"similar_elements"}
_FOUND = frozenset("check_str text_match_three text_starta_endb".split())
_SAYING_FOUND = """

_find = {entry_point}


def {entry_point}(*args, **kwargs):
    value = _find(*args, **kwargs)
    return value if value is None or isinstance(value, bool) else "found"
"""


def _as_set(value: object) -> object:
    try:
        return set(value) if isinstance(value, list | tuple | set | str) else value
    except TypeError:
        return value


def _surface_area(base_edge: float, height: float) -> int:
    """Read "height" as the distance from the base to the apex."""
    slant = math.sqrt((base_edge / 2) ** 2 + height**2)
    return round(base_edge**2 + 2 * base_edge * slant)


def _digit_distance(first: int, second: int) -> int:
    width = max(len(str(first)), len(str(second)))
    pairs = zip(str(first).zfill(width), str(second).zfill(width), strict=True)
    return sum(abs(int(a) - int(b)) for a, b in pairs)


def _tuples(values: Inputs) -> list[Any]:
    return [tuple(value) for value in values]


def _deep_tuples(value: object) -> Any:  # noqa: ANN401 - whatever the list holds
    return tuple(map(_deep_tuples, value)) if isinstance(value, list) else value


_GROUPS: Sequence[tuple[str, Callable[[Inputs], Sequence[Any]]]] = (
    ("2 116 132 143 222 261 273 394 399 421 424 429 470 560 579 596 616 630 726 740 744 809", _tuples),
    ("63 64 70 94 120 237 272 299 400 409 417 438 473 614 780", lambda args: [_tuples(arg) for arg in args]),
    ("75 413 444 753", lambda args: [_tuples(args[0]), args[1]]),
    ("106 750", lambda args: [args[0], tuple(args[1])]),
    ("115", lambda args: [[set(item) if isinstance(item, list) and item else {} for item in args[0]]]),
    ("124", lambda args: [float(args[0]), complex(args[1])]),
    ("250 405 446 617 720 763 808", lambda args: [tuple(args[0]), args[1]]),
    ("259 401 445", lambda args: [tuple(_tuples(arg)) for arg in args]),
    ("278", lambda args: [tuple(tuple(item) if isinstance(item, list) else item for item in args[0])]),
    ("307", lambda args: [tuple(args[0]), args[1], args[2]]),
    ("722", lambda args: [{key: tuple(value) for key, value in args[0].items()}, *args[1:]]),
    ("252", lambda args: [complex(args[0])]),
    ("580 615 791", lambda args: _deep_tuples(list(args))),
)
_SHAPES: Mapping[int, Callable[[Inputs], Sequence[Any]]] = {
    int(task): shape for tasks, shape in _GROUPS for task in tasks.split()
}
