"""Memory: what was said, kept verbatim and for good, and recalled across sessions.

Knows nothing of budgets, models that answer, or HTTP. `open_memory` is the way in.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from memory.store import Remember
from memory.turns import Evidence, NewTurn, Receipt, Recollection, Scope, Turn

if TYPE_CHECKING:
    from memory.memory import Memory, MemorySettings, open_memory

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


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the module holds
    """Import the engine when it is first asked for (PEP 562): whoever needs only types and errors need not wait for it."""
    if name in __all__:
        return getattr(import_module("memory.memory"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
