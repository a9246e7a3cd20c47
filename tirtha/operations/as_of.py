"""As of: what of a memory a question may see, by when it was said."""

from datetime import datetime
from typing import Literal

__all__ = ["AsOf", "until"]

AsOf = Literal["asked_at"] | None  # "asked_at": what was said after that does not exist for the question


def until(as_of: AsOf, asked_at: datetime) -> datetime | None:
    """Return the time after which nothing exists for a question; None if it sees everything."""
    return asked_at if as_of == "asked_at" else None
