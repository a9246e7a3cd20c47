"""Tirtha: long-context memory and compaction, and answers that the guards let through."""

__version__ = "0.1.0"
