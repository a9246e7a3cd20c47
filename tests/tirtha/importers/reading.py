"""Exports read as tests compare them: a file, or files in an archive, as plain values."""

from collections import Counter
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from memory.model import NewTurn
from tirtha.importers import (
    ArchiveLimits,
    Conversation,
    ImportOptions,
    Skipped,
    SourceFile,
    documents_of,
    read_export,
    recognise,
)

EXPORTS = Path(__file__).parent / "exports"
LIMITS = ArchiveLimits(unpacked_bytes=256 * 1_048_576)


def read(
    file: Path, options: ImportOptions | None = None, wanted: str | None = None, limits: ArchiveLimits = LIMITS
) -> dict[str, Any]:
    """Read a file to its end: its format, conversations, what was skipped, and how many messages were left out why."""
    conversations: list[dict[str, Any]] = []
    skipped: list[str] = []
    left_out: Counter[str] = Counter()
    with documents_of(source(file), limits) as documents:
        export = recognise(documents, wanted)
        for one in read_export(export, options or ImportOptions()):
            if isinstance(one, Skipped):
                skipped.append(f"{one.at}: {one.why}")
                continue
            turns = []
            for turn in one.turns:
                if isinstance(turn, NewTurn):
                    turns.append(plain(turn))
                elif isinstance(turn, Skipped):
                    skipped.append(f"{turn.at}: {turn.why}")
                else:
                    left_out[turn.why] += 1
            conversations.append(shown(one) | {"turns": turns})
    return {
        "format": export.importer.name,
        "conversations": conversations,
        "skipped": skipped,
        "left_out": dict(sorted(left_out.items())),
    }


def source(file: Path) -> SourceFile:
    """Return a file on disk as one to import."""
    return SourceFile(name=file.name, opened=lambda: file.open("rb"), folder=file.parent)


def shown(conversation: Conversation) -> dict[str, Any]:
    """Return what a conversation says of itself."""
    started = conversation.started.isoformat() if conversation.started else None
    return {"id": conversation.id, "title": conversation.title, "started": started, "user": conversation.user}


def plain(turn: NewTurn) -> list[str | None]:
    """Return a turn as a row: id, role, speaker, time, text."""
    return [turn.id, turn.role, turn.speaker, turn.said_at.isoformat() if turn.said_at else None, turn.text]


def zipped(file: Path, members: dict[str, bytes]) -> Path:
    """Write an archive."""
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file
