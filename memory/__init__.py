"""Memory: what was said, kept verbatim and for good, and recalled across sessions.

Knows nothing of budgets, models that answer, or HTTP. The types are here; `memory.api.open_memory` is the way in, apart because
the engine takes a second to import.
"""

from memory.model import (
    ArchivedTurn,
    Counts,
    Evidence,
    Extent,
    Flag,
    Follow,
    Followed,
    Instruction,
    NewTurn,
    Placed,
    Receipt,
    Recollection,
    Remember,
    Restore,
    Restored,
    Scope,
    SessionSummary,
    Turn,
    TurnCursor,
    TurnPk,
    UserSummary,
)

__all__ = [
    "ArchivedTurn",
    "Counts",
    "Evidence",
    "Extent",
    "Flag",
    "Follow",
    "Followed",
    "Instruction",
    "NewTurn",
    "Placed",
    "Receipt",
    "Recollection",
    "Remember",
    "Restore",
    "Restored",
    "Scope",
    "SessionSummary",
    "Turn",
    "TurnCursor",
    "TurnPk",
    "UserSummary",
]
