"""The tables of tenants as Alembic revisions: a branch of their own in the database that is handed in."""

from collections.abc import Mapping
from pathlib import Path

__all__ = ["FOLDER", "HEIRS"]

FOLDER = Path(__file__).parent / "versions"
HEIRS: Mapping[str, str] = {}
