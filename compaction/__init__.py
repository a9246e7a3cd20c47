"""Compaction: from evidence to a context within a hard token budget, every line with its turn.

Knows memory's types and nothing of search, storage or models. `distill` is the way, `stuff` the fallback, and
`compact` shortens a conversation that is handed in.
"""

from compaction.conversation import Compacted, Piece, compact
from compaction.distill import distill
from compaction.errors import BudgetTooSmall, WindowTooSmall
from compaction.rendering import Context, ContextLine, forget_rows
from compaction.stuff import raw_tokens, stuff
from compaction.tokens import count_tokens

__all__ = [
    "BudgetTooSmall",
    "Compacted",
    "Context",
    "ContextLine",
    "Piece",
    "WindowTooSmall",
    "compact",
    "count_tokens",
    "distill",
    "forget_rows",
    "raw_tokens",
    "stuff",
]
