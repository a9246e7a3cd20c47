"""The cascade: from a context to a verified answer, or an abstention, with a record of how it came about.

Imports neither memory nor compaction: whoever calls it fills in a `Brief`.
"""

from cascade.decision import Decision, dollars
from cascade.engine import Cascade
from cascade.extractive import ExtractiveTier
from cascade.guards import AnswerabilityGuard, CitationGuard
from cascade.ledger import Ledger
from cascade.ports import Brief, Quote, TimeSaid

__all__ = [
    "AnswerabilityGuard",
    "Brief",
    "Cascade",
    "CitationGuard",
    "Decision",
    "ExtractiveTier",
    "Ledger",
    "Quote",
    "TimeSaid",
    "dollars",
]
