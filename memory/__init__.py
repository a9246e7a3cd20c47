"""Memory: what was said, kept verbatim and for good, and recalled across sessions.

Knows nothing of budgets, models that answer, or HTTP. `open_memory` is the way in.
"""

from memory.memory import Memory, MemorySettings, open_memory
from memory.store import Remember
from memory.turns import Evidence, NewTurn, Receipt, Recollection, Scope, Turn

__all__ = [
    "Evidence",
    "Memory",
    "MemorySettings",
    "NewTurn",
    "Receipt",
    "Recollection",
    "Remember",
    "Scope",
    "Turn",
    "open_memory",
]
