"""The table of keys as Alembic revisions: a branch of its own in the database that is handed in."""

from collections.abc import Mapping
from pathlib import Path

__all__ = ["FOLDER", "HEIRS"]

FOLDER = Path(__file__).parent / "versions"
HEIRS: Mapping[str, str] = {}  # no database is older than this branch
