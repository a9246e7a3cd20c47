"""What callers ask of the service, as its methods take it."""

from dataclasses import dataclass
from datetime import datetime

from cascade import MaxTier
from memory import Scope

__all__ = ["Ask"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question of a scope; `budget` and `asked_at` default to the settings' and to now. `max_tier` is the dearest allowed."""

    scope: Scope
    question: str
    budget: int | None = None
    asked_at: datetime | None = None
    session_id: str | None = None
    max_tier: MaxTier = "frontier"
