"""What is wrong with a request, in words: where, and why."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

__all__ = ["located", "sentence", "why"]

_MOST_NAMED = 3


def located(path: Sequence[int | str]) -> str:
    """Write a place in the request: turns[1].text."""
    place = ""
    for step in path:
        place += f"[{step}]" if isinstance(step, int) else f".{step}" if place else str(step)
    return place or "body"


def why(error: Mapping[str, Any]) -> str:
    """Return what is wrong with a field, without pydantic's prefix."""
    if error["type"] == "extra_forbidden":
        return "is not a field of this request"
    if error["type"] == "missing":
        return "is required"
    if error["type"] in {"model_type", "model_attributes_type"}:
        return "must be an object"
    if error["type"] == "string_unicode":
        return "holds half a surrogate pair, which is no character"
    return str(error["msg"]).removeprefix("Value error, ")


def sentence(fault: ValidationError, whole: str) -> str:
    """Return what is wrong with the first few fields as a sentence; what concerns no field in particular is blamed on `whole`."""
    errors = fault.errors()[:_MOST_NAMED]
    return "; ".join(f"{located(error['loc']) if error['loc'] else whole}: {why(dict(error))}" for error in errors)
