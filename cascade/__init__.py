"""The cascade: from a context to a verified answer, or an abstention, with a record of how it came about.

Imports neither memory nor compaction: whoever calls it fills in a `Brief` and gives the means to widen it.
"""

from cascade.code_tasks import CodeCascade, CodeTask
from cascade.decision import Decision, MaxTier, dollars
from cascade.engine import Cascade, Ended
from cascade.policy import Policy
from cascade.ports import Brief, Contexts, Quote, TimeSaid
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
