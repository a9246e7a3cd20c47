"""The cascade's tables as Alembic revisions: a branch of its own in the database that is handed in."""

from pathlib import Path

__all__ = ["FOLDER", "HEIRS"]

FOLDER = Path(__file__).parent / "versions"
# Revisions from before packages had branches, and what each was for this one.
HEIRS = {"0002": "cascade_0001", "0003": "cascade_0001", "0004": "cascade_0002"}
