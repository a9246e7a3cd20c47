"""Memory: what was said, kept verbatim and for good, and recalled across sessions.

Knows nothing of budgets, models that answer, or HTTP. `open_memory` is the way in.
"""

from typing import TYPE_CHECKING

from memory.store import Remember
from memory.turns import Evidence, NewTurn, Receipt, Recollection, Scope, Turn

if TYPE_CHECKING:
    from memory.memory import Memory, MemorySettings, open_memory
else:

    def __getattr__(name: str) -> object:
        """Import the engine when it is first asked for (PEP 562): whoever needs only types and errors need not wait for it."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from memory import memory as engine  # noqa: PLC0415 - that is the point

        return getattr(engine, name)


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
