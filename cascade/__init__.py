"""The cascade: from a context to a verified answer, or an abstention, with a record of how it came about.

Imports neither memory nor compaction: the caller fills in a `Brief` and gives the means to widen it. What needs the clients
of models is imported when it is first asked for (PEP 562), so that a command which asks none starts in a third of the time.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from cascade.decision import Decision, MaxTier, dollars
from cascade.model import Brief, Quote, TimeSaid
from cascade.policy import Policy
from cascade.ports import Contexts

if TYPE_CHECKING:
    from cascade.code_tasks import CodeCascade, CodeTask
    from cascade.engine import Cascade
    from cascade.run import Ended
    from cascade.storage.ledger import Ledger

__all__ = [
    "Brief",
    "Cascade",
    "CodeCascade",
    "CodeTask",
    "Contexts",
    "Decision",
    "Ended",
    "Ledger",
    "MaxTier",
    "Policy",
    "Quote",
    "TimeSaid",
    "dollars",
]

_WHEN_ASKED_FOR = {
    "Cascade": "cascade.engine",
    "CodeCascade": "cascade.code_tasks",
    "CodeTask": "cascade.code_tasks",
    "Ended": "cascade.run",
    "Ledger": "cascade.storage.ledger",
}


def __getattr__(name: str) -> object:
    """Import what is asked for. Raises AttributeError."""
    if name not in _WHEN_ASKED_FOR:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_WHEN_ASKED_FOR[name]), name)
