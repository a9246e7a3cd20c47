"""The audit log's tables as Alembic revisions: a branch of its own in the database that is handed in."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

__all__ = ["FOLDER", "HEIRS"]

FOLDER = Path(__file__).parent / "versions"
HEIRS: Mapping[str, str] = MappingProxyType({})  # there was no audit log before packages had branches
