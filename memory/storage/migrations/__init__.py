"""Memory's tables as Alembic revisions: a branch of its own, and the environment that runs every package's."""

from pathlib import Path

from memory.storage.opening import Migrations

__all__ = ["MIGRATIONS"]

# `heirs`: revisions from before packages had branches, and what each was for this one.
MIGRATIONS = Migrations(
    folder=Path(__file__).parent / "versions",
    heirs={"0001": "memory_0001", "0002": "memory_0001", "0003": "memory_0002", "0004": "memory_0003"},
)
