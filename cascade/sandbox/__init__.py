"""The sandbox: untrusted programs and tests, run in confined processes that see nothing of each other."""

from cascade.sandbox.cells import Level, Limits, find_level
from cascade.sandbox.trial import PublicTests, Returned, TrialOutcome, call_each, try_program
from cascade.sandbox.turns import Sandbox

__all__ = [
    "Level",
    "Limits",
    "PublicTests",
    "Returned",
    "Sandbox",
    "TrialOutcome",
    "call_each",
    "find_level",
    "try_program",
]
